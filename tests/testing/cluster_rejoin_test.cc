// rejoin on real servers: by pg_rewind, by a new copy, and after kill -9 at every step.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "cluster/commands.h"
#include "cluster/files.h"
#include "cluster/promote.h"
#include "cluster/rejoin.h"
#include "testing/eventually.h"
#include "testing/killed_child.h"
#include "testing/sql.h"
#include "testing/test_cluster.h"

namespace fairlead::test {
namespace {

using namespace std::chrono_literals;
using cluster::Rejoin;
using cluster::StopFlag;
using ::testing::HasSubstr;

const StopFlag kNever = false;

class RealRejoin : public ::testing::Test {
 protected:
  Result<Rejoin> rejoin(size_t node) {
    cluster::SilentProgress silent;
    return cluster::rejoin(servers_.dir(), {.node = servers_.node(node).name}, silent, kNever);
  }

  void promote(size_t node) {
    cluster::SilentProgress silent;
    const auto done =
        cluster::promote(servers_.dir(), {.node = servers_.node(node).name}, silent, kNever);
    ASSERT_TRUE(done.has_value()) << describe(done.error());
  }

  /// node1 has rows that nobody else has, and node2 is the primary.
  void part() {
    Sql(servers_.app()).run("CREATE TABLE t AS SELECT generate_series(1, 10) AS n");
    servers_.await_replay();
    servers_.stop(1);
    Sql(servers_.app()).run("INSERT INTO t SELECT generate_series(1, 1000)");
    servers_.kill(0);
    promote(1);
    Sql(servers_.app(1)).run("INSERT INTO t VALUES (11)");
  }

  void expect_follows(size_t node, size_t primary, const std::string& rows,
                      const std::string& after = "") {
    EXPECT_TRUE(eventually([&] {
      return value(servers_.superuser(primary),
                   fmt::format("SELECT count(*) FROM pg_stat_replication WHERE application_name = "
                               "'{}' AND state = 'streaming'",
                               servers_.node(node).name)) == "1";
    })) << after;
    EXPECT_TRUE(eventually([&] {
      return value(servers_.app(node), "SELECT count(*) FROM t") == rows;
    })) << after;
    // A replica keeps no WAL for others.
    EXPECT_EQ(value(servers_.superuser(node), "SELECT count(*) FROM pg_replication_slots"), "0");
    const auto now = cluster::load(servers_.dir());
    EXPECT_EQ(now->nodes[node].standing, cluster::Standing::kMember) << after;
    EXPECT_FALSE(now->state.operation.has_value()) << after;
  }

  // pg_rewind reads a source that it can trust.
  TestCluster servers_{
      1, [](cluster::ClusterSpec& spec) { spec.settings["full_page_writes"] = "on"; }};
};

TEST_F(RealRejoin, ACrashedPrimaryIsRewoundAndLosesWhatNobodyElseHad) {
  part();
  const auto done = rejoin(0);
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  EXPECT_EQ(done->method, Rejoin::Method::kRewind) << done->reason;
  expect_follows(0, 1, "11");
  EXPECT_EQ(rejoin(0)->method, Rejoin::Method::kNone);
}

TEST_F(RealRejoin, WithoutTheWalThatPgRewindNeedsItIsCopiedAnewAndSaysWhy) {
  part();
  for (const auto& file :
       std::filesystem::directory_iterator(servers_.node(0).data_dir + "/pg_wal"))
    if (file.is_regular_file()) std::filesystem::remove(file.path());
  const auto done = rejoin(0);
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  EXPECT_EQ(done->method, Rejoin::Method::kCopy);
  EXPECT_THAT(done->reason, HasSubstr("pg_rewind could not do it"));
  expect_follows(0, 1, "11");
}

TEST_F(RealRejoin, WithoutDataItIsCopiedAnew) {
  part();
  std::filesystem::remove_all(servers_.node(0).data_dir);
  const auto done = rejoin(0);
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  EXPECT_EQ(done->reason, "it has no data any more");
  expect_follows(0, 1, "11");
}

TEST_F(RealRejoin, TheFolderOfAnotherSystemIsNotTouched) {
  part();
  TestCluster other(0);
  other.stop(0);
  const std::string data = servers_.node(0).data_dir;
  std::filesystem::rename(data, data + ".away");
  std::filesystem::rename(other.node(0).data_dir, data);
  const auto refused = rejoin(0);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "the folder of node1 holds another system");
  EXPECT_TRUE(cluster::exists(data + "/PG_VERSION"));
  std::filesystem::remove_all(data);
  std::filesystem::rename(data + ".away", data);
  EXPECT_TRUE(rejoin(0).has_value());
}

TEST_F(RealRejoin, WithoutARunningPrimaryItIsUnreachableAndNothingIsTouched) {
  part();
  servers_.stop(1);
  const auto refused = rejoin(0);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kConnectionFailure);
  EXPECT_THAT(refused.error().hint, HasSubstr("cluster start"));
  EXPECT_EQ(rejoin(1).error().message,
            "node2 is the primary: there is nobody that it could follow");
}

TEST_F(RealRejoin, KilledAtEachStepTheNodeStaysOutAndTheNextRejoinBringsItBack) {
  constexpr std::chrono::microseconds kDelays[] = {0us, 40ms, 150ms};
  Sql(servers_.app()).run("CREATE TABLE t AS SELECT generate_series(1, 10) AS n");
  servers_.await_replay();
  for (size_t step = 1; step <= 11; ++step) {
    const std::string at = fmt::format("killed at step {}", step);
    const size_t old = step % 2 == 1 ? 0 : 1;
    promote(1 - old);
    run_and_kill(step, kDelays[step % 3], [&](cluster::ProgressSink& sink) {
      (void)cluster::rejoin(servers_.dir(), {.node = servers_.node(old).name}, sink, kNever);
    });
    cluster::SilentProgress silent;
    const auto started = cluster::start(servers_.dir(), silent, kNever);
    ASSERT_TRUE(started.has_value()) << at << ": " << describe(started.error());
    EXPECT_EQ(value(servers_.superuser(1 - old), "SELECT pg_is_in_recovery()"), "f") << at;
    const auto done = rejoin(old);
    ASSERT_TRUE(done.has_value()) << at << ": " << describe(done.error());
    expect_follows(old, 1 - old, "10", at);
  }
}

}  // namespace
}  // namespace fairlead::test
