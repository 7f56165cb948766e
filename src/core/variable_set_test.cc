#include "core/variable_set.h"

#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

constexpr HashKey kSetKey{.low = 1, .high = 2};

Setting setting_of(std::string_view text) { return Setting::from_value(text, "UTF8"); }

TEST(VariableSet, IsEqualToAnotherWithTheSameContent) {
  const VariableSet a({{"work_mem", setting_of("1MB")}, {"app.x", setting_of("1")}});
  const VariableSet b({{"app.x", setting_of("1")}, {"work_mem", setting_of("1MB")}});
  EXPECT_EQ(a, b);
  EXPECT_EQ(VariableSet(), VariableSet(std::vector<VariableSet::Entry>{}));
  EXPECT_NE(a, VariableSet());
  EXPECT_NE(VariableSet(), a);
  EXPECT_NE(a, a.with("app.x", setting_of("2")));
  EXPECT_NE(a, a.with("app.y", setting_of("1")));
  EXPECT_NE(a, a.without("app.x"));
  EXPECT_EQ(a.without("app.x").without("work_mem"), VariableSet());
  EXPECT_EQ(a.without("app.z"), a);
}

TEST(VariableSet, SharesItsContentWithItsEquals) {
  std::vector<VariableSet> all;
  for (int i = 0; i < 5; ++i) all.push_back(VariableSet({{"a", setting_of("1")}}));
  EXPECT_FALSE(all[0].shares_with(all[1]));
  for (VariableSet& one : all)  // In any order of comparisons, all of them end up with one.
    for (VariableSet& other : all) EXPECT_TRUE(one.share_if_equal(other));
  for (const VariableSet& one : all) EXPECT_TRUE(one.shares_with(all[0]));

  VariableSet none;
  VariableSet other({{"a", setting_of("2")}});
  EXPECT_FALSE(none.share_if_equal(all[0]));
  EXPECT_FALSE(other.share_if_equal(all[0]));
  EXPECT_TRUE(VariableSet().share_if_equal(none));
  EXPECT_EQ(other.find("a")->text(), "2");
  EXPECT_TRUE(none.empty());
}

TEST(VariableSet, KeepsTheLastOfTwoValuesOfOneName) {
  const VariableSet set({{"a", setting_of("1")}, {"b", setting_of("2")}, {"a", setting_of("3")}});
  EXPECT_EQ(set.size(), 2u);
  EXPECT_EQ(set.find("a")->text(), "3");
  EXPECT_EQ(set.find("c"), nullptr);
}

TEST(VariableSet, TellsEncodingsAndUnknownsApart) {
  const auto latin = VariableSet({{"a", Setting::from_value("\xe9", "LATIN1")}});
  const auto latin9 = VariableSet({{"a", Setting::from_value("\xe9", "LATIN9")}});
  EXPECT_NE(latin, latin9);
  const auto unknown = VariableSet({{"a", Setting::unknown()}});
  EXPECT_NE(unknown, VariableSet({{"a", setting_of("")}}));
  EXPECT_TRUE(unknown.has_unknown());
  EXPECT_FALSE(latin.has_unknown());
}

TEST(ParseState, IsZeroUnlessSomethingIsSetThatParsingDependsOn) {
  EXPECT_EQ(parse_state_hash({}, kSetKey), 0u);
  EXPECT_EQ(parse_state_hash(VariableSet({{"work_mem", setting_of("1MB")}}), kSetKey), 0u);
}

// C10, and '01/02/2026'::date, which is read while parsing.
TEST(ParseState, DependsOnEverythingThatParsingLooksAt) {
  for (const std::string_view name :
       {"search_path", "role", "session_authorization", "standard_conforming_strings", "datestyle",
        "timezone", "intervalstyle", "client_encoding"}) {
    const auto one = parse_state_hash(VariableSet({{std::string(name), setting_of("a")}}), kSetKey);
    const auto two = parse_state_hash(VariableSet({{std::string(name), setting_of("b")}}), kSetKey);
    EXPECT_NE(one, 0u) << name;
    EXPECT_NE(one, two) << name;
  }
  EXPECT_NE(parse_state_hash(VariableSet({{"role", setting_of("a")}}), kSetKey),
            parse_state_hash(VariableSet({{"search_path", setting_of("a")}}), kSetKey));
}

TEST(ParseState, IsNotKnownWhenAValueIsNot) {
  EXPECT_EQ(parse_state_hash(VariableSet({{"search_path", Setting::unknown()}}), kSetKey),
            std::nullopt);
  EXPECT_EQ(parse_state_hash(VariableSet({{"app.x", Setting::unknown()}}), kSetKey), 0u);
}

}  // namespace
}  // namespace fairlead::core
