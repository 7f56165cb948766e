#include "proxy/catalog_query.h"

#include <gtest/gtest.h>

#include "sql/classify.h"

namespace fairlead::proxy {
namespace {

using sql::FunctionVerdict;

const Row kMark{"3245.13562.-42",
                "7",
                std::nullopt,
                "1",
                "2",
                "3",
                "4",
                "5",
                "6",
                "7",
                "8",
                "9",
                "10",
                "11",
                "12",
                "13",
                "14"};

Row function(const char* name, const char* volatility, const char* language, const char* builtin,
             std::optional<std::string> extension = {}, const char* procedure = "f",
             const char* oid = "20000", std::optional<std::string> source = {}) {
  return {name,      volatility, language,         builtin, std::move(extension),
          procedure, oid,        std::move(source)};
}

Row dependency(const char* kind, const char* oid, const char* name,
               std::optional<std::string> functions = {},
               std::optional<std::string> relations = {}) {
  return {kind, oid, name, std::move(functions), std::move(relations)};
}

TEST(ReadCatalog, EveryColumnOfARowCounts) {
  const auto loaded = read_catalog(
      std::vector<Row>{kMark, function("lower", "i", "internal", "t"),
                       function("writer", "v", "plpgsql", "f"), function("in_c", "i", "c", "f"),
                       function("only_called", "v", "plpgsql", "f", {}, "t")},
      7);
  ASSERT_TRUE(loaded.has_value()) << describe(loaded.error());
  EXPECT_EQ(loaded->functions->generation(), 7U);
  EXPECT_EQ(loaded->functions->verdict("lower"), FunctionVerdict::kSafe);
  EXPECT_EQ(loaded->functions->verdict("writer"), FunctionVerdict::kVolatile);
  EXPECT_EQ(loaded->functions->verdict("in_c"), FunctionVerdict::kUntrusted);
  EXPECT_EQ(loaded->functions->verdict("only_called"), FunctionVerdict::kUnknown);
}

TEST(ReadCatalog, ReadsTheSourceOfAFunction) {  // C4
  const auto opaque = [](const char* source) {
    const auto loaded = read_catalog(
        std::vector<Row>{kMark, function("f", "v", "plpgsql", "f", {}, "f", "20000", source)}, 1);
    return sql::decide(sql::classify("SELECT f()"), loaded->functions.get()).opaque;
  };
  EXPECT_TRUE(opaque("BEGIN SET a.b = 1; END"));
  EXPECT_FALSE(opaque("BEGIN RETURN 1; END"));
}

TEST(ReadCatalog, TheWorstFunctionOfANameDecides) {
  // As an aggregate and its transition function come.
  const auto loaded = read_catalog(std::vector<Row>{kMark, function("agg", "i", "internal", "f"),
                                                    function("agg", "v", "plpgsql", "f")},
                                   1);
  EXPECT_EQ(loaded->functions->verdict("agg"), FunctionVerdict::kVolatile);
}

TEST(ReadCatalog, AMissingOrOddRowIsAnErrorAndNotASmallerCatalog) {
  const Row good = function("lower", "i", "internal", "t");
  EXPECT_FALSE(read_catalog({}, 1).has_value());
  EXPECT_FALSE(read_catalog(std::vector<Row>{kMark}, 1).has_value());
  for (size_t i = 0; i < good.size(); ++i) {
    if (i == 4 || i == 7) continue;  // The extension and the source may be NULL.
    Row bad = good;
    bad[i].reset();
    EXPECT_FALSE(read_catalog(std::vector<Row>{kMark, good, bad}, 1).has_value()) << i;
  }
  EXPECT_FALSE(
      read_catalog(std::vector<Row>{kMark, Row(good.begin(), good.end() - 1)}, 1).has_value());
}

TEST(ReadCatalog, MoreFunctionsThanTheLimitAreNoCatalogAtAll) {
  std::vector<Row> rows(kFunctionsMax + 2, function("lower", "i", "internal", "t"));
  rows[0] = kMark;
  const auto loaded = read_catalog(rows, 1);
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, ErrorCode::kLimitExceeded);
  EXPECT_NE(kFunctionsSql.find(std::to_string(kFunctionsMax + 1)), std::string_view::npos);
}

TEST(ReadCatalog, DependenciesFollowTheFunctions) {  // A41, A45, A50, A52, A54
  const auto loaded =
      read_catalog(std::vector<Row>{kMark, function("lower", "i", "internal", "t", {}, "f", "870"),
                                    function("writer", "v", "plpgsql", "f", {}, "f", "4294967295"),
                                    dependency("x", "20001", "counters"),
                                    dependency("v", "20002", "over", "870", "20009 20001"),
                                    dependency("v", "20003", "calls", "870 4294967295"),
                                    dependency("p", "20004", "guarded", "4294967295"),
                                    dependency("o", "0", "###", "4294967295"),
                                    dependency("c", "20005", "from a to b", "4294967295")},
                   1);
  ASSERT_TRUE(loaded.has_value()) << describe(loaded.error());
  const auto& catalog = *loaded->functions;
  EXPECT_EQ(catalog.relation_reason("counters"), sql::Reason::kPrimaryRelation);
  EXPECT_EQ(catalog.relation_reason("over"), sql::Reason::kPrimaryRelation);
  EXPECT_EQ(catalog.relation_reason("calls"), sql::Reason::kUnsafeView);
  EXPECT_EQ(catalog.relation_reason("guarded"), sql::Reason::kUnsafePolicy);
  EXPECT_EQ(catalog.relation_reason("lower"), sql::Reason::kUnknownRelation);
  EXPECT_TRUE(catalog.is_unsafe_operator("###"));
  EXPECT_EQ(catalog.implicit_call().reason, sql::Reason::kUnsafeCast);
  EXPECT_EQ(catalog.implicit_call().object, "from a to b");
}

TEST(ReadCatalog, AnOddDependencyIsAnErrorAndNotASmallerCatalog) {
  const Row lower = function("lower", "i", "internal", "t");
  for (const Row& odd :
       {dependency("", "1", "a"), dependency("z", "1", "a"), dependency("vv", "1", "a"),
        dependency("v", "", "a"), dependency("v", "x", "a"), dependency("v", "1", "a", "2,3"),
        dependency("v", "1", "a", "2  3"), dependency("v", "1", "a", {}, "-1"),
        dependency("v", "1", "a", {}, "4294967296"), Row{"v", "1", std::nullopt, "1", "1"},
        Row{"counters"}, Row{}})
    EXPECT_FALSE(read_catalog(std::vector<Row>{kMark, lower, odd}, 1).has_value());
}

TEST(ReadCatalog, MoreDependenciesThanTheLimitAreNoCatalogAtAll) {
  std::vector<Row> rows(kDependenciesMax + 3, dependency("x", "20001", "counters"));
  rows[0] = kMark;
  rows[1] = function("lower", "i", "internal", "t");
  EXPECT_EQ(read_catalog(rows, 1).error().code, ErrorCode::kLimitExceeded);
  EXPECT_NE(kDependenciesSql.find(std::to_string(kDependenciesMax + 1)), std::string_view::npos);
}

TEST(ReadMark, DiffersWhenAnyOfItsPartsDoes) {
  const auto mark = read_mark(std::vector<Row>{kMark});
  ASSERT_TRUE(mark.has_value());
  for (size_t i = 0; i < kMark.size(); ++i) {
    Row other = kMark;
    other[i] = "another";
    EXPECT_NE(read_mark(std::vector<Row>{other}).value(), *mark);
  }
}

}  // namespace
}  // namespace fairlead::proxy
