#include "cluster/standby_list.h"

#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

using Method = SyncRule::Method;

StandbyList read(std::string_view setting) {
  const auto list = parse_standby_names(setting);
  EXPECT_TRUE(list.has_value()) << setting;
  return list.value_or(StandbyList{});
}

TEST(StandbyList, ReadsEveryFormOfTheSetting) {
  EXPECT_EQ(read(""), StandbyList{});
  EXPECT_EQ(read("node2"), (StandbyList{{Method::kFirst, 1}, {"node2"}, false}));
  EXPECT_EQ(read("a, B"), (StandbyList{{Method::kFirst, 1}, {"a", "b"}, false}));
  EXPECT_EQ(read("2 (a,b,c)"), (StandbyList{{Method::kFirst, 2}, {"a", "b", "c"}, false}));
  EXPECT_EQ(read("First 2 (a, b)"), (StandbyList{{Method::kFirst, 2}, {"a", "b"}, false}));
  EXPECT_EQ(read("ANY 1 (\"node2\", \"no\"\"de, 3\")"),
            (StandbyList{{Method::kAny, 1}, {"node2", "no\"de, 3"}, false}));
  EXPECT_EQ(read("ANY 2 (*)"), (StandbyList{{Method::kAny, 2}, {}, true}));
  EXPECT_EQ(read("any, first"), (StandbyList{{Method::kFirst, 1}, {"any", "first"}, false}));
}

TEST(StandbyList, WhatPostgresRefusesIsAnError) {
  for (const char* text : {",", "a,", "a b", "ANY 1 (a", "ANY 1 ()", "ANY 0 (a)", "ANY (a)", "\"a",
                           "ANY 1 a", "1 (a,)", "1 (a) b", "(a)"})
    EXPECT_FALSE(parse_standby_names(text).has_value()) << text;
}

TEST(StandbyList, NamesAreComparedWithoutRegardToCase) {
  EXPECT_TRUE(read("Node2").lists("nODE2"));
  EXPECT_FALSE(read("node2").lists("node3"));
  EXPECT_TRUE(read("*").lists("node3"));
}

}  // namespace
}  // namespace fairlead::cluster
