// promote on real servers: crashes, hangs, refusals, and kill -9 at every step.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "cluster/commands.h"
#include "cluster/files.h"
#include "cluster/postmaster.h"
#include "cluster/promote.h"
#include "testing/eventually.h"
#include "testing/killed_child.h"
#include "testing/sql.h"
#include "testing/test_cluster.h"

namespace fairlead::test {
namespace {

using namespace std::chrono_literals;
using cluster::PromoteRequest;
using cluster::Promotion;
using cluster::StopFlag;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const StopFlag kNever = false;

void any_1(cluster::ClusterSpec& spec) { spec.sync = {cluster::SyncRule::Method::kAny, 1}; }

class RealPromotion : public ::testing::Test {
 protected:
  Result<Promotion> promote(const PromoteRequest& request = {}) {
    cluster::SilentProgress silent;
    return cluster::promote(servers_.dir(), request, silent, kNever);
  }

  /// Rows whose commit was acknowledged.
  void write_rows(int count) {
    Sql sql(servers_.app());
    sql.run("CREATE TABLE IF NOT EXISTS t (n int)");
    sql.run(fmt::format("INSERT INTO t SELECT generate_series(1, {})", count));
  }
  std::string rows(size_t node) { return value(servers_.app(node), "SELECT count(*) FROM t"); }

  void expect_follows(size_t node, size_t primary) {
    EXPECT_TRUE(eventually([&] {
      return value(servers_.superuser(primary),
                   fmt::format("SELECT count(*) FROM pg_stat_replication WHERE application_name = "
                               "'{}' AND state = 'streaming'",
                               servers_.node(node).name)) == "1";
    })) << servers_.node(node).name;
  }

  /// The replica gets nothing more, as one whose network is broken.
  void cut_off(size_t node) {
    Sql sql(servers_.superuser(node));
    sql.run("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'");
    sql.run("SELECT pg_reload_conf()");
    EXPECT_TRUE(eventually([&] {
      return value(servers_.superuser(), "SELECT count(*) FROM pg_stat_replication") == "1";
    }));
    sql.run("ALTER SYSTEM RESET primary_conninfo");  // In force with the next reload.
  }

  void take_away(size_t node, const std::string& file) {
    const std::string path = servers_.node(node).data_dir + file;
    std::filesystem::rename(path, path + ".away");
  }

  std::string standby_names(size_t node) {
    return value(servers_.superuser(node), "SHOW synchronous_standby_names");
  }

  TestCluster servers_{2, any_1};
};

// E10, E12: everything that was acknowledged is there, and the old primary cannot come back.
TEST_F(RealPromotion, AfterACrashEveryAcknowledgedRowIsThereAndTheOldPrimaryStaysOut) {
  write_rows(1000);
  servers_.kill(0);
  const auto done = promote();
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  EXPECT_TRUE(done->nothing_lost) << done->reason;
  EXPECT_THAT(done->need_rejoin, ElementsAre("node1"));
  const size_t primary = done->node == "node2" ? 1 : 2;
  const size_t other = 3 - primary;
  EXPECT_EQ(rows(primary), "1000");
  expect_follows(other, primary);
  // The rule holds from the first commit on, and names whom there is.
  EXPECT_EQ(standby_names(primary), fmt::format("ANY 1 (\"{}\")", servers_.node(other).name));
  Sql(servers_.app(primary)).run("INSERT INTO t VALUES (1)");

  cluster::SilentProgress silent;
  ASSERT_TRUE(cluster::start(servers_.dir(), silent, kNever).has_value());
  EXPECT_FALSE(servers_.is_running(0));
  servers_.start(0);  // By force: it does not become a primary.
  EXPECT_EQ(value(servers_.superuser(0), "SELECT pg_is_in_recovery()"), "t");
}

/// Looks at the files of the old primary at the moment of promotion.
class AtPromotion final : public cluster::ProgressSink {
 public:
  explicit AtPromotion(const std::string& data_dir) : data_dir_(data_dir) {}
  void started(const cluster::StepView& step) override {
    if (!step.text.starts_with("promote ")) return;
    fenced = cluster::is_standby(data_dir_) && cluster::processes_in(data_dir_).empty();
  }
  void finished(const cluster::StepView&, Duration) override {}
  void failed(const cluster::StepView&, const Error&) override {}
  bool fenced = false;

