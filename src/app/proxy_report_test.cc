#include "app/proxy_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

proxy::Stats two_replicas_one_down() {
  proxy::Stats stats;
  stats.clients = 712;
  stats.nodes = {{.name = "db1:5432", .role = "primary", .state = "up", .reason = "the primary"},
                 {.name = "db2:5432",
                  .role = "replica",
                  .state = "up",
                  .lag_bytes = 3481,
                  .lag = 8ms,
                  .usable_for_reads = true},
                 {.name = "db10:5432",
                  .role = "replica",
                  .state = "down",
                  .lag = 9s,
                  .reason = "connection refused"}};
  return stats;
}

TEST(ShortTime, ShowsAsManyDigitsAsAReaderNeeds) {
  EXPECT_EQ(short_time(0us), "0 ms");
  EXPECT_EQ(short_time(400us), "0.4 ms");
  EXPECT_EQ(short_time(8ms), "8.0 ms");
  EXPECT_EQ(short_time(42ms), "42 ms");
  EXPECT_EQ(short_time(1200ms), "1.2 s");
  EXPECT_EQ(short_time(180s), "3.0 min");
}

TEST(ShortSize, CountsInPowersOf1024) {
  EXPECT_EQ(short_size(0), "0 B");
  EXPECT_EQ(short_size(1023), "1023 B");
  EXPECT_EQ(short_size(3481), "3.4 KiB");
  EXPECT_EQ(short_size(16 << 20), "16 MiB");
}

TEST(PortLines, NameEachPortWithItsPurpose) {
  EXPECT_THAT(
      port_lines("127.0.0.1", {6432, 6433, 6434}),
      ElementsAre("127.0.0.1:6432  automatic: reads to replicas, all else to the primary",
                  "127.0.0.1:6433  reads only, on replicas", "127.0.0.1:6434  the primary only"));
  EXPECT_TRUE(port_lines("::1", {1, 2, 3}).front().starts_with("[::1]:1 "));
}

TEST(NodeLines, TellWhyANodeServesNoReads) {
  EXPECT_THAT(node_lines(two_replicas_one_down()),
              ElementsAre("db1:5432   primary", "db2:5432   replica, 3.4 KiB behind",
                          "db10:5432  replica, down, serves no reads: connection refused"));
}

TEST(StatusLine, CountsUsableReplicasAndTheirWorstLag) {
  EXPECT_EQ(status_line(two_replicas_one_down()), "712 clients, 1/2 replicas, lag 8.0 ms");
}

TEST(StatusLine, ShoutsWhenThereIsNoPrimary) {
  proxy::Stats stats = two_replicas_one_down();
  stats.clients = 1;
  stats.nodes.erase(stats.nodes.begin());
  EXPECT_EQ(status_line(stats), "1 client, 1/2 replicas, lag 8.0 ms, NO PRIMARY");
}

}  // namespace
}  // namespace fairlead::app
