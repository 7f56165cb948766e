#include "cluster/sync_rule.h"

#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

TEST(SyncRule, IsReadAsPeopleWriteIt) {
  EXPECT_EQ(parse_sync_rule("any 1").value(), (SyncRule{SyncRule::Method::kAny, 1}));
  EXPECT_EQ(parse_sync_rule("FIRST  2").value(), (SyncRule{SyncRule::Method::kFirst, 2}));
  EXPECT_EQ(parse_sync_rule("off").value(), SyncRule{});
}

TEST(SyncRule, WhatIsNoRuleIsAnError) {
  for (const char* text : {"", "any", "any ", "any 0", "any -1", "any 1x", "any 1 2", "some 1", "1",
                           "any1", "off 1", "any 99999999999", "first one"})
    EXPECT_FALSE(parse_sync_rule(text).has_value()) << text;
}

TEST(SyncRule, IsReadBackAsItWasWritten) {
  for (const char* text : {"off", "any 1", "first 16"})
    EXPECT_EQ(to_string(parse_sync_rule(text).value()), text);
}

TEST(SyncRule, NamesItsNodesInQuotesAndIsEmptyWithoutAny) {
  EXPECT_EQ(standby_names({SyncRule::Method::kAny, 1}, {"node2", "node3"}),
            "ANY 1 (\"node2\", \"node3\")");
  EXPECT_EQ(standby_names({SyncRule::Method::kFirst, 1}, {"node2"}), "FIRST 1 (\"node2\")");
  EXPECT_EQ(standby_names({SyncRule::Method::kAny, 1}, {}), "");
  EXPECT_EQ(standby_names({}, {"node2"}), "");
}

}  // namespace
}  // namespace fairlead::cluster
