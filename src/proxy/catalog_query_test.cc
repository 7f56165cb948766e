#include "proxy/catalog_query.h"

#include <gtest/gtest.h>

namespace fairlead::proxy {
namespace {

using sql::FunctionVerdict;

const Row kMark{"3245", "13562", "-42", "7", std::nullopt};

Row function(const char* name, const char* volatility, const char* language, const char* builtin,
             std::optional<std::string> extension = {}, const char* procedure = "f") {
  return {name, volatility, language, builtin, std::move(extension), procedure};
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
    if (i == 4) continue;  // The extension may be NULL.
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

TEST(ReadCatalog, RelationsOfThePrimaryFollowTheFunctions) {  // A50, A52, A54
  const Row lower = function("lower", "i", "internal", "t");
  const auto loaded =
      read_catalog(std::vector<Row>{kMark, lower, Row{"counters"}, Row{"elsewhere"}}, 1);
  ASSERT_TRUE(loaded.has_value()) << describe(loaded.error());
  EXPECT_TRUE(loaded->functions->is_primary_relation("counters"));
  EXPECT_TRUE(loaded->functions->is_primary_relation("elsewhere"));
  EXPECT_FALSE(loaded->functions->is_primary_relation("lower"));
  EXPECT_FALSE(read_catalog(std::vector<Row>{kMark, lower, Row{std::nullopt}}, 1).has_value());
  std::vector<Row> rows(kPrimaryRelationsMax + 3, Row{"counters"});
  rows[0] = kMark;
  rows[1] = lower;
  EXPECT_EQ(read_catalog(rows, 1).error().code, ErrorCode::kLimitExceeded);
  EXPECT_NE(kPrimaryRelationsSql.find(std::to_string(kPrimaryRelationsMax + 1)),
            std::string_view::npos);
}

TEST(ReadMark, DiffersWhenAnyOfItsPartsDoes) {
  const auto mark = read_mark(std::vector<Row>{kMark});
  ASSERT_TRUE(mark.has_value());
  for (size_t i = 0; i < kMark.size(); ++i) {
    Row other = kMark;
    other[i] = "1";
    EXPECT_NE(read_mark(std::vector<Row>{other}).value(), *mark);
  }
}

}  // namespace
}  // namespace fairlead::proxy
