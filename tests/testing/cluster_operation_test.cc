// Operations on a cluster that exists, on real servers: recorded, killed at every step, and settled
// by the next command.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cluster/commands.h"
#include "cluster/files.h"
#include "cluster/open_cluster.h"
#include "cluster/postmaster.h"
#include "testing/eventually.h"
#include "testing/killed_child.h"
#include "testing/sql.h"
#include "testing/test_cluster.h"

namespace fairlead::test {
namespace {

using namespace std::chrono_literals;
using cluster::ClusterState;
using cluster::OpenCluster;
using cluster::Operation;
using cluster::OperationKind;
using cluster::Plan;
using cluster::StepKind;
using cluster::StopFlag;

const StopFlag kNever = false;

/// Before, in the middle of and perhaps behind a step.
constexpr std::chrono::microseconds kDelays[] = {0us, 30ms, 150ms};

/// As add-replica does it: node3, cloned from node1.
Result<void> add_node3(OpenCluster& open) {
  const Plan plan = {{StepKind::kClone, 2, 0}, {StepKind::kConfigure, 2, 0},
                     {StepKind::kStart, 2, 0}, {StepKind::kAwaitStreaming, 2, 0},
                     {StepKind::kAdmit, 2},    {StepKind::kReconfigure, 0, 0}};
  ClusterState next = open.state();
  next.nodes.push_back({"node3", 0, cluster::Standing::kJoining});
  return open.run(std::move(next),
                  cluster::operation_on(open.state(), 0, OperationKind::kAddReplica,
                                        "add-replica node3", plan));
}

/// As remove-replica does it: node2 leaves.
Result<void> remove_node2(OpenCluster& open) {
  const Plan plan = {{StepKind::kStop, 1},
                     {StepKind::kReconfigure, 0, 0},
                     {StepKind::kDropSlot, 1, 0},
                     {StepKind::kRemoveData, 1},
                     {StepKind::kForget, 1}};
  return open.run(open.state(),
                  cluster::operation_on(open.state(), 0, OperationKind::kRemoveReplica,
                                        "remove-replica node2", plan));
}

/// Remembers what was told.
class Notes final : public cluster::ProgressSink {
 public:
  void started(const cluster::StepView&) override {}
  void finished(const cluster::StepView&, Duration) override {}
  void failed(const cluster::StepView&, const Error&) override {}
  void noted(const std::string& text) override { text_ += text + "\n"; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class RealOperation : public ::testing::Test {
 protected:
  OpenCluster open() {
    auto opened = OpenCluster::open(servers_.dir(), notes_, kNever);
    if (!opened) ADD_FAILURE() << describe(opened.error());
    return std::move(opened.value());
  }

  void kill_during(size_t step, Result<void> (*change)(OpenCluster&)) {
    run_and_kill(step, kDelays[step % 3], [&](cluster::ProgressSink& sink) {
      auto opened = OpenCluster::open(servers_.dir(), sink, kNever);
      if (opened) (void)change(*opened);
    });
  }

  std::string slots() {
    return value(servers_.superuser(),
                 "SELECT coalesce(string_agg(slot_name, ' ' ORDER BY slot_name), '') FROM "
                 "pg_replication_slots");
  }

  void expect_streaming(const std::string& names, const std::string& after) {
    const auto rows = cluster::status(servers_.dir());
    ASSERT_TRUE(rows.has_value()) << after << ": " << describe(rows.error());
    std::string streaming;
    for (const auto& row : *rows)
      if (row.state == "streaming") streaming += (streaming.empty() ? "" : " ") + row.name;
    EXPECT_EQ(streaming, names) << after;
    EXPECT_EQ(slots(), names) << after;
  }

  bool node3_is_there() const { return cluster::exists(servers_.dir() + "/node3"); }

  TestCluster servers_{1};
  Notes notes_;
};

TEST_F(RealOperation, KillNineAtEachStepOfAnAdditionLeavesTheClusterAsItWas) {
  for (size_t step = 1; step <= 6; ++step) {
    const std::string at = fmt::format("killed at step {}", step);
    kill_during(step, add_node3);
    const bool recorded = cluster::load(servers_.dir())->state.operation.has_value();
    OpenCluster settled = open();
    EXPECT_FALSE(settled.state().operation.has_value()) << at;
    if (!recorded && settled.state().nodes.size() == 3) break;  // It was over before its end.
    if (recorded)
      EXPECT_NE(notes_.text().find("add-replica node3 was interrupted"), std::string::npos) << at;
    EXPECT_EQ(settled.state().nodes.size(), 2U) << at;
    EXPECT_FALSE(node3_is_there()) << at;
    EXPECT_TRUE(cluster::processes_in(servers_.dir() + "/node3").empty()) << at;
    EXPECT_TRUE(eventually([&] { return slots() == "node2"; })) << at;
    expect_streaming("node2", at);
  }
  if (cluster::load(servers_.dir())->nodes.size() == 2) {
    OpenCluster again = open();
    const auto added = add_node3(again);
    ASSERT_TRUE(added.has_value()) << describe(added.error());
  }
  expect_streaming("node2 node3", "after all");
}

TEST_F(RealOperation, KillNineAtEachStepOfARemovalIsTakenBackOrFinished) {
  for (size_t step = 1; step <= 5; ++step) {
    const std::string at = fmt::format("killed at step {}", step);
    kill_during(step, remove_node2);
    OpenCluster settled = open();
    EXPECT_FALSE(settled.state().operation.has_value()) << at;
    if (settled.state().nodes.size() == 2) {
      EXPECT_TRUE(eventually([&] {
        return value(servers_.superuser(), "SELECT count(*) FROM pg_stat_replication") == "1";
      })) << at;
      expect_streaming("node2", at);
      continue;
    }
    EXPECT_FALSE(cluster::exists(servers_.dir() + "/node2")) << at;
    EXPECT_TRUE(cluster::processes_in(servers_.dir() + "/node2").empty()) << at;
    expect_streaming("", at);
    return;
  }
}

TEST_F(RealOperation, AnErrorIsToldWithTheCauseAndEverythingIsTakenBack) {
  // A replica that cannot log in: pg_basebackup says why.
  Sql(servers_.superuser()).run("ALTER ROLE replicator PASSWORD 'another'");
  OpenCluster opened = open();
  const auto added = add_node3(opened);
  ASSERT_FALSE(added.has_value());
  EXPECT_NE(added.error().detail.find("password authentication failed"), std::string::npos)
      << describe(added.error());
  EXPECT_NE(added.error().detail.find("add-replica node3 was taken back"), std::string::npos);
  EXPECT_FALSE(opened.state().operation.has_value());
  EXPECT_EQ(opened.state().nodes.size(), 2U);
  EXPECT_FALSE(node3_is_there());
  EXPECT_EQ(slots(), "node2");
}

TEST_F(RealOperation, AStopRequestTakesBackWhatWasDone) {
  StopFlag stop = false;
  AtStep sink(4, [&stop] { stop = true; });
  auto opened = OpenCluster::open(servers_.dir(), sink, stop);
  ASSERT_TRUE(opened.has_value());
  const auto added = add_node3(*opened);
  if (added.has_value()) GTEST_SKIP() << "it was over before the flag was seen";
  EXPECT_EQ(added.error().code, ErrorCode::kQueryCanceled);
  EXPECT_FALSE(opened->state().operation.has_value());
  EXPECT_FALSE(node3_is_there());
  expect_streaming("node2", "stopped");
}

TEST_F(RealOperation, ARuleOfSynchronousReplicationIsInForceWhenTheStepIsDone) {
  OpenCluster opened = open();
  ClusterState next = opened.state();
  next.spec.sync = {cluster::SyncRule::Method::kAny, 1};
  const auto done = opened.run(
      next,
      cluster::operation_on(opened.state(), 0, OperationKind::kSync, "sync 'any 1'",
                            {{StepKind::kReconfigure, 0, 0}, {StepKind::kReconfigure, 1, 0}}));
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  EXPECT_EQ(value(servers_.superuser(), "SHOW synchronous_standby_names"), "ANY 1 (\"node2\")");
  EXPECT_TRUE(eventually([&] {
    return value(servers_.superuser(), "SELECT sync_state FROM pg_stat_replication") == "quorum";
  }));
}

TEST(RealSyncCluster, IsMadeWithItsRuleAndItsReplicasStream) {
  TestCluster servers(
      2, [](cluster::ClusterSpec& spec) { spec.sync = {cluster::SyncRule::Method::kAny, 1}; });
  EXPECT_EQ(value(servers.superuser(), "SHOW synchronous_standby_names"),
            "ANY 1 (\"node2\", \"node3\")");
  EXPECT_TRUE(eventually([&] {
    return value(servers.superuser(),
                 "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'quorum'") == "2";
  }));
}

}  // namespace
}  // namespace fairlead::test
