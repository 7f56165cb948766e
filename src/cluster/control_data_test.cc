#include "cluster/control_data.h"

#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

constexpr const char* kText =
    "pg_control version number:            1300\n"
    "Database system identifier:           7350000000000000001\n"
    "Database cluster state:               shut down\n"
    "Latest checkpoint location:           0/B000028\n"
    "Latest checkpoint's REDO location:    0/B000028\n"
    "Latest checkpoint's TimeLineID:       3\n"
    "Latest checkpoint's PrevTimeLineID:   2\n";

TEST(ControlData, IsReadFromTheTextOfPgControldata) {
  const auto data = parse_control_data(kText);
  ASSERT_TRUE(data.has_value());
  EXPECT_EQ(*data, (ControlData{"7350000000000000001", "shut down", Lsn{0xB000028}, 3}));
  EXPECT_TRUE(data->is_clean_primary());
}

TEST(ControlData, OnlyAPrimaryThatWasShutDownIsClean) {
  for (const char* state : {"in production", "shut down in recovery", "in crash recovery",
                            "shutting down", "in archive recovery"}) {
    std::string text = kText;
    text.replace(text.find("shut down"), 9, state);
    EXPECT_FALSE(parse_control_data(text)->is_clean_primary()) << state;
  }
}

TEST(ControlData, ATextWithoutALineThatIsNeededIsAnError) {
  for (const char* line : {"Database system", "Database cluster", "Latest checkpoint location",
                           "Latest checkpoint's TimeLineID"}) {
    std::string text = kText;
    text.replace(text.find(line), 1, "?");
    EXPECT_FALSE(parse_control_data(text).has_value()) << line;
  }
}

}  // namespace
}  // namespace fairlead::cluster