 private:
  const std::string& data_dir_;
};

// E12: before, not at some time.
TEST_F(RealPromotion, TheOldPrimaryIsFencedBeforeAnotherIsPromoted) {
  write_rows(1);
  AtPromotion sink(servers_.node(0).data_dir);
  const auto done = cluster::promote(servers_.dir(), {}, sink, kNever);
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  EXPECT_TRUE(sink.fenced);
}

TEST_F(RealPromotion, TheOneThatHasMoreIsChosenAndTheOtherOneIsRefused) {
  write_rows(10);
  servers_.stop(1);
  write_rows(500);
  servers_.kill(0);
  const auto refused = promote({.node = "node2"});  // It is started to be compared.
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("node2 lacks what node3 has"));
  EXPECT_THAT(refused.error().detail, HasSubstr("promote node2 was taken back"));
  EXPECT_FALSE(cluster::load(servers_.dir())->state.operation.has_value());
  EXPECT_EQ(cluster::load(servers_.dir())->primary()->name, "node1");
  const auto done = promote();
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  EXPECT_EQ(done->node, "node3");
  EXPECT_EQ(rows(2), "510");
  expect_follows(1, 2);
}

TEST_F(RealPromotion, ARefusalWithAPrimaryThatRanLeavesEverythingRunningAsBefore) {
  write_rows(10);
  cut_off(1);
  write_rows(500);
  const auto refused = promote({.node = "node2"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().hint, HasSubstr("--allow-loss"));
  EXPECT_EQ(value(servers_.superuser(0), "SELECT pg_is_in_recovery()"), "f");
  write_rows(1);
  expect_follows(1, 0);
  expect_follows(2, 0);
}

/// Keeps what the command tells apart from its result.
class Notes final : public cluster::ProgressSink {
 public:
  void started(const cluster::StepView&) override {}
  void finished(const cluster::StepView&, Duration) override {}
  void failed(const cluster::StepView&, const Error&) override {}
  void noted(const std::string& text) override { said += text + "\n"; }
  std::string said;
};

TEST_F(RealPromotion, ARefusalWithAPrimaryThatDoesNotStartAgainIsTakenBackAndTheNextOneMayLoseIt) {
  write_rows(10);
  servers_.stop(2);
  take_away(2, "/PG_VERSION");
  take_away(0, "/global/pg_control");  // It runs, and will never start again.
  Notes notes;
  const auto refused = cluster::promote(servers_.dir(), {}, notes, kNever);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().hint, HasSubstr("--allow-loss"));
  EXPECT_THAT(refused.error().detail, HasSubstr("promote was taken back"));
  EXPECT_THAT(notes.said, HasSubstr("node1 did not start"));
  EXPECT_FALSE(cluster::load(servers_.dir())->state.operation.has_value());
  const auto forced = promote({.allow_loss = true});
  ASSERT_TRUE(forced.has_value()) << describe(forced.error());
  EXPECT_EQ(forced->node, "node2");
  EXPECT_EQ(rows(1), "10");
}

TEST_F(RealPromotion, ARefusalWithAReplicaWhoseDiskIsNotMountedIsTakenBack) {
  write_rows(10);
  servers_.stop(2);
  const std::string data = servers_.node(2).data_dir;
  std::filesystem::rename(data, data + ".away");
  std::filesystem::create_directory(data);
  servers_.kill(0);
  const auto refused = promote();
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().detail, HasSubstr("promote was taken back"));
  EXPECT_FALSE(cluster::load(servers_.dir())->state.operation.has_value());
  EXPECT_TRUE(std::filesystem::is_empty(data));
  servers_.start(0);
  expect_follows(1, 0);
}

TEST_F(RealPromotion, WithoutEnoughOfTheStandbysItIsRefusedAndSaysWhoIsMissing) {
  write_rows(10);
  servers_.stop(2);
  take_away(2, "/PG_VERSION");
  servers_.kill(0);
  const auto refused = promote();
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("acknowledged commits may be lost"));
  EXPECT_THAT(refused.error().detail, HasSubstr("node3: it is stopped"));
  const auto forced = promote({.allow_loss = true});
  ASSERT_TRUE(forced.has_value()) << describe(forced.error());
  EXPECT_EQ(forced->node, "node2");
  EXPECT_FALSE(forced->nothing_lost);
  EXPECT_THAT(forced->need_rejoin, ElementsAre("node1", "node3"));
  // Nobody is left to wait for: the rule is not given up, commits wait (E11).
  EXPECT_TRUE(forced->commits_wait);
  EXPECT_EQ(standby_names(1), "ANY 1 (\"node1\", \"node3\")");
}

TEST_F(RealPromotion, APrimaryThatHangsIsEndedByForceFirst) {
  write_rows(10);
  servers_.freeze(0);
  const auto done = promote();
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  EXPECT_FALSE(servers_.is_running(0));
  EXPECT_TRUE(done->nothing_lost);
}

