#include "sql/functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "sql/classify.h"
#include "sql/function_lists.h"

namespace fairlead::sql {
namespace {

using enum FunctionVerdict;

std::shared_ptr<const FunctionCatalog> catalog() {
  FunctionRow rows[] = {
      {.name = "lower", .volatility = 'i', .language = "internal", .is_builtin = true},
      {.name = "now", .volatility = 's', .language = "internal", .is_builtin = true},
      {.name = "random", .volatility = 'v', .language = "internal", .is_builtin = true},
      {.name = "lo_creat", .volatility = 'v', .language = "internal", .is_builtin = true},
      {.name = "gen_random_uuid", .volatility = 'v', .language = "internal", .is_builtin = true},
      {.name = "gen_random_uuid", .volatility = 'v', .language = "plpgsql"},  // Somebody's own.
      {.name = "ovl", .volatility = 'i', .language = "sql"},
      {.name = "ovl", .volatility = 'v', .language = "plpgsql"},
      {.name = "stable_f", .volatility = 's', .language = "plpgsql"},
      {.name = "plperl_f", .volatility = 'i', .language = "plperlu"},
      {.name = "c_f", .volatility = 'i', .language = "c"},
      {.name = "similarity", .volatility = 'i', .language = "c", .extension = "pg_trgm"},
      {.name = "uuid_generate_v4", .volatility = 'v', .language = "c", .extension = "uuid-ossp"},
      {.name = "set_limit", .volatility = 'v', .language = "c", .extension = "pg_trgm"},
      {.name = "ext_f", .volatility = 's', .language = "c", .extension = "unheard_of"},
      {.name = "proc", .volatility = 'v', .language = "plpgsql", .is_procedure = true},
  };
  for (uint32_t oid = 0; FunctionRow & row : rows) row.oid = ++oid;
  static const DependencyRow kTables[] = {{DependencyKind::kTable, 30001, "t"}};
  return FunctionCatalog::build(rows, 1, kTables);
}

TEST(FunctionCatalog, JudgesANameByTheWorstOfItsFunctions) {  // A40
  const auto functions = catalog();
  EXPECT_EQ(functions->verdict("lower"), kSafe);
  EXPECT_EQ(functions->verdict("now"), kSafe);
  EXPECT_EQ(functions->verdict("stable_f"), kSafe);
  EXPECT_EQ(functions->verdict("ovl"), kVolatile);
  EXPECT_EQ(functions->verdict("lo_creat"), kVolatile);
  EXPECT_EQ(functions->verdict("nobody"), kUnknown);
  EXPECT_EQ(functions->verdict("proc"), kUnknown);
}

TEST(FunctionCatalog, BelievesTheReviewedListForBuiltinsOnly) {
  EXPECT_EQ(catalog()->verdict("random"), kSafe);
  EXPECT_EQ(catalog()->verdict("gen_random_uuid"), kVolatile);
}

TEST(FunctionCatalog, BelievesLabelsOfKnownLanguagesAndReviewedExtensionsOnly) {  // A46
  const auto functions = catalog();
  EXPECT_EQ(functions->verdict("plperl_f"), kUntrusted);
  EXPECT_EQ(functions->verdict("c_f"), kUntrusted);
  EXPECT_EQ(functions->verdict("ext_f"), kUntrusted);
  EXPECT_EQ(functions->verdict("similarity"), kSafe);
  EXPECT_EQ(functions->verdict("uuid_generate_v4"), kSafe);
  EXPECT_EQ(functions->verdict("set_limit"), kVolatile);
}

TEST(FunctionCatalog, TakesAnUnknownAttributeForAColumn) {
  EXPECT_EQ(catalog()->attribute_verdict("nobody"), kSafe);
  EXPECT_EQ(catalog()->attribute_verdict("lo_creat"), kVolatile);
  EXPECT_EQ(catalog()->attribute_verdict("lower"), kSafe);
  EXPECT_EQ(catalog()->attribute_verdict("random"), kSafe);
  EXPECT_EQ(catalog()->attribute_verdict("ovl"), kVolatile);
}

Decision decision(std::string_view text, bool with_catalog = true) {
  const auto functions = catalog();
  return decide(classify(text), with_catalog ? functions.get() : nullptr);
}

TEST(Decide, FindsAReadOnlyWhenEveryFunctionIsSafe) {
  EXPECT_EQ(decision("SELECT lower(now()::text)"), (Decision{Access::kRead, Reason::kRead, false}));
  EXPECT_EQ(decision("SELECT random()").reason, Reason::kRead);
  EXPECT_EQ(decision("SELECT ovl(1)").reason, Reason::kVolatileFunction);
  EXPECT_EQ(decision("SELECT lower(nobody())").reason, Reason::kUnknownFunction);
  EXPECT_EQ(decision("SELECT c_f()").reason, Reason::kUnknownFunction);
  EXPECT_EQ(decision("SELECT \"LOWER\"('A')").reason, Reason::kUnknownFunction);
  EXPECT_EQ(decision("SELECT t.ovl FROM t").reason, Reason::kVolatileFunction);
  EXPECT_EQ(decision("SELECT t.id FROM t").reason, Reason::kRead);
  EXPECT_EQ(decision("").reason, Reason::kEmpty);
}

TEST(Decide, KnowsAttributeNotationOfBuiltinFunctions) {  // A40
  std::vector<FunctionRow> rows;
  for (const char* name : {"pg_advisory_lock", "pg_promote", "ts_stat", "nextval", "lo_unlink"})
    rows.push_back({.name = name, .language = "internal", .is_builtin = true, .oid = 100});
  for (const char* name : {"current_setting", "name", "max", "length"})
    rows.push_back({.name = name, .volatility = 's', .language = "internal", .is_builtin = true});
  rows.push_back({.name = "lo_get", .language = "internal", .is_builtin = true});
  const DependencyRow tables[] = {{DependencyKind::kTable, 30001, "t"}};
  const auto functions = FunctionCatalog::build(rows, 1, tables);
  const auto reason = [&](std::string_view text) {
    return decide(classify(text), functions.get()).reason;
  };
  EXPECT_EQ(reason("SELECT (42).pg_advisory_lock"), Reason::kAdvisoryLock);
  EXPECT_EQ(reason("SELECT t.pg_advisory_lock FROM t"), Reason::kAdvisoryLock);
  EXPECT_EQ(reason("SELECT (t.id).pg_promote FROM t"), Reason::kNodeFunction);
  EXPECT_EQ(reason("SELECT ('select a'::text).ts_stat"), Reason::kDynamicSqlFunction);
  EXPECT_EQ(reason("SELECT ('s'::text).nextval"), Reason::kVolatileFunction);
  EXPECT_EQ(reason("SELECT (1).lo_unlink"), Reason::kVolatileFunction);
  EXPECT_EQ(reason("SELECT ('a.b'::text).current_setting"), Reason::kSessionFunction);
  for (const char* text :
       {"SELECT t.name, t.max, t.length FROM t", "SELECT t.dblink_url FROM t", "SELECT (1).lo_get"})
    EXPECT_EQ(reason(text), Reason::kRead) << text;
  EXPECT_TRUE(decide(classify("SELECT (42).pg_advisory_lock"), functions.get()).opaque);  // C15
  EXPECT_TRUE(functions->may_touch_any_table(classify("SELECT (1).lo_get")));             // D11
}

TEST(Decide, LooksBehindRelationsAndOperators) {  // A41, A45
  const FunctionRow rows[] = {{.name = "writer", .language = "plpgsql", .oid = 20001}};
  const DependencyRow dependencies[] = {
      {DependencyKind::kTable, 30000, "t"},
      {DependencyKind::kView, 30001, "writing_view", {20001}},
      {DependencyKind::kPolicy, 30002, "guarded", {20001}},
      {DependencyKind::kReplicaLacks, 30003, "unlogged"},
      {DependencyKind::kOperator, 0, ">=", {20001}},
  };
  const auto functions = FunctionCatalog::build(rows, 1, dependencies);
  const auto decided = [&](std::string_view text) {
    return decide(classify(text), functions.get());
  };
  EXPECT_EQ(decided("SELECT 1 FROM t WHERE EXISTS (TABLE s.writing_view)"),
            (Decision{Access::kPrimary, Reason::kUnsafeView, true, true}));
  EXPECT_EQ(decided("TABLE guarded").reason, Reason::kUnsafePolicy);
  EXPECT_EQ(decided("TABLE unlogged").reason, Reason::kPrimaryRelation);
  EXPECT_EQ(decided("SELECT a BETWEEN 1 AND 2 FROM t").reason, Reason::kUnsafeOperator);
  EXPECT_EQ(decided("SELECT a = 1 AND b < 2 FROM t").reason, Reason::kRead);
}

TEST(Decide, ProvesNothingWhereACastOrATypeMayWriteUnnamed) {  // A41
  const FunctionRow rows[] = {{.name = "writer", .language = "plpgsql", .oid = 20001}};
  const DependencyRow dependencies[] = {{DependencyKind::kTable, 30000, "t"},
                                        {DependencyKind::kCast, 0, "from a to b", {20001}}};
  const auto functions = FunctionCatalog::build(rows, 1, dependencies);
  const auto decided = [&](std::string_view text) {
    return decide(classify(text), functions.get());
  };
  EXPECT_EQ(decided("SELECT a FROM t"),
            (Decision{Access::kPrimary, Reason::kUnsafeCast, true, true}));
  EXPECT_EQ(decided("SELECT $1").reason, Reason::kUnsafeCast);
  EXPECT_EQ(decided("INSERT INTO t VALUES (1)").reason, Reason::kWrite);
  EXPECT_EQ(decided("-- ping").reason, Reason::kEmpty);
}

TEST(Decide, CallsAFunctionUnsafeWhoseDefaultsAre) {  // A40
  const FunctionRow rows[] = {
      {.name = "reader", .volatility = 's', .language = "sql", .oid = 20001},
      {.name = "writer", .language = "sql", .oid = 20002}};
  const DependencyRow dependencies[] = {{DependencyKind::kDefaults, 20001, "reader", {20002}}};
  const auto functions = FunctionCatalog::build(rows, 1, dependencies);
  EXPECT_EQ(decide(classify("SELECT reader()"), functions.get()).reason, Reason::kVolatileFunction);
}

TEST(Decide, TakesARelationThatNobodyKnowsForAnything) {  // G1, A42, A45
  const auto reason = [](std::string_view text) { return decision(text).reason; };
  EXPECT_EQ(decision("TABLE made_just_now"),
            (Decision{Access::kPrimary, Reason::kUnknownRelation, true, false, true}));
  EXPECT_EQ(reason("SELECT 1 FROM t, s.made_just_now"), Reason::kUnknownRelation);
  EXPECT_EQ(reason("WITH a AS (SELECT 1) SELECT 1 FROM s.a"), Reason::kUnknownRelation);
  EXPECT_EQ(reason("WITH a AS (TABLE b) TABLE a"), Reason::kUnknownRelation);
  EXPECT_EQ(reason("WITH a AS (TABLE t) TABLE a"), Reason::kRead);
  EXPECT_EQ(reason("SELECT 1 FROM (WITH RECURSIVE a AS (TABLE a) TABLE a) b"), Reason::kRead);
  EXPECT_EQ(reason("TABLE s.t"), Reason::kRead);
  EXPECT_EQ(reason("TABLE information_schema.tables"), Reason::kSystemCatalog);
}

TEST(Decide, WaitsForTheCatalogWhenThereIsSomethingToLookUp) {
  EXPECT_EQ(decision("SELECT lower('A')", false).reason, Reason::kCatalogLoading);
  EXPECT_EQ(decision("SELECT t.id FROM t", false).reason, Reason::kCatalogLoading);
  EXPECT_EQ(decision("SELECT id FROM t", false).reason, Reason::kRead);
  EXPECT_EQ(decision("INSERT INTO t VALUES (lower('A'))", false).reason, Reason::kWrite);
  EXPECT_EQ(decision("SELECT lower('A')", false).access, Access::kPrimary);
}

TEST(Decide, KnowsWhichPrimaryStatementsChangeNothing) {
  EXPECT_FALSE(decision("SELECT relname FROM pg_class").may_write);
  for (const char* text :
       {"BEGIN", "BEGIN; SELECT 1; COMMIT", "BEGIN ISOLATION LEVEL SERIALIZABLE",
        "BEGIN READ WRITE", "SET a.b = 1", "SHOW a", "SELECT pg_advisory_lock(1)",
        "SELECT set_config('a.b', 'c', true)", "COMMIT", "DISCARD ALL",
        "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL"})
    EXPECT_FALSE(decision(text).may_write) << text;
  for (const char* text :
       {"BEGIN READ WRITE; INSERT INTO t VALUES (1)", "SELECT relname FROM pg_class; DROP TABLE t",
        "SELECT pg_advisory_lock(1), nextval('s')", "FETCH 1 FROM c", "EXECUTE p",
        "COMMIT PREPARED 'g'", "SELECT set_config('a.b', ovl(1), true)",
        "WITH a AS (DELETE FROM t) TABLE pg_class", "SELECT 1 FOR UPDATE", "DO ''", "CALL p()",
        "NOTIFY a", "SELECT lo_import('/x')", "DECLARE c CURSOR FOR SELECT nextval('s')"})
    EXPECT_TRUE(decision(text).may_write) << text;
  EXPECT_TRUE(decision("SELECT ovl(1) FROM pg_class").may_write);
  EXPECT_TRUE(decision("SELECT lower('A') FROM pg_class", false).may_write);
  EXPECT_TRUE(decision("INSERT INTO t VALUES (1)").may_write);
  EXPECT_TRUE(decision("SELECT ovl(1)").may_write);
  EXPECT_TRUE(decision("SELEC").may_write);
}

TEST(FunctionLists, AreSortedAndUnique) {
  const auto list = reviewed_functions();
  EXPECT_TRUE(std::ranges::is_sorted(list, {}, &FunctionListing::name));
  EXPECT_EQ(std::ranges::adjacent_find(list, {}, &FunctionListing::name), list.end());
}

TEST(FunctionLists, LetAnExactNameComeBeforeItsFamily) {
  EXPECT_EQ(classify_function("pg_stat_get_anything_new").function_class, FunctionClass::kNode);
  EXPECT_EQ(classify_function("dblink_open").function_class, FunctionClass::kDynamicSql);
  EXPECT_EQ(classify_function("pg_advisory_unlock_all").pin_events,
            static_cast<uint16_t>(PinEvent::kAdvisoryUnlockAll));
  EXPECT_EQ(classify_function("lower").function_class, FunctionClass::kOrdinary);
}

// Volatile built-ins of PostgreSQL 15 that the list calls read-safe; whoever adds one has to add it
// here too, having looked at what it does.
TEST(FunctionLists, CallNothingReadSafeThatWasNotReviewed) {
  constexpr std::string_view kReviewedBySource[] = {"bernoulli",
                                                    "clock_timestamp",
                                                    "current_query",
                                                    "gen_random_bytes",
                                                    "gen_random_uuid",
                                                    "gen_salt",
                                                    "lo_get",
                                                    "pg_database_size",
                                                    "pg_indexes_size",
                                                    "pg_partition_ancestors",
                                                    "pg_partition_tree",
                                                    "pg_relation_size",
                                                    "pg_sleep",
                                                    "pg_sleep_for",
                                                    "pg_sleep_until",
                                                    "pg_table_size",
                                                    "pg_tablespace_size",
                                                    "pg_total_relation_size",
                                                    "pg_xact_commit_timestamp",
                                                    "pg_xact_commit_timestamp_origin",
                                                    "pg_xact_status",
                                                    "random",
                                                    "random_normal",
                                                    "system",
                                                    "timeofday",
                                                    "txid_status",
                                                    "uuid_generate_v1",
                                                    "uuid_generate_v1mc",
                                                    "uuid_generate_v4",
                                                    "uuidv4",
                                                    "uuidv7"};
  std::vector<std::string_view> safe;
  for (const FunctionListing& listing : reviewed_functions())
    if (listing.function_class == FunctionClass::kVolatileReadSafe) safe.push_back(listing.name);
  EXPECT_TRUE(std::ranges::equal(safe, kReviewedBySource));
}

TEST(Reasons, HaveAWordAndASentenceEach) {
  for (const ReasonText& text : kReasons) {
    EXPECT_EQ(text.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos)
        << text.name;
    EXPECT_TRUE(text.description.ends_with('.')) << text.name;
    EXPECT_EQ(reason_name(text.reason), text.name);
  }
}

}  // namespace
}  // namespace fairlead::sql
