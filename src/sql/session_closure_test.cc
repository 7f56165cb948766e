#include "sql/session_closure.h"

#include <gtest/gtest.h>

#include "sql/classify.h"
#include "sql/functions.h"

namespace fairlead::sql {
namespace {

constexpr std::string_view kSets = "BEGIN PERFORM set_config('app.tenant', $1, false); END";

std::vector<FunctionRow> setting_functions() {
  return {
      {.name = "lower", .volatility = 'i', .language = "internal", .is_builtin = true, .oid = 870},
      {.name = "set_config", .language = "internal", .is_builtin = true, .oid = 2078},
      {.name = "query_to_xml", .language = "internal", .is_builtin = true, .oid = 2925},
      {.name = "set_tenant", .language = "plpgsql", .oid = 20001, .source = kSets},
      {.name = "Enter", .language = "sql", .oid = 20002, .source = "SELECT set_tenant($1)"},
      {.name = "enter_all",
       .volatility = 's',
       .language = "sql",
       .oid = 20003,
       .source = "SELECT \"Enter\"(a) FROM t"},
      {.name = "charge",
       .language = "plpgsql",
       .oid = 20004,
       .source = "BEGIN UPDATE t SET a = a + 1; END"},
      {.name = "audit", .language = "plpgsql", .oid = 20005, .source = "BEGIN EXECUTE a; END"},
      {.name = "label_only",
       .volatility = 's',
       .language = "plpgsql",
       .oid = 20006,
       .source = "BEGIN RETURN QUERY EXECUTE a; END"},
      {.name = "in_c", .volatility = 'i', .language = "c", .oid = 20007},
      {.name = "similarity",
       .volatility = 'i',
       .language = "c",
       .extension = "pg_trgm",
       .oid = 20008},
      {.name = "atomic", .language = "sql", .oid = 20009},
      {.name = "atomic_read", .volatility = 's', .language = "sql", .oid = 20010},
      {.name = "with_default", .language = "sql", .oid = 20011, .source = "SELECT $1"},
      {.name = "writes_audited",
       .language = "sql",
       .oid = 20012,
       .source = "INSERT INTO Audited VALUES (1)"},
      {.name = "currval", .language = "internal", .is_builtin = true, .oid = 1575},
      {.name = "lastval", .language = "internal", .is_builtin = true, .oid = 2559},
      {.name = "latest",
       .volatility = 's',
       .language = "sql",
       .oid = 20014,
       .source = "SELECT pg_catalog.currval('numbers')"},
      {.name = "link",
       .language = "plpgsql",
       .oid = 20015,
       .source = "BEGIN new.parent := Latest(); RETURN new; END"},
      {.name = "log_last",
       .language = "plpgsql",
       .is_procedure = true,
       .oid = 20016,
       .source = "BEGIN PERFORM lastval(); END"},
      {.name = "by_operator", .language = "sql", .oid = 20013, .source = "SELECT 1 ### 2"},
  };
}

std::vector<DependencyRow> dependencies() {
  return {
      {DependencyKind::kDefaults, 20011, "with_default", {20001}},
      {DependencyKind::kTrigger, 30001, "audited", {20005}},
      {DependencyKind::kTrigger, 30002, "charged", {20004}},
      {DependencyKind::kForeignKey, 30003, "parent_of_audited", {}, {30001}},
      {DependencyKind::kTrigger, 30011, "linked", {20015}},
      {DependencyKind::kWriteExpression, 30012, "with_parent", {1575}},
      {DependencyKind::kView, 30013, "shows_last", {2559}},
      {DependencyKind::kView, 30004, "entering", {20002}},
      {DependencyKind::kView, 30005, "over_entering", {}, {30004}},
      {DependencyKind::kView, 30006, "over_audited", {870}, {30001}},
      {DependencyKind::kOperator, 0, "###", {20003}},
      {DependencyKind::kTrigger, 30007, "unheard_of", {29999}},
  };
}

bool is_opaque(std::string_view text, const RoutingLists& lists = {}) {
  const auto catalog = FunctionCatalog::build(setting_functions(), 1, dependencies(), {}, lists);
  return decide(classify(text), catalog.get()).opaque;
}

TEST(SessionClosure, KnowsFunctionsThatMayChangeTheSession) {  // C4
  for (const char* text :
       {"SELECT set_tenant(42)", "SELECT \"Enter\"(42)", "SELECT enter_all()", "SELECT audit()",
        "SELECT in_c()", "SELECT atomic()", "SELECT with_default()", "SELECT writes_audited()",
        "SELECT by_operator()", "SELECT nobody()", "SELECT t.set_tenant FROM t",
        "INSERT INTO t VALUES (set_tenant(42))", "SELECT query_to_xml('', true, true, '')",
        "SELECT 1 ### 2", "CREATE TABLE a AS SELECT set_tenant(42)"})
    EXPECT_TRUE(is_opaque(text)) << text;
  for (const char* text :
       {"", "SELECT 1", "SELECT lower('A')", "SELECT charge()", "SELECT label_only()",
        "SELECT similarity('a', 'b')", "SELECT atomic_read()", "UPDATE t SET a = lower(b)",
        "SELECT 1 + 2", "SELECT t.id FROM t", "SELECT set_config('a.b', 'c', false)"})
    EXPECT_FALSE(is_opaque(text)) << text;
}

TEST(SessionClosure, KnowsWhatTriggersAndViewsCall) {  // C4
  for (const char* text :
       {"INSERT INTO audited VALUES (1)", "DELETE FROM s.audited", "DELETE FROM parent_of_audited",
        "INSERT INTO over_audited VALUES (1)", "TABLE entering", "TABLE over_entering",
        "INSERT INTO unheard_of VALUES (1)"})
    EXPECT_TRUE(is_opaque(text)) << text;
  for (const char* text : {"TABLE audited", "INSERT INTO charged VALUES (1)", "TABLE over_audited",
                           "TABLE parent_of_audited", "INSERT INTO t VALUES (1)"})
    EXPECT_FALSE(is_opaque(text)) << text;
}

TEST(SessionClosure, KnowsWhatAsksForASequenceUnseen) {  // C18
  const auto catalog = FunctionCatalog::build(setting_functions(), 1, dependencies());
  const auto asks = [&](const char* text) {
    return decide(classify(text), catalog.get()).asks_for_sequence;
  };
  for (const char* text :
       {"SELECT latest()", "INSERT INTO linked VALUES (1)", "INSERT INTO with_parent VALUES (1)",
        "TABLE shows_last", "INSERT INTO t VALUES (latest())"})
    EXPECT_TRUE(asks(text)) << text;
  for (const char* text :
       {"", "SELECT 1", "SELECT currval('s')", "INSERT INTO t VALUES (1)", "TABLE linked",
        "TABLE with_parent", "INSERT INTO audited VALUES (1)", "SELECT t.lastval FROM t",
        "SELECT set_tenant(42)", "SELECT in_c()", "SELECT nobody()"})
    EXPECT_FALSE(asks(text)) << text;
  EXPECT_EQ(decide(classify("SELECT latest()"), catalog.get()).access, Access::kPrimary);
  EXPECT_TRUE(catalog->may_ask_for_sequences());
}

TEST(SessionClosure, TellsWhetherAnythingAsksForASequenceUnseen) {  // C18
  std::vector<FunctionRow> rows{
      {.name = "currval", .language = "internal", .is_builtin = true, .oid = 1575},
      {.name = "harmless", .language = "sql", .oid = 20001, .source = "SELECT 1"}};
  EXPECT_FALSE(FunctionCatalog::build(rows, 1)->may_ask_for_sequences());
  rows.push_back({.name = "asks",
                  .language = "sql",
                  .is_procedure = true,
                  .oid = 20002,
                  .source = "SELECT currval('s')"});
  EXPECT_TRUE(FunctionCatalog::build(rows, 1)->may_ask_for_sequences());
}

TEST(SessionClosure, BelievesTheOperator) {  // A56
  const RoutingLists lists{.replica_functions = {"audit", "in_c"}};
  EXPECT_FALSE(is_opaque("SELECT audit(), in_c()", lists));
  EXPECT_FALSE(is_opaque("INSERT INTO audited VALUES (1)", lists));
}

TEST(SessionClosure, TakesEveryStatementForOneWhereACastMayDoIt) {  // C4
  const auto rows = setting_functions();
  const DependencyRow cast[] = {{DependencyKind::kCast, 0, "from a to b", {20001}}};
  const auto catalog = FunctionCatalog::build(rows, 1, cast);
  EXPECT_TRUE(decide(classify("SELECT 1"), catalog.get()).opaque);
  EXPECT_FALSE(decide(classify(""), catalog.get()).opaque);
}

TEST(SessionClosure, BelievesReviewedExtensionsBehindTypesAndOperators) {  // A46
  const FunctionRow rows[] = {
      {.name = "geometry_in", .language = "c", .extension = "postgis", .oid = 20001}};
  const DependencyRow types[] = {{DependencyKind::kType, 0, "geometry", {20001}},
                                 {DependencyKind::kOperator, 0, "&&", {20001}}};
  const auto catalog = FunctionCatalog::build(rows, 1, types);
  EXPECT_FALSE(decide(classify("SELECT 1 && 2"), catalog.get()).opaque);
  EXPECT_TRUE(decide(classify("SELECT geometry_in()"), catalog.get()).opaque);
}

TEST(SessionClosure, ProvesNothingOfACallBeforeTheCatalogIsThere) {  // C4
  EXPECT_TRUE(decide(classify("SELECT lower('A')"), nullptr).opaque);
  EXPECT_TRUE(decide(classify("SELECT (7).pg_advisory_lock"), nullptr).opaque);
  EXPECT_FALSE(decide(classify("SELECT t.id FROM t"), nullptr).opaque);
  EXPECT_FALSE(decide(classify("INSERT INTO t VALUES (1)"), nullptr).opaque);
}

}  // namespace
}  // namespace fairlead::sql
