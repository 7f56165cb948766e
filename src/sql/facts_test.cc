// What classify() tells beside the class: session commands, names.
#include "sql/facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sql/classify.h"

namespace fairlead::sql {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using VariableKind = VariableCommand::Kind;
using Scope = VariableCommand::Scope;
using TransactionKind = TransactionCommand::Kind;
using PreparedKind = PreparedCommand::Kind;

TEST(Facts, ListFunctionsAtAnyDepthOnce) {
  EXPECT_THAT(classify("SELECT Lower(a), \"Mixed\"(b), s.f(g(h())) FROM k() WHERE lower(c) = "
                       "(SELECT m(1)) ORDER BY n()")
                  .functions,
              ElementsAre("Mixed", "f", "g", "h", "k", "lower", "m", "n"));
  EXPECT_THAT(classify("SELECT * FROM t TABLESAMPLE my_method (1)").functions,
              ElementsAre("my_method"));
  EXPECT_THAT(classify("SELECT 1 FROM t WHERE a = 2").functions, IsEmpty());
}

TEST(Facts, KeepReadSafeVolatileNamesForTheCatalogBecauseTheyCanBeOverloaded) {  // A40
  EXPECT_THAT(classify("SELECT random()").functions, ElementsAre("random"));
  EXPECT_THAT(classify("SELECT nextval('s')").functions, IsEmpty());
}

TEST(Facts, ListOperatorsThatAreWrittenAndThoseThatTheGrammarImplies) {  // A41
  const auto operators = [](const char* text) { return classify(text).operators; };
  EXPECT_THAT(operators("SELECT a + -b, c ### d FROM t WHERE e OPERATOR(s.@@) 1 AND f != 2"),
              ElementsAre("###", "+", "-", "<>", "@@"));
  EXPECT_THAT(operators("SELECT a LIKE 'x', b NOT ILIKE 'y', c SIMILAR TO 'z' FROM t"),
              ElementsAre("!~~*", "~", "~~"));
  EXPECT_THAT(operators("SELECT a BETWEEN 1 AND 2"), ElementsAre("<=", ">="));
  EXPECT_THAT(operators("SELECT a BETWEEN SYMMETRIC 1 AND 2"), ElementsAre("<=", ">="));
  EXPECT_THAT(operators("SELECT a NOT BETWEEN 1 AND 2"), ElementsAre("<", ">"));
  EXPECT_THAT(operators("SELECT a NOT BETWEEN SYMMETRIC 1 AND 2"), ElementsAre("<", ">"));
  for (const char* text :
       {"SELECT a IN (1, 2)", "SELECT a IN (SELECT 1)", "SELECT a NOT IN (SELECT 1)",
        "SELECT a = ANY ($1)", "SELECT NULLIF(a, b)", "SELECT a IS DISTINCT FROM b",
        "SELECT a IS NOT DISTINCT FROM b", "SELECT CASE a WHEN 1 THEN 2 END",
        "SELECT * FROM a JOIN b USING (c)", "SELECT * FROM a NATURAL JOIN b"})
    EXPECT_THAT(operators(text), ElementsAre("=")) << text;
  EXPECT_THAT(operators("SELECT a NOT IN (1, 2)"), ElementsAre("<>"));
  EXPECT_THAT(operators("SELECT a > ALL (SELECT 1)"), ElementsAre(">"));
  EXPECT_THAT(operators("SELECT a FROM t ORDER BY b USING <<<"), ElementsAre("<<<"));
  EXPECT_THAT(operators("SELECT CASE WHEN a THEN 1 END, EXISTS (SELECT 1), ARRAY(SELECT 2) FROM a "
                        "JOIN b ON c ORDER BY 1"),
              IsEmpty());
}

TEST(Facts, ListNamesThatMayBeFunctionsInAttributeNotation) {
  EXPECT_THAT(classify("SELECT t.f, (r).g, s.u.h, plain FROM t").attributes,
              ElementsAre("f", "g", "h"));
  EXPECT_THAT(classify("SELECT t.* FROM t").attributes, IsEmpty());
}

TEST(Facts, ListRelationsAndWhichAreWritten) {
  EXPECT_THAT(
      classify("SELECT * FROM b, S.\"A\" WHERE EXISTS (SELECT 1 FROM c)").relations,
      ElementsAre(Relation{"", "b", false}, Relation{"", "c", false}, Relation{"s", "A", false}));
  EXPECT_THAT(classify("INSERT INTO a SELECT * FROM b").relations,
              ElementsAre(Relation{"", "a", true}, Relation{"", "b", false}));
  EXPECT_THAT(classify("UPDATE a SET x = 1 FROM b").relations,
              ElementsAre(Relation{"", "a", true}, Relation{"", "b", false}));
  EXPECT_THAT(classify("DELETE FROM a USING b").relations,
              ElementsAre(Relation{"", "a", true}, Relation{"", "b", false}));
  EXPECT_THAT(classify("MERGE INTO a USING b ON true WHEN MATCHED THEN DELETE").relations,
              ElementsAre(Relation{"", "a", true}, Relation{"", "b", false}));
  EXPECT_THAT(
      classify("WITH x AS (DELETE FROM a RETURNING *) INSERT INTO b TABLE c").relations,
      ElementsAre(Relation{"", "a", true}, Relation{"", "b", true}, Relation{"", "c", false}));
  EXPECT_THAT(classify("TRUNCATE a, b").relations,
              ElementsAre(Relation{"", "a", true}, Relation{"", "b", true}));
  EXPECT_THAT(classify("COPY a FROM STDIN").relations, ElementsAre(Relation{"", "a", true}));
  EXPECT_THAT(classify("COPY a TO STDOUT").relations, ElementsAre(Relation{"", "a", false}));
  EXPECT_THAT(classify("SELECT * INTO a FROM b").relations,
              ElementsAre(Relation{"", "a", true}, Relation{"", "b", false}));
  EXPECT_THAT(classify("CREATE TABLE a AS TABLE b").relations,
              ElementsAre(Relation{"", "a", true}, Relation{"", "b", false}));
}

TEST(Facts, TellTransactionCommandsInOrder) {
  EXPECT_THAT(
      classify("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SAVEPOINT a; ROLLBACK TO "
               "a; RELEASE a; COMMIT AND CHAIN; ROLLBACK")
          .transaction,
      ElementsAre(
          TransactionCommand{.kind = TransactionKind::kBegin,
                             .modes = {.read_only = true, .isolation = Isolation::kRepeatableRead}},
          TransactionCommand{.kind = TransactionKind::kSavepoint, .name = "a", .statement = 1},
          TransactionCommand{.kind = TransactionKind::kRollbackTo, .name = "a", .statement = 2},
          TransactionCommand{.kind = TransactionKind::kRelease, .name = "a", .statement = 3},
          TransactionCommand{.kind = TransactionKind::kCommit, .chain = true, .statement = 4},
          TransactionCommand{.kind = TransactionKind::kRollback, .statement = 5}));
  EXPECT_THAT(classify("START TRANSACTION READ WRITE NOT DEFERRABLE").transaction,
              ElementsAre(TransactionCommand{.kind = TransactionKind::kBegin,
                                             .is_start = true,
                                             .modes = {.read_only = false, .deferrable = false}}));
  EXPECT_THAT(
      classify("PREPARE TRANSACTION 'g'").transaction,
      ElementsAre(TransactionCommand{.kind = TransactionKind::kPrepareTransaction, .name = "g"}));
  EXPECT_THAT(
      classify("COMMIT PREPARED 'g'").transaction,
      ElementsAre(TransactionCommand{.kind = TransactionKind::kCommitPrepared, .name = "g"}));
}

struct SetCase {
  const char* text;
  const char* name;
  const char* argument;
  std::optional<std::string> value;
  Scope scope = Scope::kSession;
};

TEST(Facts, KeepTheArgumentOfSetAsItWasWritten) {
  const SetCase cases[] = {
      {"SET search_path TO a, \"B\" , 'c'", "search_path", "a, \"B\" , 'c'", std::nullopt},
      {"SET LOCAL Statement_Timeout = '5s';", "statement_timeout", "'5s'", "5s", Scope::kLocal},
      {"SET SESSION work_mem TO 4096", "work_mem", "4096", "4096"},
      {"set session = 1", "session", "1", "1"},
      {"SET app.tenant_id = 'it''s'", "app.tenant_id", "'it''s'", "it's"},
      {"SET x.y = - /* 5 */ 42", "x.y", "- /* 5 */ 42", "-42"},
      {"SET x.y = +0", "x.y", "+0", "0"},
      {"SET x.y = -1.5", "x.y", "-1.5", "-1.5"},
      {"SET x.y TO on", "x.y", "on", "on"},
      {"SET TIME ZONE 'UTC'", "timezone", "'UTC'", "UTC"},
      {"SET LOCAL TIME ZONE -7", "timezone", "-7", "-7", Scope::kLocal},
      {"SET timezone TO 'UTC'", "timezone", "'UTC'", "UTC"},
      {"SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE", "timezone", "'INTERVAL ''-08:00'''",
       std::nullopt},
      {"SET NAMES 'UTF8'", "client_encoding", "'UTF8'", "UTF8"},
      {"SET SCHEMA 'a'", "search_path", "'a'", "a"},
      {"SET ROLE alice", "role", "alice", "alice"},
      {"SET ROLE NONE", "role", "NONE", "none"},
      {"SET role TO 'alice'", "role", "'alice'", "alice"},
      {"SET SESSION AUTHORIZATION 'bob'", "session_authorization", "'bob'", "bob"},
      {"SET LOCAL SESSION AUTHORIZATION bob", "session_authorization", "bob", "bob", Scope::kLocal},
      {"SET XML OPTION DOCUMENT", "xmloption", "DOCUMENT", "DOCUMENT"},
      {"SET fairlead.route = 'primary'", "fairlead.route", "'primary'", "primary"},
      {"/* a */ SET /* b */ x.y /* c */ = /* d */ 'e' /* f */ ;", "x.y", "'e'", "e"},
  };
  for (const SetCase& c : cases) {
    const QueryFacts facts = classify(c.text);
    ASSERT_EQ(facts.variables.size(), 1u) << c.text;
    const VariableCommand& command = facts.variables[0];
    EXPECT_EQ(command.kind, VariableKind::kSet) << c.text;
    EXPECT_EQ(command.name, c.name) << c.text;
    EXPECT_EQ(command.argument, c.argument) << c.text;
    EXPECT_EQ(command.value, c.value) << c.text;
    EXPECT_EQ(command.scope, c.scope) << c.text;
    EXPECT_FALSE(facts.opaque_side_effects) << c.text;
  }
}

// "SET name TO argument" has to say the same again.
TEST(Facts, ReplayingASetGivesTheSameSet) {
  for (const char* text : {"SET search_path TO a, 'b'", "SET TIME ZONE 'UTC'", "SET NAMES 'utf8'",
                           "SET ROLE alice", "SET SESSION AUTHORIZATION bob", "SET SCHEMA 'a'",
                           "SET TIME ZONE -7", "SET XML OPTION CONTENT", "SET x.y = on"}) {
    const VariableCommand first = classify(text).variables.at(0);
    const VariableCommand again =
        classify("SET " + first.name + " TO " + first.argument).variables.at(0);
    EXPECT_EQ(again.name, first.name) << text;
    EXPECT_EQ(again.argument, first.argument) << text;
    EXPECT_EQ(again.kind, first.kind) << text;
  }
}

TEST(Facts, AdmitThatAnIntervalWithoutAColonCannotBeReplayed) {
  EXPECT_TRUE(classify("SET TIME ZONE INTERVAL '8' HOUR").opaque_side_effects);
}

TEST(Facts, TellResetsAndDefaults) {
  const auto only = [](std::string_view text) { return classify(text).variables.at(0); };
  EXPECT_EQ(only("RESET work_mem").kind, VariableKind::kReset);
  EXPECT_EQ(only("RESET work_mem").name, "work_mem");
  EXPECT_EQ(only("RESET TIME ZONE").name, "timezone");
  EXPECT_EQ(only("RESET SESSION AUTHORIZATION").name, "session_authorization");
  EXPECT_EQ(only("RESET ALL").kind, VariableKind::kResetAll);
  EXPECT_EQ(only("SET x.y TO DEFAULT").kind, VariableKind::kSetDefault);
  EXPECT_EQ(only("SET TIME ZONE LOCAL").kind, VariableKind::kSetDefault);
  EXPECT_EQ(only("SET LOCAL x.y TO DEFAULT").scope, Scope::kLocal);
  EXPECT_EQ(only("SET SESSION AUTHORIZATION DEFAULT").kind, VariableKind::kSetDefault);
}

TEST(Facts, ReadTransactionModesInEverySpelling) {  // B4-B7
  const auto modes = [](std::string_view text) { return classify(text).variables.at(0).modes; };
  EXPECT_EQ(modes("SET TRANSACTION READ ONLY, ISOLATION LEVEL READ COMMITTED"),
            (TransactionModes{.read_only = true, .isolation = Isolation::kReadCommitted}));
  EXPECT_EQ(classify("SET TRANSACTION READ ONLY").variables.at(0).kind, VariableKind::kTransaction);
  EXPECT_EQ(classify("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY").variables.at(0).kind,
            VariableKind::kSessionCharacteristics);
  const QueryFacts snapshot = classify("SET TRANSACTION SNAPSHOT 'a-1'");
  EXPECT_EQ(snapshot.variables.at(0).kind, VariableKind::kTransactionSnapshot);
  EXPECT_EQ(snapshot.variables.at(0).value, "a-1");
  for (const char* on : {"on", "ON", "true", "'t'", "1", "'1'", "yes", "y", "'Tru'"})
    EXPECT_EQ(modes(std::string("SET transaction_read_only = ") + on).read_only, true) << on;
  for (const char* off : {"off", "'of'", "false", "'F'", "0", "no", "n"})
    EXPECT_EQ(modes(std::string("SET default_transaction_read_only = ") + off).read_only, false)
        << off;
  EXPECT_EQ(modes("SET transaction_read_only = 'o'").read_only, std::nullopt);
  EXPECT_EQ(modes("SET default_transaction_isolation = 'Repeatable Read'").isolation,
            Isolation::kRepeatableRead);
}

TEST(Facts, LocateThePartsOfPrepare) {
  const std::string text =
      "SELECT 1; /* x */ PREPARE  \"P q\" (int, numeric(1,2)) AS /* y */ "
      "UPDATE t SET a = $1 -- z\n;";
  const QueryFacts facts = classify(text);
  ASSERT_EQ(facts.prepared.size(), 1u);
  const PreparedCommand& prepare = facts.prepared[0];
  EXPECT_EQ(prepare.kind, PreparedKind::kPrepare);
  EXPECT_EQ(prepare.name, "P q");
  EXPECT_EQ(text.substr(prepare.name_begin, prepare.name_end - prepare.name_begin), "\"P q\"");
  EXPECT_EQ(text.substr(prepare.body_begin, prepare.body_end - prepare.body_begin),
            "UPDATE t SET a = $1");
  ASSERT_NE(prepare.body, nullptr);
  EXPECT_EQ(prepare.body->reason, Reason::kWrite);
  EXPECT_THAT(prepare.body->relations, ElementsAre(Relation{"", "t", true}));
  EXPECT_THAT(facts.relations, IsEmpty());  // Nothing is written yet.
}

TEST(Facts, LocateTheNamesOfExecuteAndDeallocate) {
  struct Case {
    const char* text;
    PreparedKind kind;
    const char* name;
    const char* written;
  };
  const Case cases[] = {
      {"EXECUTE p(1)", PreparedKind::kExecute, "p", "p"},
      {"execute \"P\"", PreparedKind::kExecute, "P", "\"P\""},
      {"EXPLAIN (ANALYZE, BUFFERS) EXECUTE p", PreparedKind::kExecute, "p", "p"},
      {"CREATE TEMP TABLE execute_x AS EXECUTE p(2)", PreparedKind::kExecute, "p", "p"},
      {"DEALLOCATE p", PreparedKind::kDeallocate, "p", "p"},
      {"DEALLOCATE PREPARE p", PreparedKind::kDeallocate, "p", "p"},
      {"DEALLOCATE prepare", PreparedKind::kDeallocate, "prepare", "prepare"},
      {"DEALLOCATE ALL", PreparedKind::kDeallocateAll, "", ""},
      {"DEALLOCATE PREPARE ALL", PreparedKind::kDeallocateAll, "", ""},
  };
  for (const Case& c : cases) {
    const QueryFacts facts = classify(c.text);
    ASSERT_EQ(facts.prepared.size(), 1u) << c.text;
    const PreparedCommand& command = facts.prepared[0];
    EXPECT_EQ(command.kind, c.kind) << c.text;
    EXPECT_EQ(command.name, c.name) << c.text;
    EXPECT_EQ(
        std::string_view(c.text).substr(command.name_begin, command.name_end - command.name_begin),
        c.written)
        << c.text;
  }
}

TEST(Facts, TellShowAndDiscard) {
  EXPECT_EQ(classify("SHOW ALL").show, "all");
  EXPECT_EQ(classify("show Fairlead.Token").show, "fairlead.token");
  EXPECT_EQ(classify("SHOW TRANSACTION ISOLATION LEVEL").show, "transaction_isolation");
  EXPECT_EQ(classify("SHOW a; SHOW b").show, std::nullopt);
  EXPECT_EQ(classify("DISCARD ALL").discard, Discard::kAll);
  EXPECT_EQ(classify("DISCARD PLANS").discard, Discard::kPlans);
  EXPECT_EQ(classify("DISCARD TEMPORARY").discard, Discard::kTemp);
  EXPECT_EQ(classify("DISCARD SEQUENCES").discard, Discard::kSequences);
}

TEST(Facts, RecogniseUnitsThatOnlyResetTheSession) {
  for (const char* text : {"SELECT pg_advisory_unlock_all();\nCLOSE ALL;\nUNLISTEN *;\nRESET ALL;",
                           "DISCARD ALL", "RESET ALL", "UNLISTEN *", "CLOSE ALL", "DEALLOCATE ALL"})
    EXPECT_TRUE(classify(text).resets_only) << text;
  for (const char* text : {"", "SELECT 1", "SELECT pg_advisory_unlock_all(), 1",
                           "RESET ALL; SELECT 1", "SELECT pg_advisory_unlock_all() FROM t",
                           "SELECT pg_advisory_unlock_all(f())", "SET a = 1", "SELEC"})
    EXPECT_FALSE(classify(text).resets_only) << text;
}

TEST(Facts, TellWhichStatementsRunTheSameWhateverTheSettingsAre) {  // C24
  using Places = std::vector<size_t>;
  EXPECT_EQ(
      classify("RESET ALL; SET a = 1; SET LOCAL b TO DEFAULT; DISCARD TEMP; CLOSE ALL; COMMIT; "
               "ROLLBACK; SAVEPOINT s; RELEASE s; ROLLBACK TO s")
          .indifferent,
      (Places{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(
      classify("SELECT 1; RESET a; SHOW a; BEGIN; START TRANSACTION; PREPARE TRANSACTION 'x'; "
               "UNLISTEN *; LISTEN a")
          .indifferent,
      (Places{1, 6}));
  EXPECT_EQ(classify("SELEC").indifferent, Places{});
}

TEST(Facts, MarkWhatRefusesToRunInATransactionBlock) {  // B17
  for (const char* text :
       {"VACUUM", "CREATE DATABASE d", "DROP DATABASE d", "DISCARD ALL", "ALTER SYSTEM RESET ALL",
        "CREATE INDEX CONCURRENTLY i ON t (a)", "DROP INDEX CONCURRENTLY i", "REINDEX DATABASE d",
        "REINDEX (CONCURRENTLY) TABLE t", "REINDEX TABLE CONCURRENTLY t", "CLUSTER",
        "COMMIT PREPARED 'g'", "CREATE TABLESPACE s LOCATION '/x'", "DROP SUBSCRIPTION s",
        "ALTER TABLE t DETACH PARTITION p CONCURRENTLY"})
    EXPECT_TRUE(classify(text).needs_no_transaction_block) << text;
  for (const char* text :
       {"ANALYZE", "CREATE INDEX i ON t (a)", "REINDEX TABLE t", "CLUSTER t", "DISCARD TEMP",
        "ALTER TABLE t DETACH PARTITION p", "REFRESH MATERIALIZED VIEW CONCURRENTLY m"})
    EXPECT_FALSE(classify(text).needs_no_transaction_block) << text;
}

TEST(Facts, MarkDdlAfterWhichAProvenReadMayBeNone) {  // A42
  for (const char* text :
       {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''", "CREATE VIEW v AS SELECT 1",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY", "CREATE UNLOGGED TABLE t (n int)",
        "CREATE UNLOGGED TABLE t AS SELECT 1", "CREATE TABLE t () INHERITS (u)",
        "CREATE TABLE t PARTITION OF u DEFAULT", "CREATE EXTENSION e", "CREATE SEQUENCE s",
        "CREATE POLICY p ON t", "ALTER VIEW v RENAME TO w"})
    EXPECT_TRUE(classify(text).may_unprove_reads) << text;
  for (const char* text :
       {"CREATE TABLE t (n serial)", "CREATE TABLE t AS SELECT 1", "SELECT 1 INTO t",
        "DROP TABLE t", "DROP VIEW v", "GRANT SELECT ON t TO r", "CREATE INDEX i ON t (n)",
        "COMMENT ON TABLE t IS ''", "CREATE TEMP TABLE t (n int)", "TRUNCATE t", "SELECT 1"})
    EXPECT_FALSE(classify(text).may_unprove_reads) << text;
}

TEST(Facts, MarkWhatChangesTheCatalogAndWhatCannotBeSeen) {  // A42, C4
  for (const char* text : {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ''", "DROP VIEW v",
                           "GRANT SELECT ON t TO r", "CREATE EXTENSION e", "SELECT 1 INTO t",
                           "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS ''"})
    EXPECT_TRUE(classify(text).changes_catalog) << text;
  for (const char* text : {"CREATE TEMP TABLE a ()", "INSERT INTO t VALUES (1)", "SELECT 1",
                           "CREATE TEMP TABLE a AS SELECT 1", "VACUUM"})
    EXPECT_FALSE(classify(text).changes_catalog) << text;
  for (const char* text : {"DO ''", "CALL p()", "LOAD 'x'", "SET x.y FROM CURRENT"})
    EXPECT_TRUE(classify(text).opaque_side_effects) << text;
  EXPECT_FALSE(classify("SELECT f()").opaque_side_effects);
}

TEST(Facts, TellCopyDirectionsAndTempSchema) {
  EXPECT_TRUE(classify("COPY t FROM STDIN").copy_in);
  EXPECT_FALSE(classify("COPY t FROM '/x'").copy_in);
  EXPECT_TRUE(classify("COPY (SELECT 1) TO STDOUT").copy_out);
  EXPECT_FALSE(classify("COPY t TO '/x'").copy_out);
  EXPECT_TRUE(classify("COPY t TO '/x'").copy_to_file);
  EXPECT_TRUE(classify("SELECT 1; COPY t TO PROGRAM 'x'").copy_to_file);  // A19
  EXPECT_FALSE(classify("COPY t FROM '/x'; COPY t TO STDOUT").copy_to_file);
  EXPECT_TRUE(classify("SELECT * FROM pg_temp.t").uses_temp_schema);
  EXPECT_TRUE(classify("SELECT * FROM pg_temp_3.t").uses_temp_schema);
  EXPECT_FALSE(classify("SELECT 'pg_temp'").uses_temp_schema);  // Literals decide nothing.
}

}  // namespace
}  // namespace fairlead::sql
