// Making, breaking and healing the tests' cluster.
#include "testing/test_cluster.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <map>

#include "base/assert.h"
#include "cluster/commands.h"
#include "cluster/postmaster.h"
#include "cluster/resolve.h"
#include "cluster/step_runner.h"
#include "testing/eventually.h"
#include "testing/sql.h"

namespace fairlead::test {

namespace {

const cluster::StopFlag kNever = false;

void signal_all(const cluster::Node& node, int signal) {
  for (const pid_t pid : cluster::processes_in(node.data_dir)) ::kill(pid, signal);
}

void expect_good(const Result<void>& result) {
  if (!result) ADD_FAILURE() << describe(result.error());
}

}  // namespace

TestCluster& TestCluster::shared(int replicas) {
  static std::map<int, std::unique_ptr<TestCluster>> clusters;
  auto& found = clusters[replicas];
  if (!found) found = std::make_unique<TestCluster>(replicas);
  return *found;
}

TestCluster::TestCluster(int replicas, const std::function<void(cluster::ClusterSpec&)>& change) {
  cluster::ClusterSpec spec;
  spec.dir = parent_.path() + "/c";
  spec.replicas = replicas;
  spec.application_user = "app";
  spec.throw_away = true;
  if (change) change(spec);
  require(::chmod(parent_.path().c_str(), 0711) == 0, "the servers' user can pass");
  reaper_ = std::make_unique<Reaper>(spec.dir, parent_.path());
  cluster::SilentProgress nobody;
  auto made = cluster::create(spec, nobody, kNever);
  if (!made) {
    fmt::print(stderr, "the test cluster cannot be made: {}\n", describe(made.error()));
    std::abort();
  }
  cluster_ = std::move(*made);
}

TestCluster::~TestCluster() {
  cluster::SilentProgress nobody;
  if (const auto gone = cluster::destroy(dir(), nobody, kNever); !gone)
    fmt::print(stderr, "the test cluster cannot be removed: {}\n", describe(gone.error()));
}

void TestCluster::kill(size_t index) {
  signal_all(node(index), SIGKILL);
  EXPECT_TRUE(eventually([&] { return cluster::processes_in(node(index).data_dir).empty(); }));
}

void TestCluster::freeze(size_t index) { signal_all(node(index), SIGSTOP); }
void TestCluster::thaw(size_t index) { signal_all(node(index), SIGCONT); }

void TestCluster::stop(size_t index) {
  thaw(index);
  expect_good(cluster::stop_postmaster(node(index).data_dir, std::chrono::seconds(30), kNever));
}

void TestCluster::start(size_t index) {
  const auto user = cluster::servers_user(cluster_.state.spec);
  ASSERT_TRUE(user.has_value()) << describe(user.error());
  cluster::StepRunner runner(cluster_.state, *user, -1, kNever);
  expect_good(runner.carry_out({cluster::StepKind::kStart, index}));
}

bool TestCluster::is_running(size_t index) const {
  return cluster::find_postmaster(node(index).data_dir).has_value();
}

void TestCluster::pause_replay(size_t index) {
  Sql sql(superuser(index));
  sql.run("SELECT pg_wal_replay_pause()");
  // The pause is a request; the startup process takes it up at its next record or within a moment.
  EXPECT_TRUE(
      eventually([&] { return sql.value("SELECT pg_get_wal_replay_pause_state()") == "paused"; }));
}

void TestCluster::resume_replay(size_t index) {
  Sql(superuser(index)).run("SELECT pg_wal_replay_resume()");
}

void TestCluster::await_replay(std::chrono::milliseconds timeout) {
  const std::string head = value(superuser(), "SELECT pg_current_wal_lsn()");
  for (size_t i = 1; i < cluster_.nodes.size(); ++i) {
    Sql sql(superuser(i));
    EXPECT_TRUE(eventually(
        [&] {
          return sql.value(fmt::format("SELECT pg_last_wal_replay_lsn() >= '{}'", head)) == "t";
        },
        timeout))
        << node(i).name << " does not reach " << head;
  }
}

void TestCluster::heal() {
  for (size_t i = 0; i < cluster_.nodes.size(); ++i) {
    thaw(i);
    if (!is_running(i)) start(i);
    if (i > 0) resume_replay(i);
  }
  Sql sql(superuser());
  const std::string streaming =
      "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
  const std::string all = std::to_string(cluster_.nodes.size() - 1);
  EXPECT_TRUE(eventually([&] { return sql.value(streaming) == all; }, std::chrono::seconds(30)));
}

}  // namespace fairlead::test
