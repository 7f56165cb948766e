// switchover on real servers: no row is lost, the pause is short, and what stands in the way is
// named and leaves everything as it was.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "cluster/change_sync.h"
#include "cluster/commands.h"
#include "cluster/switchover.h"
#include "testing/eventually.h"
#include "testing/killed_child.h"
#include "testing/sql.h"
#include "testing/test_cluster.h"

namespace fairlead::test {
namespace {

using namespace std::chrono_literals;
using cluster::StopFlag;
using cluster::Switchover;
using cluster::SwitchoverRequest;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

const StopFlag kNever = false;

void any_1(cluster::ClusterSpec& spec) { spec.sync = {cluster::SyncRule::Method::kAny, 1}; }

class RealSwitchover : public ::testing::Test {
 protected:
  RealSwitchover() {
    Sql(servers_.app()).run("CREATE TABLE t AS SELECT generate_series(1, 7) AS n");
    servers_.await_replay();
  }

  Result<Switchover> switchover(const SwitchoverRequest& request = {}) {
    cluster::SilentProgress silent;
    return cluster::switchover(servers_.dir(), request, silent, kNever);
  }

  void expect_whole(size_t primary, const std::string& after = "") {
    const auto now = cluster::load(servers_.dir());
    ASSERT_NE(now->primary(), nullptr) << after;
    EXPECT_EQ(now->primary()->name, servers_.node(primary).name) << after;
    EXPECT_FALSE(now->state.operation.has_value()) << after;
    Sql sql(servers_.superuser(primary));
    EXPECT_TRUE(eventually([&] {
      return sql.value("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == "2";
    })) << after;
    EXPECT_EQ(sql.value("SELECT coalesce(current_setting('fairlead.hold_writes_until', true), '')"),
              "")
        << after;
    for (size_t node = 0; node < 3; ++node) {
      EXPECT_EQ(value(servers_.app(node), "SELECT count(*) FROM t"), "7") << after;
      EXPECT_EQ(value(servers_.superuser(node), "SELECT count(*) FROM pg_replication_slots"),
                node == primary ? "2" : "0")
          << after << servers_.node(node).name;
    }
  }

  TestCluster servers_{2, any_1};
};

// E26: there and back again, with everything and everybody.
TEST_F(RealSwitchover, TheRolesChangeAndEverybodyFollows) {
  const auto there = switchover({.to = "node3"});
  ASSERT_TRUE(there.has_value()) << describe(there.error());
  EXPECT_EQ(there->node, "node3");
  EXPECT_THAT(there->followers, UnorderedElementsAre("node1", "node2"));
  EXPECT_GT(there->pause, Duration{0});
  expect_whole(2);
  const auto back = switchover({.to = "node1"});
  ASSERT_TRUE(back.has_value()) << describe(back.error());
  expect_whole(0);
}

TEST_F(RealSwitchover, ATransactionThatDoesNotEndIsNamedAndNothingIsChanged) {
  Sql busy(servers_.app());
  busy.run("BEGIN; INSERT INTO t VALUES (8)");
  const auto refused = switchover({.timeout = 300ms});
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().detail, HasSubstr("of app"));
  EXPECT_THAT(refused.error().detail, HasSubstr("idle in transaction"));
  busy.run("ROLLBACK");  // It was not disturbed.
  expect_whole(0);
}

TEST_F(RealSwitchover, AProxyThatDoesNotHoldIsWaitedFor) {
  Sql monitor(servers_.app());
  monitor.run("SET application_name = 'fairlead-monitor'");
  const auto refused = switchover({.timeout = 300ms});
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().detail, HasSubstr("1 proxies do not hold yet"));
  expect_whole(0);
  monitor.run("SET application_name = 'fairlead-monitor-holding'");
  EXPECT_TRUE(switchover().has_value());
}

TEST_F(RealSwitchover, AReplicaThatDoesNotStreamOrReplayIsRefused) {
  EXPECT_THAT(switchover({.to = "node1"}).error().message, HasSubstr("is the primary already"));
  servers_.pause_replay(1);
  Sql(servers_.app())
      .run("CREATE TABLE big AS SELECT repeat('x', 100) FROM generate_series(1, 50000)");
  const auto far = switchover({.to = "node2", .timeout = 300ms});
  ASSERT_FALSE(far.has_value());
  EXPECT_THAT(far.error().message, HasSubstr("node2 stays"));
  servers_.resume_replay(1);
  servers_.stop(1);
  EXPECT_THAT(switchover({.to = "node2"}).error().message, HasSubstr("node2 does not stream"));
}

// E11: node3 is named by the rule and down, so commits wait for the old primary to come back.
TEST_F(RealSwitchover, AReplicaThatIsDownDoesNotKeepTheNewPrimaryFromWriting) {
  servers_.stop(2);
  const auto done = switchover();
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  EXPECT_EQ(done->node, "node2");
  EXPECT_LT(done->pause, 10s);
  expect_whole(1);
}

TEST_F(RealSwitchover, AReplicaWhoseDataIsGoneHoldsNobodyUpAndNeedsARejoin) {
  servers_.stop(2);
  std::filesystem::remove_all(servers_.node(2).data_dir);
  const auto done = switchover();
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  EXPECT_EQ(done->node, "node2");
  EXPECT_THAT(done->followers, UnorderedElementsAre("node1"));
  EXPECT_THAT(done->need_rejoin, UnorderedElementsAre("node3"));
  Sql(servers_.app(1)).run("INSERT INTO t VALUES (8)");
}

TEST_F(RealSwitchover, TooFewReplicasForTheRuleAreNamedAndNothingIsChanged) {
  cluster::SilentProgress silent;
  ASSERT_TRUE(
      cluster::change_sync(servers_.dir(), {cluster::SyncRule::Method::kAny, 2}, silent, kNever)
          .has_value());
  servers_.stop(2);
  const auto refused = switchover();
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("commits wait for 2 replicas, and 1 stream"));
  servers_.start(2);
  expect_whole(0);
}

