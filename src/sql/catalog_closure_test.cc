#include "sql/catalog_closure.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace fairlead::sql {
namespace {

using enum DependencyKind;

enum Oid : uint32_t {
  kLower = 870,
  kNextval = 1574,
  kCurrentSetting = 2077,
  kStatActivity = 2022,
  kWriter = 20001,
  kReader = 20002,
  kInC = 20003,
  kEstimator = 20004,
};

const std::vector<FunctionRow>& functions() {
  static const std::vector<FunctionRow> rows = {
      {.name = "lower",
       .volatility = 'i',
       .language = "internal",
       .is_builtin = true,
       .oid = kLower},
      {.name = "nextval", .language = "internal", .is_builtin = true, .oid = kNextval},
      {.name = "current_setting",
       .volatility = 's',
       .language = "internal",
       .is_builtin = true,
       .oid = kCurrentSetting},
      {.name = "pg_stat_get_activity",
       .volatility = 's',
       .language = "internal",
       .is_builtin = true,
       .oid = kStatActivity},
      {.name = "writer", .language = "plpgsql", .oid = kWriter},
      {.name = "reader", .volatility = 's', .language = "plpgsql", .oid = kReader},
      {.name = "in_c", .volatility = 'i', .language = "c", .oid = kInC},
      {.name = "estimator", .language = "c", .extension = "postgis", .oid = kEstimator},
  };
  return rows;
}

CatalogClosure closed(const std::vector<DependencyRow>& rows) {
  return close_over(functions(), rows);
}

DependencyRow view(uint32_t oid, std::string_view name, std::vector<uint32_t> calls,
                   std::vector<uint32_t> reads = {}) {
  return {kView, oid, name, std::move(calls), std::move(reads)};
}

Reason reason(const CatalogClosure& closure, std::string_view name) {
  const auto found = closure.relations.find(name);
  return found == closure.relations.end() ? Reason::kRead : found->second;
}

TEST(CatalogClosure, JudgesAViewByTheFunctionsThatItCalls) {  // A45
  const auto closure =
      closed({view(30001, "harmless", {kLower, kReader}), view(30002, "writes", {kLower, kWriter}),
              view(30003, "counts", {kNextval}), view(30004, "watches", {kStatActivity}),
              view(30005, "in_c", {kInC}), view(30006, "newer", {99999})});
  EXPECT_EQ(reason(closure, "harmless"), Reason::kRead);
  for (const char* name : {"writes", "counts", "watches", "in_c", "newer"})
    EXPECT_EQ(reason(closure, name), Reason::kUnsafeView) << name;
}

TEST(CatalogClosure, FollowsViewsToAnyDepthWhateverTheirOrder) {  // A45
  std::vector<DependencyRow> rows;
  static std::vector<std::string> names;
  names.clear();
  for (uint32_t i = 0; i < 1000; ++i) names.push_back("v" + std::to_string(i));
  for (uint32_t i = 0; i < 999; ++i) rows.push_back(view(30000 + i, names[i], {}, {30001 + i}));
  rows.push_back(view(30999, names[999], {kWriter}));
  for (const std::string& name : names)
    EXPECT_EQ(reason(closed(rows), name), Reason::kUnsafeView) << name;
}

TEST(CatalogClosure, EndsWhereRelationsReadEachOther) {
  // A policy may ask its own table, by way of a view.
  const auto closure =
      closed({{kPolicy, 30001, "t", {kWriter}, {30002}}, view(30002, "v", {}, {30001})});
  EXPECT_EQ(reason(closure, "t"), Reason::kUnsafePolicy);
  EXPECT_EQ(reason(closure, "v"), Reason::kUnsafePolicy);
  EXPECT_EQ(closed({view(30001, "a", {}, {30002}), view(30002, "b", {}, {30001})}).relations.size(),
            0U);
}

TEST(CatalogClosure, CarriesWhatReplicasLackUpToViewsAndParents) {  // A50, A52, A54
  const auto closure = closed({{kReplicaLacks, 30001, "unlogged"},
                               {kParent, 30002, "parted", {}, {30001, 30009}},
                               view(30003, "over", {}, {30002}),
                               view(30004, "beside", {}, {30009})});
  for (const char* name : {"unlogged", "parted", "over"})
    EXPECT_EQ(reason(closure, name), Reason::kPrimaryRelation) << name;
  EXPECT_EQ(reason(closure, "beside"), Reason::kRead);
}

TEST(CatalogClosure, LeavesAReadAloneWhereOnlyAWriteReachesWhatReplicasLack) {  // A50, A55
  const auto closure = closed({{kReplicaLacks, 30001, "unlogged"},
                               {kForeignKey, 30002, "referenced", {}, {30001}},
                               {kRule, 30003, "ruled_or_materialized", {}, {30001}},
                               {kWriteExpression, 30004, "checked", {}, {30001}}});
  EXPECT_EQ(closure.relations, (ReasonsByName{{"unlogged", Reason::kPrimaryRelation}}));
}

TEST(CatalogClosure, TakesAViewOfTheCatalogForTheCatalog) {  // A53
  const auto closure =
      closed({view(30001, "tables", {}, {1259}), view(30002, "over", {}, {30001})});
  EXPECT_EQ(reason(closure, "tables"), Reason::kSystemCatalog);
  EXPECT_EQ(reason(closure, "over"), Reason::kSystemCatalog);
}

TEST(CatalogClosure, JudgesATableByItsPolicies) {  // A41
  const auto closure = closed({{kPolicy, 30001, "owned", {kCurrentSetting, kLower}},
                               {kPolicy, 30002, "watched", {kWriter}}});
  EXPECT_EQ(reason(closure, "owned"), Reason::kRead);
  EXPECT_EQ(reason(closure, "watched"), Reason::kUnsafePolicy);
}

TEST(CatalogClosure, JudgesAnOperatorByTheWorstOfItsName) {  // A41
  const auto closure = closed({{kOperator, 0, "+", {kReader}},
                               {kOperator, 0, "###", {kReader, kWriter}},
                               {kOperator, 0, "@@@", {kInC}},
                               {kOperator, 0, "&&", {kLower, kEstimator}}});
  EXPECT_FALSE(closure.operators.contains("+"));
  EXPECT_TRUE(closure.operators.contains("###"));
  EXPECT_TRUE(closure.operators.contains("@@@"));
  EXPECT_FALSE(closure.operators.contains("&&"));  // Of a reviewed extension, without a label.
}

TEST(CatalogClosure, TellsWhatNoTextNames) {  // A41
  const auto implicit = [](DependencyKind kind, uint32_t function) {
    return closed({{kind, 0, "harmless", {kLower}}, {kind, 0, "it", {kLower, function}}}).implicit;
  };
  for (const auto [kind, expected] : {std::pair{kCast, Reason::kUnsafeCast},
                                      {kType, Reason::kUnsafeType},
                                      {kDomain, Reason::kUnsafeDomain},
                                      {kOperatorClass, Reason::kUnsafeOperatorClass}}) {
    EXPECT_EQ(implicit(kind, kWriter).reason, expected);
    EXPECT_EQ(implicit(kind, kInC).reason, expected);
    EXPECT_EQ(implicit(kind, kWriter).object, "it");
    EXPECT_EQ(implicit(kind, kReader).reason, Reason::kRead);
  }
  EXPECT_EQ(implicit(kType, kEstimator).reason, Reason::kRead);
  EXPECT_EQ(implicit(kDomain, kEstimator).reason, Reason::kUnsafeDomain);  // A plain call.
}

TEST(CatalogClosure, CountsTheDefaultsOfArguments) {  // A40
  const auto closure = closed({{kDefaults, kReader, "reader", {kLower}},
                               {kDefaults, kLower, "lower", {kNextval}},
                               view(30001, "calls", {kReader})});
  EXPECT_EQ(closure.functions, (ReasonsByName{{"lower", Reason::kVolatileFunction},
                                              {"reader", Reason::kVolatileFunction}}));
  EXPECT_EQ(reason(closure, "calls"), Reason::kUnsafeView);
}

}  // namespace
}  // namespace fairlead::sql
