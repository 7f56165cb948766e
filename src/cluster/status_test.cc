#include "cluster/status.h"

#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

StatusRow primary(std::string name, uint32_t timeline, uint64_t position) {
  StatusRow row;
  row.name = std::move(name);
  row.role = Role::kPrimary;
  row.state = "running";
  row.timeline = timeline;
  row.replay_lsn = Lsn{position};
  return row;
}

StatusRow replica(std::string name, uint32_t timeline, uint64_t received, uint64_t replayed) {
  StatusRow row = primary(std::move(name), timeline, replayed);
  row.role = Role::kReplica;
  row.state = "streaming";
  row.receive_lsn = Lsn{received};
  row.lag_time = Duration{1'500'000};
  return row;
}

TEST(Status, AReplicaIsAsFarBehindAsItsPositionsSay) {
  std::vector<StatusRow> rows = {primary("node1", 2, 1000), replica("node2", 2, 990, 900)};
  compare_with_primary(rows, {{"node2", "quorum"}});
  EXPECT_EQ(rows[1].receive_lag_bytes, 10U);
  EXPECT_EQ(rows[1].lag_bytes, 100U);
  EXPECT_EQ(rows[1].lag_time, Duration{1'500'000});
  EXPECT_EQ(rows[1].sync_state, "quorum");
  EXPECT_FALSE(rows[0].lag_bytes.has_value());
}

TEST(Status, AReplicaThatHasEverythingIsNotLateHoweverOldItsLastTransactionIs) {
  std::vector<StatusRow> rows = {primary("node1", 2, 1000), replica("node2", 2, 1000, 1000),
                                 replica("node3", 2, 1010, 1010)};
  compare_with_primary(rows, {});
  for (const size_t i : {1, 2}) {
    EXPECT_EQ(rows[i].lag_bytes, 0U);
    EXPECT_EQ(rows[i].lag_time, Duration{0});
  }
}

TEST(Status, PositionsOfAnotherTimelineAreNotCompared) {  // D20
  std::vector<StatusRow> rows = {primary("node1", 3, 1000), replica("node2", 2, 990, 900)};
  compare_with_primary(rows, {});
  EXPECT_FALSE(rows[1].lag_bytes.has_value());
  EXPECT_FALSE(rows[1].lag_time.has_value());
}

TEST(Status, OfTwoPrimariesTheHigherTimelineCounts) {  // E2
  std::vector<StatusRow> rows = {primary("node1", 1, 5000), primary("node2", 2, 1000),
                                 replica("node3", 2, 1000, 990)};
  compare_with_primary(rows, {});
  ASSERT_NE(primary_of(rows), nullptr);
  EXPECT_EQ(primary_of(rows)->name, "node2");
  EXPECT_EQ(rows[0].state, "superseded");
  EXPECT_EQ(rows[1].state, "running");
  EXPECT_EQ(rows[2].lag_bytes, 10U);
}

TEST(Status, TwoPrimariesOfOneTimelineAreNone) {  // E2
  std::vector<StatusRow> rows = {primary("node1", 2, 5000), primary("node2", 2, 1000),
                                 primary("node3", 1, 9000), replica("node4", 2, 1000, 990)};
  compare_with_primary(rows, {});
  EXPECT_EQ(primary_of(rows), nullptr);
  EXPECT_FALSE(rows[3].lag_bytes.has_value());
}

TEST(Endpoint, QuotesAndEncodesWhatCouldBeMisread) {
  const Endpoint endpoint{"127.0.0.1", 5601, "a b", "p'\\w/@", "d?b"};
  EXPECT_EQ(endpoint.conninfo(),
            R"(host='127.0.0.1' port=5601 user='a b' password='p\'\\w/@' dbname='d?b')");
  EXPECT_EQ(endpoint.url(), "postgresql://a%20b:p%27%5Cw%2F%40@127.0.0.1:5601/d%3Fb");
}

TEST(Endpoint, WithoutAPasswordOneIsLookedFor) {  // To libpq an empty one would be one, too.
  const Endpoint endpoint{"127.0.0.1", 5601, "app", "", "db"};
  EXPECT_EQ(endpoint.conninfo(), "host='127.0.0.1' port=5601 user='app' dbname='db'");
}

}  // namespace
}  // namespace fairlead::cluster