TEST_F(RealPromotion, APrimaryWhoseDataIsGoneIsReplacedByTheRuleThatTheClusterHad) {
  write_rows(1000);
  servers_.kill(0);
  std::filesystem::remove_all(servers_.node(0).data_dir);
  const auto done = promote();
  ASSERT_TRUE(done.has_value()) << describe(done.error());
  EXPECT_EQ(done->old_primary, "node1");
  EXPECT_TRUE(done->nothing_lost) << done->reason;
  EXPECT_EQ(rows(done->node == "node2" ? 1 : 2), "1000");
}

TEST_F(RealPromotion, WhatCannotBePromotedIsNamedAndNothingIsTouched) {
  EXPECT_THAT(promote({.node = "node1"}).error().message, HasSubstr("is the primary already"));
  EXPECT_THAT(promote({.node = "node7"}).error().hint, HasSubstr("node1, node2, node3"));
  EXPECT_TRUE(servers_.is_running(0));
  expect_follows(1, 0);
}

/// Puts the data of `other`'s only node in the place of `index`, as if somebody had restored the
/// wrong backup there: it answers on that node's port, lets the same users in, and follows nobody.
void replace_by_another_system(TestCluster& servers, size_t index, TestCluster& other) {
  Sql(other.superuser())
      .run(fmt::format("ALTER ROLE {} PASSWORD '{}'", servers.cluster().state.spec.superuser,
                       servers.cluster().state.secrets.superuser));
  other.stop(0);
  servers.stop(index);
  const std::string data = servers.node(index).data_dir;
  std::filesystem::rename(data, data + ".away");
  std::filesystem::rename(other.node(0).data_dir, data);
  for (const char* file : {"/fairlead.conf", "/pg_hba.conf", "/standby.signal"})
    std::filesystem::rename(data + ".away" + file, data + file);
  servers.start(index);
}

// E1, D16: the same system identifier, whatever it answers.
TEST_F(RealPromotion, AReplicaOfAnotherSystemIsNamedAndNeverPromoted) {
  write_rows(10);
  TestCluster other(0);
  replace_by_another_system(servers_, 1, other);
  servers_.kill(0);
  for (const auto& refused : {promote(), promote({.node = "node2", .allow_loss = true})}) {
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(describe(refused.error()), HasSubstr("it is a copy of another system"));
  }
  const auto forced = promote({.allow_loss = true});
  ASSERT_TRUE(forced.has_value()) << describe(forced.error());
  EXPECT_EQ(forced->node, "node3");
  EXPECT_THAT(forced->need_rejoin, ElementsAre("node1", "node2"));
  EXPECT_EQ(rows(2), "10");
}

/// The cluster is whole in one of two ways: as before, or with its new primary.
void expect_settled(TestCluster& servers, const std::string& at) {
  cluster::SilentProgress silent;
  const auto started = cluster::start(servers.dir(), silent, kNever);
  ASSERT_TRUE(started.has_value()) << at << ": " << describe(started.error());
  EXPECT_FALSE(started->state.operation.has_value()) << at;
  const auto now = cluster::load(servers.dir());
  ASSERT_NE(now->primary(), nullptr) << at;
  const std::string primary = now->primary()->name;
  size_t followers = 0;
  for (const auto& node : now->nodes) {
    if (node.name == primary) continue;
    if (node.standing == cluster::Standing::kNeedsRejoin) {
      EXPECT_NE(primary, "node1") << at;
      continue;
    }
    ++followers;
  }
  EXPECT_EQ(followers, primary == "node1" ? 2U : 1U) << at;
  EXPECT_TRUE(eventually([&] {
    return value(now->as_superuser(*now->primary()),
                 "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") ==
           std::to_string(followers);
  })) << at;
  EXPECT_EQ(value(now->as_application(*now->primary()), "SELECT count(*) FROM t"), "7") << at;
}

TEST(RealPromotionKilled, AtEachStepIsTakenBackOrFinishedByTheNextCommand) {
  constexpr std::chrono::microseconds kDelays[] = {0us, 20ms, 60ms};
  for (size_t step = 1; step <= 12; ++step) {
    TestCluster servers(2, any_1);
    Sql(servers.app()).run("CREATE TABLE t AS SELECT generate_series(1, 7) AS n");
    servers.await_replay();
    run_and_kill(step, kDelays[step % 3], [&](cluster::ProgressSink& sink) {
      (void)cluster::promote(servers.dir(), {}, sink, kNever);
    });
    expect_settled(servers, fmt::format("killed at step {}", step));
  }
}

}  // namespace
}  // namespace fairlead::test