constexpr size_t kStopStep = 7;
constexpr size_t kProveStep = 12;

TEST_F(RealSwitchover, AReplicaThatDiesOnTheWayDelaysWritesAndStopsNothing) {
  AtStep kills(kStopStep, [&] { servers_.kill(2); });
  const auto done = cluster::switchover(servers_.dir(), {.to = "node2"}, kills, kNever);
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  expect_whole(1);
}

// Behind the promotion there is no way back, and nobody is held up by who cannot follow.
TEST_F(RealSwitchover, AnOldPrimaryThatDoesNotStartAgainNeedsARejoin) {
  AtStep breaks(kProveStep, [&] {
    const std::string file = servers_.node(0).data_dir + "/global/pg_control";
    std::filesystem::rename(file, file + ".away");
  });
  const auto done = cluster::switchover(servers_.dir(), {.to = "node2"}, breaks, kNever);
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  EXPECT_THAT(done->followers, UnorderedElementsAre("node3"));
  EXPECT_THAT(done->need_rejoin, UnorderedElementsAre("node1"));
  EXPECT_FALSE(cluster::load(servers_.dir())->state.operation.has_value());
  Sql(servers_.app(1)).run("INSERT INTO t VALUES (8)");
}

TEST_F(RealSwitchover, ANewPrimaryThatDiedWithTheCommandIsStartedByTheNextOne) {
  run_and_kill(kProveStep, 0us, [&](cluster::ProgressSink& sink) {
    (void)cluster::switchover(servers_.dir(), {.to = "node2"}, sink, kNever);
  });
  servers_.kill(1);
  cluster::SilentProgress silent;
  const auto started = cluster::start(servers_.dir(), silent, kNever);
  ASSERT_TRUE(started.has_value()) << describe(started.error());
  expect_whole(1);
}

TEST_F(RealSwitchover, KilledAtEachStepItIsTakenBackOrFinishedByTheNextCommand) {
  constexpr std::chrono::microseconds kDelays[] = {0us, 20ms, 60ms};
  for (size_t step = 1; step <= 18; ++step) {
    run_and_kill(step, kDelays[step % 3], [&](cluster::ProgressSink& sink) {
      (void)cluster::switchover(servers_.dir(), {}, sink, kNever);
    });
    const std::string at = fmt::format("killed at step {}", step);
    cluster::SilentProgress silent;
    const auto started = cluster::start(servers_.dir(), silent, kNever);
    ASSERT_TRUE(started.has_value()) << at << ": " << describe(started.error());
    const auto now = cluster::load(servers_.dir());
    ASSERT_NE(now->primary(), nullptr) << at;
    expect_whole(static_cast<size_t>(now->primary() - now->nodes.data()), at);
  }
}

}  // namespace
}  // namespace fairlead::test
