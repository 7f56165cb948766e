// The questions of proxy/catalog_sql.cc, asked of a real server: what PostgreSQL itself brings is
// harmless, what the reviewed extensions bring is, and no DDL that matters leaves the mark as it
// was.
#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <vector>

#include "proxy/catalog_query.h"
#include "sql/function_lists.h"
#include "testing/sql.h"
#include "testing/test_cluster.h"

namespace fairlead::proxy {
namespace {

cluster::Endpoint new_database(const std::string& name) {
  cluster::Endpoint endpoint = test::TestCluster::shared(0).superuser();
  test::rows(endpoint, "CREATE DATABASE " + name);
  endpoint.database = name;
  return endpoint;
}

std::vector<Row> ask(test::Sql& sql, std::string_view question) {
  auto rows = sql.connection().query(std::string(question));
  EXPECT_TRUE(rows.has_value());
  return rows ? std::move(rows->rows) : std::vector<Row>{};
}

LoadedCatalog load(test::Sql& sql) {
  std::vector<Row> all;
  for (const std::string_view part : {kCatalogMarkSql, kFunctionsSql, kDependenciesSql})
    std::ranges::move(ask(sql, part), std::back_inserter(all));
  auto loaded = read_catalog(all, 1);
  EXPECT_TRUE(loaded.has_value()) << describe(loaded.error());
  return loaded.value_or(LoadedCatalog{});
}

// kDependenciesSql looks at nothing that initdb made, so it has to be harmless.
TEST(Catalog, WhatPostgresqlBringsCallsNothingThatWritesUnnamed) {  // A41
  test::Sql sql(test::TestCluster::shared(0).superuser());
  const auto rows = sql.rows(
      "SELECT DISTINCT proname, provolatile FROM pg_proc WHERE oid IN ("
      " SELECT oprcode FROM pg_operator UNION SELECT oprrest FROM pg_operator"
      " UNION SELECT oprjoin FROM pg_operator UNION SELECT castfunc FROM pg_cast"
      " UNION SELECT amproc FROM pg_amproc UNION SELECT typinput FROM pg_type"
      " UNION SELECT typoutput FROM pg_type UNION SELECT typreceive FROM pg_type"
      " UNION SELECT typsend FROM pg_type UNION SELECT typmodin FROM pg_type"
      " UNION SELECT typmodout FROM pg_type UNION SELECT rngcanonical FROM pg_range"
      " UNION SELECT rngsubdiff FROM pg_range)");
  EXPECT_GT(rows.size(), 1000U);
  for (const auto& row : rows) {
    EXPECT_NE(row[1], "v") << row[0];
    EXPECT_EQ(sql::classify_function(row[0]).function_class, sql::FunctionClass::kOrdinary)
        << row[0];
  }
}

TEST(Catalog, OfAnEmptyDatabaseSendsNothingToThePrimary) {
  test::Sql sql(new_database("empty"));
  const LoadedCatalog loaded = load(sql);
  EXPECT_EQ(loaded.functions->implicit_call().object, "");
  EXPECT_EQ(ask(sql, kDependenciesSql), std::vector<Row>{});
}

TEST(Catalog, OfAReviewedExtensionHasNoOperatorCastOrTypeThatIsUnsafe) {  // A46
  test::Sql sql(new_database("extended"));
  size_t created = 0;
  for (const auto& row : sql.rows("SELECT name FROM pg_available_extensions ORDER BY name")) {
    if (!sql::is_reviewed_extension(row[0])) continue;
    sql.run("CREATE EXTENSION IF NOT EXISTS \"" + row[0] + "\" CASCADE");
    ++created;
  }
  EXPECT_GE(created, 15U);
  const LoadedCatalog loaded = load(sql);
  EXPECT_EQ(loaded.functions->implicit_call().object, "");
  for (const auto& row : sql.rows("SELECT DISTINCT oprname FROM pg_operator"))
    EXPECT_FALSE(loaded.functions->is_unsafe_operator(row[0])) << row[0];
}

TEST(Catalog, OfAnotherExtensionIsBelievedInNothing) {  // A46
  test::Sql sql(new_database("guarded"));
  sql.run(
      "CREATE EXTENSION cube; ALTER EXTENSION cube DROP FUNCTION cube_in(cstring);"
      "ALTER EXTENSION cube DROP FUNCTION cube_eq(cube, cube)");
  const LoadedCatalog loaded = load(sql);
  EXPECT_EQ(loaded.functions->implicit_call().reason, sql::Reason::kUnsafeType);
  EXPECT_EQ(loaded.functions->implicit_call().object, "cube");
  EXPECT_TRUE(loaded.functions->is_unsafe_operator("="));
  EXPECT_TRUE(loaded.functions->is_unsafe_operator("<>"));  // Its negator.
  EXPECT_FALSE(loaded.functions->is_unsafe_operator("&&"));
}

// Trees in which PostgreSQL writes functions down under other names than FuncExpr's.
TEST(Catalog, FindsEveryWayInWhichAViewCallsAFunction) {  // A45
  test::Sql sql(new_database("calling"));
  sql.run(
      "CREATE TABLE t (a int, b int);"
      "CREATE FUNCTION w(int, int) RETURNS bool LANGUAGE sql AS 'SELECT true';"
      "CREATE FUNCTION s(int, int) RETURNS int LANGUAGE sql AS 'SELECT 1';"
      "CREATE AGGREGATE g(int) (sfunc = s, stype = int, initcond = 0);"
      "CREATE OPERATOR === (leftarg = int, rightarg = int, function = w)");
  const char* const unsafe[] = {
      "SELECT w(a, b) FROM t",
      "SELECT 1 AS c FROM t WHERE a === b",
      "SELECT a FROM t WHERE a === ANY (ARRAY[1, 2])",
      "SELECT a FROM t WHERE (SELECT bool_and(x === 1) FROM generate_series(1, 2) x)",
      "SELECT a FROM t WHERE a === ALL (SELECT b FROM t)",
      "SELECT g(a) FROM t",
      "SELECT g(a) OVER (ORDER BY b) FROM t",
      "SELECT a FROM t GROUP BY a HAVING g(b) > 1",
      "SELECT x FROM w(1, 2) x",
      "SELECT x FROM ROWS FROM (generate_series(1, 2), s(1, 2)) x(x, y)",
      "SELECT a FROM t JOIN LATERAL (SELECT s(t.a, 1) AS z) u ON true",
      "WITH c AS MATERIALIZED (SELECT s(1, 1) AS a) SELECT a FROM c",
      "SELECT a FROM t UNION ALL SELECT s(1, 2)",
      "VALUES (1), (s(1, 2))",
      "SELECT a FROM t ORDER BY s(a, b)",
      "SELECT a FROM t LIMIT s(1, 2)",
      "SELECT a, count(*) FILTER (WHERE w(a, b)) FROM t GROUP BY a",
      "SELECT CASE WHEN w(a, b) THEN 1 END AS c FROM t",
      "SELECT ARRAY[s(1, 2)] AS c",
      "SELECT a FROM t TABLESAMPLE BERNOULLI (s(1, 2))",
      "SELECT (ROW(a, b) IN (SELECT 1, s(1, 2))) AS c FROM t",
  };
  const char* const safe[] = {
      "SELECT a + b AS c FROM t TABLESAMPLE BERNOULLI (1)",
      "SELECT (a, b) < (b, a) AS c FROM t",
      "SELECT sum(a) OVER (ORDER BY a RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) AS c FROM t",
      "SELECT ':funcid 1574' AS \" :funcid 1574 \" FROM t",
      "SELECT a FROM t WHERE a::text = current_setting('app.tenant', true)",
      "SELECT random() AS r, now() AS n, a::text FROM t ORDER BY a LIMIT 5",
  };
  for (size_t i = 0; i < std::size(unsafe); ++i)
    sql.run("CREATE VIEW unsafe_" + std::to_string(i) + " AS " + unsafe[i]);
  for (size_t i = 0; i < std::size(safe); ++i)
    sql.run("CREATE VIEW safe_" + std::to_string(i) + " AS " + safe[i]);
  sql.run(
      "CREATE MATERIALIZED VIEW stored AS SELECT s(1, 2) AS a; CREATE TEMP VIEW v AS SELECT s(1, "
      "2)");
  const LoadedCatalog loaded = load(sql);
  for (size_t i = 0; i < std::size(unsafe); ++i)
    EXPECT_EQ(loaded.functions->relation_reason("unsafe_" + std::to_string(i)),
              sql::Reason::kUnsafeView)
        << unsafe[i];
  for (size_t i = 0; i < std::size(safe); ++i)
    EXPECT_EQ(loaded.functions->relation_reason("safe_" + std::to_string(i)), sql::Reason::kRead)
        << safe[i];
  EXPECT_EQ(loaded.functions->relation_reason("stored"), sql::Reason::kRead);  // Stored.
  EXPECT_EQ(loaded.functions->relation_reason("v"),
            sql::Reason::kUnknownRelation);  // Its session is pinned.
}

using Names = std::vector<std::string_view>;

sql::Tables tables(const Names& names) {
  sql::Tables expected{.whole_database = false};
  for (const std::string_view name : names) expected.ids.push_back(sql::table_id(name));
  std::ranges::sort(expected.ids);
  return expected;
}

TEST(Catalog, KnowsWhichTablesAReadDependsOnAndWhichAWriteChanges) {  // D11
  test::Sql sql(new_database("closed"));
  sql.run(R"(
CREATE TABLE plain (a serial PRIMARY KEY, b text DEFAULT lower('A') CHECK (length(b) > 0));
CREATE TABLE child () INHERITS (plain);
CREATE TABLE parted (a int) PARTITION BY LIST (a);
CREATE TABLE part PARTITION OF parted FOR VALUES IN (1) PARTITION BY LIST (a);
CREATE TABLE leaf PARTITION OF part FOR VALUES IN (1);
CREATE TABLE parent (a int PRIMARY KEY);
CREATE TABLE cascaded (a int PRIMARY KEY REFERENCES parent ON DELETE CASCADE);
CREATE TABLE nulled (a int REFERENCES cascaded ON UPDATE SET NULL);
CREATE TABLE restricted (a int REFERENCES parent);
CREATE VIEW over AS SELECT parent.a FROM parent JOIN leaf USING (a);
CREATE VIEW over_over AS SELECT over.a FROM over WHERE EXISTS (SELECT FROM restricted);
CREATE MATERIALIZED VIEW stored AS SELECT a FROM parent;
CREATE FUNCTION reading(int) RETURNS int STABLE LANGUAGE sql AS 'SELECT a FROM parent';
CREATE VIEW calling AS SELECT reading(a) FROM part;
CREATE TABLE ruled (a int);
CREATE RULE r AS ON INSERT TO ruled DO ALSO INSERT INTO parted VALUES (new.a);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE audited (a int);
CREATE TRIGGER t AFTER INSERT ON audited FOR EACH ROW EXECUTE FUNCTION audit();
CREATE VIEW over_audited AS SELECT a FROM audited;
CREATE TABLE owner (a int PRIMARY KEY);
CREATE TABLE owned (a int REFERENCES owner ON DELETE CASCADE);
CREATE TRIGGER t BEFORE DELETE ON owned EXECUTE FUNCTION audit();
CREATE TABLE quiet (a int, b tsvector);
CREATE TRIGGER t BEFORE UPDATE ON quiet FOR EACH ROW
  EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE TABLE computed (a int DEFAULT reading(1));
CREATE TABLE checked (a int CHECK (reading(a) > 0));
CREATE FUNCTION same(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE TABLE indexed (a int);
CREATE INDEX ON indexed (same(a));
CREATE TABLE guarded (a int);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON guarded USING (EXISTS (SELECT FROM parent WHERE parent.a = guarded.a));
CREATE SCHEMA s;
CREATE TABLE s.plain (a int);
CREATE TABLE s.guarded (a int);
CREATE VIEW s.leaf AS SELECT a FROM restricted;
CREATE EXTENSION pg_trgm;
CREATE VIEW alike AS SELECT a FROM parent WHERE a::text % 'x';
)");
  const LoadedCatalog loaded = load(sql);
  const sql::TableClosure& closure = loaded.functions->tables();
  const struct {
    const char* name;
    Names read;
    Names written;
  } kKnown[] = {
      {"plain", {"plain", "child"}, {"plain", "child"}},
      {"child", {"child"}, {"child"}},
      {"parted", {"parted", "part", "leaf"}, {"parted", "part", "leaf"}},
      {"parent", {"parent"}, {"parent", "cascaded", "nulled"}},
      {"cascaded", {"cascaded"}, {"cascaded", "nulled"}},
      {"nulled", {"nulled"}, {"nulled"}},
      {"restricted", {"restricted"}, {"restricted"}},
      {"over", {"over", "parent", "leaf"}, {"over", "parent", "leaf", "cascaded", "nulled"}},
      {"over_over",
       {"over_over", "over", "parent", "leaf", "restricted"},
       {"over_over", "over", "parent", "leaf", "restricted", "cascaded", "nulled"}},
      // REFRESH evaluates its query.
      {"stored", {"stored"}, {"stored", "parent", "cascaded", "nulled"}},
      {"leaf", {"leaf", "restricted"}, {"leaf", "restricted"}},  // Two of that name.
      {"ruled", {"ruled"}, {"ruled", "parted", "part", "leaf"}},
      {"quiet", {"quiet"}, {"quiet"}},
      {"guarded", {"guarded", "parent"}, {"guarded"}},
      {"alike", {"alike", "parent"}, {"alike", "parent", "cascaded", "nulled"}},
  };
  for (const auto& known : kKnown) {
    EXPECT_EQ(closure.read(known.name), tables(known.read)) << known.name;
    EXPECT_EQ(closure.written(known.name), tables(known.written)) << known.name;
  }
  const sql::Tables whole;
  for (const char* name : {"calling", "unheard_of"}) {
    EXPECT_EQ(closure.read(name), whole) << name;
    EXPECT_EQ(closure.written(name), whole) << name;
  }
  for (const char* name :
       {"audited", "over_audited", "owner", "owned", "computed", "checked", "indexed"}) {
    EXPECT_NE(closure.read(name), whole) << name;
    EXPECT_EQ(closure.written(name), whole) << name;
  }
}

TEST(Catalog, TheMarkChangesWithEveryDdlThatMattersAndWithNoOther) {  // A42
  test::Sql sql(new_database("marked"));
  const auto mark = [&] { return read_mark(ask(sql, kCatalogMarkSql)).value_or("none"); };
  sql.run(
      "CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE EXTENSION citext;"
      "CREATE SCHEMA s; CREATE TABLE parted (a int) PARTITION BY LIST (a);"
      "CREATE TYPE mood AS ENUM ('good');"
      "CREATE FUNCTION quiet() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'");
  const char* const changing[] = {
      "CREATE FUNCTION f(int, int) RETURNS bool STABLE LANGUAGE sql AS 'SELECT true'",
      "ALTER FUNCTION f(int, int) VOLATILE",
      "CREATE OR REPLACE FUNCTION f(int, int DEFAULT 1) RETURNS bool LANGUAGE sql AS 'SELECT true'",
      "ALTER FUNCTION f(int, int) RENAME TO h",
      "CREATE FUNCTION step(int, int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
      "CREATE AGGREGATE g(int) (sfunc = step, stype = int)",
      "CREATE OPERATOR === (leftarg = int, rightarg = int, function = h)",
      "DROP OPERATOR === (int, int)",
      "CREATE FUNCTION m(int) RETURNS mood LANGUAGE sql AS 'SELECT NULL::mood'",
      "CREATE CAST (int AS mood) WITH FUNCTION m",
      "DROP CAST (int AS mood)",
      "CREATE DOMAIN d AS int",
      "ALTER DOMAIN d ADD CONSTRAINT c CHECK (h(VALUE, 1))",
      "ALTER DOMAIN d DROP CONSTRAINT c",
      "CREATE TYPE r AS RANGE (subtype = int)",
      "CREATE VIEW v AS SELECT a FROM t",
      "CREATE OR REPLACE VIEW v AS SELECT a FROM u",
      "ALTER VIEW v RENAME TO w",
      "CREATE POLICY p ON t USING (a > 0)",
      "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
      "ALTER POLICY p ON t USING (a > 1)",
      "ALTER TABLE t RENAME TO t2",
      "CREATE UNLOGGED TABLE fast (a int)",
      "ALTER TABLE fast SET LOGGED",
      "ALTER TABLE u SET UNLOGGED",
      "CREATE SEQUENCE numbers",
      "CREATE UNLOGGED TABLE part PARTITION OF parted FOR VALUES IN (1)",
      "ALTER TABLE parted DETACH PARTITION part",
      "ALTER TABLE parted ATTACH PARTITION part FOR VALUES IN (1)",
      "CREATE OPERATOR CLASS c FOR TYPE int USING btree AS FUNCTION 1 step(int, int)",
      "ALTER EXTENSION citext ADD FUNCTION h(int, int)",
      "ALTER EXTENSION citext DROP FUNCTION h(int, int)",
      "DROP EXTENSION citext",
      "CREATE EXTENSION pg_trgm",
      "DROP VIEW w",
      "CREATE TABLE other (a int PRIMARY KEY)",
      "ALTER TABLE other ADD CHECK (a > 0)",
      "ALTER TABLE other ALTER a SET DEFAULT 7",
      "CREATE INDEX ON other ((a + 1))",
      "CREATE RULE quiet AS ON DELETE TO other DO INSTEAD NOTHING",
      "ALTER TABLE other ADD FOREIGN KEY (a) REFERENCES other ON DELETE CASCADE",
      "CREATE TRIGGER tr AFTER UPDATE ON other EXECUTE FUNCTION quiet()",
      "ALTER TABLE other DISABLE TRIGGER tr",
  };
  std::string before = mark();
  for (const char* ddl : changing) {
    sql.run(ddl);
    const std::string after = mark();
    EXPECT_NE(after, before) << ddl;
    before = after;
  }
  for (const char* other : {"CREATE INDEX ON other (a)", "INSERT INTO other VALUES (1)",
                            "CREATE TEMP TABLE brief (a int); CREATE TEMP VIEW seen AS TABLE brief",
                            "ALTER TABLE other ADD COLUMN b text", "TRUNCATE other",
                            "VACUUM FULL other", "ANALYZE", "SELECT nextval('numbers')"}) {
    sql.run(other);
    EXPECT_EQ(mark(), before) << other;
  }
}

}  // namespace
}  // namespace fairlead::proxy
