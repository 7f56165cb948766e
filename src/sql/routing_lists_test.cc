#include "sql/routing_lists.h"

#include <gtest/gtest.h>

#include "sql/classify.h"
#include "sql/functions.h"

namespace fairlead::sql {
namespace {

using enum DependencyKind;

enum Oid : uint32_t {
  kLower = 870,
  kLoPut = 3460,
  kWriter = 20001,
  kReader = 20002,
  kShapeIn = 20003,
  kShapeArea = 20004,
  kShapeStore = 20005,
  kOwnInC = 20006,
  kNextval = 20007,
};

const std::vector<FunctionRow>& listed_functions() {
  static const std::vector<FunctionRow> rows = {
      {.name = "lower",
       .volatility = 'i',
       .language = "internal",
       .is_builtin = true,
       .oid = kLower},
      {.name = "lo_put", .language = "internal", .is_builtin = true, .oid = kLoPut},
      {.name = "writer", .language = "plpgsql", .oid = kWriter},
      {.name = "reader", .volatility = 's', .language = "plpgsql", .oid = kReader},
      {.name = "shape_in", .language = "c", .extension = "shapes", .oid = kShapeIn},
      {.name = "shape_area",
       .volatility = 'i',
       .language = "c",
       .extension = "shapes",
       .oid = kShapeArea},
      {.name = "shape_store", .language = "c", .extension = "shapes", .oid = kShapeStore},
      {.name = "own_in_c", .volatility = 'i', .language = "c", .oid = kOwnInC},
      {.name = "nextval", .volatility = 'i', .language = "sql", .oid = kNextval},
  };
  return rows;
}

std::shared_ptr<const FunctionCatalog> catalog(RoutingLists lists,
                                               std::vector<DependencyRow> rows = {}) {
  rows.push_back({kTable, 30100, "t"});
  return FunctionCatalog::build(listed_functions(), 1, rows, {}, std::move(lists));
}

Reason reason(const std::shared_ptr<const FunctionCatalog>& catalog, std::string_view text) {
  return decide(classify(text), catalog.get()).reason;
}

TEST(RoutingLists, APatternIsTheWholeName) {  // A56
  const auto matches = matches_pattern;
  for (const auto [pattern, name] : {std::pair{"report", "report"},
                                     {"*", "report"},
                                     {"*", ""},
                                     {"rep*", "report"},
                                     {"rep*", "rep"},
                                     {"*port", "report"},
                                     {"r*p*t", "report"},
                                     {"*aab", "aaaab"},
                                     {"a*b*c", "a_b_b_c"},
                                     {"**x**", "x"}})
    EXPECT_TRUE(matches(pattern, name)) << pattern << " " << name;
  for (const auto [pattern, name] : {std::pair{"report", "reports"},
                                     {"report", "repor"},
                                     {"report", "Report"},
                                     {"rep*", "my_report"},
                                     {"*port", "reports"},
                                     {"a*b*c", "a_c_b"},
                                     {"r?port", "report"},
                                     {"", "x"}})
    EXPECT_FALSE(matches(pattern, name)) << pattern << " " << name;
  EXPECT_FALSE(matches(std::string(31, '*') + "b", std::string(63, 'a')));
  EXPECT_FALSE(matches("*a*a*a*a*a*a*a*a*a*a*a*b", std::string(100'000, 'a')));  // And soon.
}

TEST(RoutingLists, ATrustedExtensionIsJudgedByItsLabels) {  // A46
  const std::vector<DependencyRow> rows{{kType, 0, "shape", {kShapeIn}},
                                        {kOperator, 0, "&&&", {kShapeIn, kShapeArea}}};
  const auto guarded = catalog({}, rows);
  EXPECT_EQ(reason(guarded, "SELECT a FROM t"), Reason::kUnsafeType);
  EXPECT_EQ(guarded->implicit_call().object, "shape of extension shapes");
  EXPECT_EQ(reason(guarded, "SELECT shape_area(a) FROM t"), Reason::kUnknownFunction);

  const auto trusting = catalog({.trusted_extensions = {"shapes"}}, rows);
  EXPECT_EQ(reason(trusting, "SELECT a &&& b FROM t"), Reason::kRead);
  EXPECT_EQ(reason(trusting, "SELECT shape_area(a) FROM t"), Reason::kRead);
  EXPECT_EQ(reason(trusting, "SELECT shape_store(a) FROM t"), Reason::kVolatileFunction);
  EXPECT_EQ(reason(trusting, "SELECT own_in_c(a) FROM t"), Reason::kUnknownFunction);
  EXPECT_FALSE(catalog({.trusted_extensions = {"shape"}})->verdict("shape_area") ==
               FunctionVerdict::kSafe);
}

TEST(RoutingLists, OnlyTrustedFunctionsInCAreKnownToTouchNoTable) {  // D11
  const auto touches = [](RoutingLists lists, std::string_view text) {
    return catalog(std::move(lists))->may_touch_any_table(classify(text));
  };
  EXPECT_TRUE(touches({}, "SELECT shape_area(1)"));
  EXPECT_FALSE(touches({.trusted_extensions = {"shapes"}}, "SELECT shape_area(1)"));
  EXPECT_TRUE(touches({.replica_functions = {"shape_area"}}, "SELECT shape_area(1)"));
  EXPECT_TRUE(touches({.replica_functions = {"*"}}, "SELECT nobody()"));
}

TEST(RoutingLists, AReplicaFunctionIsARead) {  // A56
  const std::vector<DependencyRow> rows{{kView, 30001, "v", {kWriter}},
                                        {kOperator, 0, "###", {kWriter}}};
  const auto given = catalog({.replica_functions = {"write*", "nobody", "own_in_c"}}, rows);
  for (const char* text : {"SELECT writer()", "SELECT t.writer FROM t", "SELECT nobody()",
                           "SELECT own_in_c()", "SELECT a ### b FROM v"})
    EXPECT_EQ(reason(given, text), Reason::kRead) << text;
  EXPECT_EQ(reason(given, "SELECT nobody_else()"), Reason::kUnknownFunction);
}

TEST(RoutingLists, WhatIsKnownToBeThePrimarysStaysThere) {  // A40, A56
  const std::vector<DependencyRow> rows{{kView, 30001, "v", {kNextval}},
                                        {kDefaults, kReader, "reader", {kNextval}},
                                        {kReplicaLacks, 30002, "unlogged"}};
  const auto given = catalog({.replica_functions = {"*"}, .replica_relations = {"*"}}, rows);
  for (const char* text : {"SELECT nextval('s')", "SELECT pg_advisory_lock(1)",
                           "SELECT lo_put(1, 2, 'a')", "SELECT reader()"})
    EXPECT_EQ(decide(classify(text), given.get()).access, Access::kPrimary) << text;
  EXPECT_EQ(reason(given, "TABLE v"), Reason::kUnsafeView);
  EXPECT_EQ(reason(given, "TABLE unlogged"), Reason::kPrimaryRelation);  // A50
}

TEST(RoutingLists, ThePrimarysListWins) {  // A56
  const RoutingLists both{.trusted_extensions = {"shapes"},
                          .replica_functions = {"*"},
                          .primary_functions = {"shape_area", "lower", "not_yet"},
                          .replica_relations = {"*"},
                          .primary_relations = {"remote"}};
  const auto given = catalog(both, {{kForeignTable, 30001, "remote"}});
  for (const char* text :
       {"SELECT shape_area(1)", "SELECT lower('A')", "SELECT a.shape_area FROM a",
        "SELECT not_yet()", "TABLE remote", "SELECT 1 FROM s.remote"})
    EXPECT_EQ(reason(given, text), Reason::kPrimaryList) << text;
  EXPECT_EQ(reason(given, "SELECT writer()"), Reason::kRead);
}

TEST(RoutingLists, APrimaryFunctionCountsWhereverItIsCalled) {  // A41, A45, A56
  const std::vector<DependencyRow> rows{{kView, 30001, "v", {kReader}},
                                        {kView, 30002, "over", {kLower}, {30001}},
                                        {kPolicy, 30003, "guarded", {kReader}},
                                        {kOperator, 0, "###", {kReader}},
                                        {kDefaults, kShapeArea, "shape_area", {kReader}}};
  const auto given = catalog({.primary_functions = {"read*"}}, rows);
  for (const char* text :
       {"TABLE v", "TABLE over", "TABLE guarded", "SELECT a ### b FROM t", "SELECT shape_area()"})
    EXPECT_EQ(reason(given, text), Reason::kPrimaryList) << text;
  EXPECT_EQ(reason(given, "SELECT lower('A') FROM t"), Reason::kRead);
  const auto cast =
      catalog({.primary_functions = {"read*"}}, {{kCast, 0, "from a to b", {kReader}}});
  EXPECT_EQ(reason(cast, "SELECT a FROM t"), Reason::kPrimaryList);
  EXPECT_EQ(cast->implicit_call().object, "from a to b");
}

TEST(RoutingLists, APrimaryRelationCountsThroughWhateverReadsIt) {  // A45, A56
  const std::vector<DependencyRow> rows{
      {kTable, 30001, "accounts"},
      {kTable, 30002, "plain"},
      {kView, 30003, "over", {kLower}, {30002, 30001}},
      {kView, 30004, "over_over", {}, {30003}},
      {kParent, 30005, "parted", {}, {30001}},
      {kPolicy, 30006, "guarded", {}, {30001}},
      {kForeignKey, 30007, "referenced", {}, {30001}},
      {kView, 30008, "beside", {}, {30002}},
      {kView, 30009, "writes", {kWriter}, {30001}},
  };
  const auto given = catalog({.primary_relations = {"accounts", "newer*"}}, rows);
  for (const char* name :
       {"accounts", "s.accounts", "over", "over_over", "parted", "guarded", "newer_than_rows"})
    EXPECT_EQ(reason(given, std::string("TABLE ") + name), Reason::kPrimaryList) << name;
  for (const char* name : {"plain", "beside", "referenced"})
    EXPECT_EQ(reason(given, std::string("TABLE ") + name), Reason::kRead) << name;
  EXPECT_EQ(reason(given, "TABLE writes"), Reason::kUnsafeView);
}

TEST(RoutingLists, AForeignTableIsReadOnReplicasOnlyWhenAskedFor) {  // A54
  const std::vector<DependencyRow> rows{{kForeignTable, 30001, "remote_orders"},
                                        {kForeignTable, 30002, "logs"},
                                        {kParent, 30003, "parted", {}, {30001}},
                                        {kParent, 30004, "mixed", {}, {30001, 30002}}};
  const auto given = catalog({.replica_relations = {"remote_*"}}, rows);
  EXPECT_EQ(reason(given, "TABLE remote_orders"), Reason::kRead);
  EXPECT_EQ(reason(given, "TABLE parted"), Reason::kRead);
  EXPECT_EQ(reason(given, "TABLE logs"), Reason::kPrimaryRelation);
  EXPECT_EQ(reason(given, "TABLE mixed"), Reason::kPrimaryRelation);
  EXPECT_EQ(reason(catalog({}, rows), "TABLE remote_orders"), Reason::kPrimaryRelation);
}

TEST(RoutingLists, NothingNamedIsReadOnAReplicaBeforeTheCatalogIsKnown) {  // G1, A42, A56
  const auto none = FunctionCatalog::not_loaded();
  EXPECT_FALSE(none->is_loaded());
  EXPECT_TRUE(catalog({})->is_loaded());
  EXPECT_EQ(reason(none, "TABLE t"), Reason::kCatalogLoading);
  EXPECT_EQ(reason(none, "SELECT f()"), Reason::kCatalogLoading);
  EXPECT_EQ(reason(none, "SELECT 1 + 2"), Reason::kCatalogLoading);
  EXPECT_EQ(reason(none, "SELECT 1 + 2"), Reason::kCatalogLoading);
  EXPECT_EQ(reason(none, "SELECT 1"), Reason::kRead);
  EXPECT_EQ(reason(none, "INSERT INTO t VALUES (1)"), Reason::kWrite);
  EXPECT_TRUE(none->may_touch_any_table(classify("SELECT f()")));
  EXPECT_TRUE(none->tables().read("t").whole_database);
}

}  // namespace
}  // namespace fairlead::sql
