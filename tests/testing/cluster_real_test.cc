// The embedded cluster on real servers: create, stop, start, destroy, and each of them after an
// interruption, a kill and a failing tool at every step.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "cluster/commands.h"
#include "cluster/files.h"
#include "cluster/find_postgres.h"
#include "cluster/plan.h"
#include "cluster/ports.h"
#include "cluster/postmaster.h"
#include "cluster/sample_data.h"
#include "testing/killed_child.h"
#include "testing/sql.h"
#include "testing/temp_dir.h"

namespace fairlead::test {
namespace {

using namespace std::chrono_literals;
using cluster::ClusterSpec;
using cluster::StepView;
using cluster::StopFlag;

/// Steps of a create with one replica.
constexpr size_t kSteps = 9;

class RealCluster : public ::testing::Test {
 protected:
  RealCluster() {
    EXPECT_EQ(chmod(parent_.path().c_str(), 0711), 0);
    spec_.dir = parent_.path() + "/c";
    spec_.replicas = 1;
    spec_.application_user = "app";
    spec_.throw_away = true;
  }
  ~RealCluster() override {
    if (cluster::exists(spec_.dir)) destroy();
  }

  Result<cluster::Cluster> create() { return cluster::create(spec_, silent_, never_); }

  void destroy() {
    const auto gone = cluster::destroy(spec_.dir, silent_, never_);
    EXPECT_TRUE(gone.has_value()) << describe(gone.error());
    EXPECT_FALSE(cluster::exists(spec_.dir));
    for (const char* node : {"/node1", "/node2"})
      EXPECT_TRUE(cluster::processes_in(spec_.dir + node).empty());
  }

  /// Creates what may be half there already, and sees that it is whole.
  void expect_create_makes_a_working_cluster(const std::string& after) {
    const auto made = create();
    ASSERT_TRUE(made.has_value()) << after << ": " << describe(made.error());
    expect_works(after);
  }

  void expect_works(const std::string& after) {
    const auto rows = cluster::status(spec_.dir);
    ASSERT_TRUE(rows.has_value()) << after << ": " << describe(rows.error());
    ASSERT_EQ(rows->size(), 2U) << after;
    EXPECT_EQ((*rows)[0].state, "running") << after;
    EXPECT_EQ((*rows)[1].state, "streaming") << after;
    const auto made = cluster::load(spec_.dir);
    ASSERT_TRUE(made.has_value());
    Sql primary(made->as_application(made->nodes[0]));
    primary.run("CREATE TABLE IF NOT EXISTS t (n int); INSERT INTO t VALUES (1)");
    EXPECT_EQ(value(made->as_monitor(made->nodes[0]),
                    "SELECT count(*) FROM pg_replication_slots WHERE active"),
              "1");
  }

  TempDir parent_;
  ClusterSpec spec_;
  cluster::SilentProgress silent_;
  const StopFlag never_ = false;
};

TEST_F(RealCluster, ThePlanHasTheStepsThatTheSweepsBelowGoThrough) {
  cluster::ClusterState state;
  state.nodes.resize(2);
  EXPECT_EQ(cluster::plan_create(state).size(), kSteps);
}

TEST_F(RealCluster, AStopRequestAtEachStepLeavesAClusterThatCreateFinishes) {
  for (size_t step = 1; step <= kSteps; ++step) {
    StopFlag stop = false;
    AtStep sink(step, [&stop] { stop = true; });
    const auto made = cluster::create(spec_, sink, stop);
    if (made.has_value())
      EXPECT_EQ(step, kSteps);  // The last step may be over before the flag is seen.
    else
      EXPECT_EQ(made.error().code, ErrorCode::kQueryCanceled) << describe(made.error());
    if (!made.has_value()) expect_create_makes_a_working_cluster("step " + std::to_string(step));
    destroy();
  }
}

void create_and_kill(const ClusterSpec& spec, size_t step, std::chrono::microseconds delay) {
  run_and_kill(step, delay, [&spec](cluster::ProgressSink& sink) {
    const StopFlag never = false;
    (void)cluster::create(spec, sink, never);
  });
}

TEST_F(RealCluster, KillNineAtEachStepLeavesAClusterThatCreateFinishes) {
  constexpr std::chrono::microseconds kDelays[] = {
      0us, 25ms, 100ms};  // Before, in the middle of and perhaps after the step.
  for (size_t step = 1; step <= kSteps; ++step) {
    create_and_kill(spec_, step, kDelays[step % 3]);
    if (!cluster::load(spec_.dir))
      expect_create_makes_a_working_cluster("kill at step " + std::to_string(step));
    destroy();
  }
}

TEST_F(RealCluster, KillNineInTheMiddleOfAToolLeavesAClusterThatDestroyRemoves) {
  constexpr std::chrono::microseconds kDelays[] = {50ms, 150ms, 300ms};
  for (const size_t step : {2, 4, 6})
    for (const auto delay : kDelays) {
      create_and_kill(spec_, step, delay);
      destroy();
    }
}

/// A folder of PostgreSQL's programs in which one fails while a file exists.
class FailingTool {
 public:
  FailingTool(const TempDir& dir, const std::string& tool, bool after_its_work)
      : file_(dir.path() + "/fail") {
    const auto real = cluster::find_postgres("").value().bin_dir;
    const std::string bin = dir.path() + "/bin";
    EXPECT_EQ(mkdir(bin.c_str(), 0755), 0);
    for (const char* name : {"initdb", "postgres", "pg_ctl", "pg_basebackup"})
      if (name != tool)
        EXPECT_EQ(symlink((real + "/" + name).c_str(), (bin + "/" + name).c_str()), 0);
    const std::string work = after_its_work ? real + "/" + tool + " \"$@\"; " : "";
    const std::string script =
        dir.write("bin/" + tool, "#!/bin/sh\nif [ -e " + file_ + " ]; then " + work +
                                     "echo 'no space left on device' >&2; exit 1; fi\nexec " +
                                     real + "/" + tool + " \"$@\"\n");
    EXPECT_EQ(chmod(script.c_str(), 0755), 0);
    EXPECT_EQ(chmod(dir.path().c_str(), 0755), 0);
    dir.write("fail", "");
  }
  void repair() { unlink(file_.c_str()); }

 private:
  std::string file_;
};

class RealClusterWithAFailingTool
    : public RealCluster,
      public ::testing::WithParamInterface<std::tuple<const char*, bool>> {};

TEST_P(RealClusterWithAFailingTool, SaysWhyAndIsFinishedOrRemovedAfterwards) {
  const auto& [tool, after_its_work] = GetParam();
  for (const bool finish : {true, false}) {
    const TempDir bin;
    FailingTool failing(bin, tool, after_its_work);
    spec_.pg_bin = bin.path() + "/bin";
    const auto made = create();
    ASSERT_FALSE(made.has_value());
    EXPECT_NE(describe(made.error()).find("no space left on device"), std::string::npos)
        << describe(made.error());
    EXPECT_FALSE(cluster::load(spec_.dir).has_value());
    failing.repair();
    if (finish) expect_create_makes_a_working_cluster(tool);
    destroy();
  }
}

INSTANTIATE_TEST_SUITE_P(EachTool, RealClusterWithAFailingTool,
                         ::testing::Values(std::tuple("initdb", false), std::tuple("initdb", true),
                                           std::tuple("pg_ctl", false), std::tuple("pg_ctl", true),
                                           std::tuple("pg_basebackup", false),
                                           std::tuple("pg_basebackup", true)));

TEST_F(RealCluster, StopsAndStartsAgainWithItsRowsAlsoAfterKillNine) {
  expect_create_makes_a_working_cluster("create");
  ASSERT_TRUE(cluster::stop(spec_.dir, silent_, never_).has_value());
  for (const auto& row : *cluster::status(spec_.dir)) EXPECT_EQ(row.state, "stopped");
  EXPECT_TRUE(cluster::stop(spec_.dir, silent_, never_).has_value()) << "nothing runs: fine";
  ASSERT_TRUE(cluster::start(spec_.dir, silent_, never_).has_value());
  const auto made = cluster::load(spec_.dir);
  EXPECT_EQ(value(made->as_application(made->nodes[0]), "SELECT count(*) FROM t"), "1");

  for (const auto& node : made->nodes)
    for (const pid_t pid : cluster::processes_in(node.data_dir)) kill(pid, SIGKILL);
  for (const auto& node : made->nodes)
    ASSERT_TRUE(cluster::end_processes_in(node.data_dir).has_value());
  const auto started = cluster::start(spec_.dir, silent_, never_);
  ASSERT_TRUE(started.has_value()) << describe(started.error());
  EXPECT_EQ(value(made->as_application(made->nodes[0]), "SELECT count(*) FROM t"), "1");
  EXPECT_TRUE(cluster::start(spec_.dir, silent_, never_).has_value()) << "all runs: fine";
}

TEST_F(RealCluster, AServerThatWasToldToEndAndHasNotHeardOfItYetIsStartedAgain) {
  expect_create_makes_a_working_cluster("create");
  const auto before = cluster::find_postmaster(spec_.dir + "/node2");
  ASSERT_TRUE(before.has_value());
  kill(before->pid, SIGSTOP);
  kill(before->pid, SIGINT);  // As a stop does that is killed then.
  std::jthread later([&] {
    std::this_thread::sleep_for(500ms);
    kill(before->pid, SIGCONT);
  });
  const auto started = cluster::start(spec_.dir, silent_, never_);
  ASSERT_TRUE(started.has_value()) << describe(started.error());
  later.join();
  std::this_thread::sleep_for(500ms);
  const auto after = cluster::find_postmaster(spec_.dir + "/node2");
  ASSERT_TRUE(after.has_value());
  EXPECT_NE(after->pid, before->pid);
}

TEST_F(RealCluster, ServersRunAsAnotherUserThanRootAndPasswordsAreKept) {
  spec_.replicas = 0;
  const auto made = create();
  ASSERT_TRUE(made.has_value()) << describe(made.error());
  struct stat data{}, state{};
  ASSERT_EQ(stat(made->nodes[0].data_dir.c_str(), &data), 0);
  ASSERT_EQ(stat((spec_.dir + "/cluster.json").c_str(), &state), 0);
  EXPECT_NE(data.st_uid, 0U);
  EXPECT_EQ(data.st_mode & 0777, 0700U);
  EXPECT_EQ(state.st_uid, geteuid());
  EXPECT_EQ(state.st_mode & 0777, 0600U);
  const std::string log = cluster::read_file(made->nodes[0].log_file).value_or("");
  for (const std::string& secret : {made->state.secrets.monitor, made->state.secrets.application})
    EXPECT_EQ(log.find(secret), std::string::npos);
  cluster::Endpoint wrong = made->as_application(made->nodes[0]);
  wrong.password = "wrong";
  EXPECT_FALSE(cluster::SqlConnection::open(wrong).has_value());
  EXPECT_EQ(value(made->as_superuser(made->nodes[0]), "SHOW data_checksums"), "on");
}

TEST_F(RealCluster, RefusesWhatIsNotItsOwnAndTouchesNothing) {
  ASSERT_TRUE(cluster::make_folder(spec_.dir, 0755, nullptr).has_value());
  ASSERT_TRUE(cluster::write_file(spec_.dir + "/thesis.txt", "years", 0644, nullptr).has_value());
  EXPECT_FALSE(create().has_value());
  const auto gone = cluster::destroy(spec_.dir, silent_, never_);
  ASSERT_FALSE(gone.has_value());
  EXPECT_NE(gone.error().message.find("nothing was removed"), std::string::npos);
  EXPECT_FALSE(cluster::start(spec_.dir, silent_, never_).has_value());
  EXPECT_EQ(cluster::read_file(spec_.dir + "/thesis.txt").value_or(""), "years");
  ASSERT_TRUE(cluster::remove_tree(spec_.dir).has_value());
}

TEST_F(RealCluster, AFolderInWhichCreateWasKilledAtItsFirstFileIsTakenByTheNextOne) {
  ASSERT_TRUE(cluster::make_folder(spec_.dir, 0711, nullptr).has_value());
  const std::string marker = cluster::unfinished(cluster::Layout(spec_.dir).marker());
  ASSERT_TRUE(cluster::write_file(marker, "Thi", 0644, nullptr).has_value());
  expect_create_makes_a_working_cluster("killed at the marker");
}

TEST_F(RealCluster, ATakenPortIsNamedAndAPortOfTheSystemsChoiceIsReplaced) {
  StopFlag stop = false;
  AtStep sink(4, [&stop] { stop = true; });  // node1 is configured with its port and not started.
  ASSERT_FALSE(cluster::create(spec_, sink, stop).has_value());
  const auto half = cluster::read_state(cluster::Layout(spec_.dir));
  ASSERT_TRUE(half.has_value());
  const uint16_t port = half->nodes[0].port;
  {
    const auto taken = cluster::PortReservation::make("127.0.0.1", port);
    ASSERT_TRUE(taken.has_value());
    ASSERT_EQ(listen(taken->fd(), 1), 0);
    expect_create_makes_a_working_cluster("a taken port");
    EXPECT_NE(cluster::load(spec_.dir)->nodes[0].port, port);
  }
  ASSERT_TRUE(cluster::stop(spec_.dir, silent_, never_).has_value());
  const auto taken =
      cluster::PortReservation::make("127.0.0.1", cluster::load(spec_.dir)->nodes[0].port);
  ASSERT_EQ(listen(taken->fd(), 1), 0);
  const auto started = cluster::start(spec_.dir, silent_, never_);
  ASSERT_FALSE(started.has_value());
  EXPECT_NE(started.error().message.find("is in use"), std::string::npos)
      << describe(started.error());
}

TEST_F(RealCluster, AnotherCreateInTheSamePlaceIsRefused) {
  expect_create_makes_a_working_cluster("create");
  EXPECT_EQ(create().error().message, spec_.dir + " already holds a complete cluster");
  destroy();
  StopFlag stop = false;
  AtStep sink(2, [&stop] { stop = true; });
  ASSERT_FALSE(cluster::create(spec_, sink, stop).has_value());
  spec_.replicas = 2;
  EXPECT_EQ(create().error().message,
            spec_.dir + " holds an unfinished cluster with other options");
}

TEST_F(RealCluster, IsDestroyedWithAFrozenServerAndAnUnreadableState) {
  expect_create_makes_a_working_cluster("create");
  for (const pid_t pid : cluster::processes_in(spec_.dir + "/node2")) kill(pid, SIGSTOP);
  ASSERT_TRUE(cluster::write_file(spec_.dir + "/cluster.json", "{", 0600, nullptr).has_value());
  EXPECT_FALSE(create().has_value());
  destroy();
}

TEST_F(RealCluster, AFolderThatTheServersUserCannotReachIsNamedBeforeAnythingIsMade) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(chmod(parent_.path().c_str(), 0700), 0);
  const auto made = create();
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().message, "the user postgres cannot enter " + parent_.path());
  EXPECT_FALSE(cluster::exists(spec_.dir + "/cluster.json"));
}

TEST_F(RealCluster, TheSampleDataIsTheSameEveryTimeAndReachesTheReplica) {
  const auto made = create();
  ASSERT_TRUE(made.has_value());
  auto sql = cluster::SqlConnection::open(made->as_application(made->nodes[0]));
  ASSERT_TRUE(sql.has_value());
  const auto loaded = cluster::load_sample_data(*sql);
  ASSERT_TRUE(loaded.has_value()) << describe(loaded.error());
  EXPECT_EQ(sql->value("SELECT count(*) FROM users").value_or(""), "5000");
  EXPECT_EQ(sql->value("SELECT count(*) FROM posts").value_or(""), "20000");
  EXPECT_GT(std::stoi(sql->value("SELECT count(*) FROM friendships").value_or("0")), 24'500);
  EXPECT_GT(
      std::stoi(
          sql->value("SELECT count(DISTINCT (first_name, last_name)) FROM users").value_or("0")),
      1000);
  EXPECT_EQ(sql->value("SELECT md5(string_agg(concat_ws(',', id, email, birthday, city), ' ' ORDER "
                       "BY id)) FROM users")
                .value_or(""),
            "4901731f467adf4f9672be2ae960bf5f");
  EXPECT_FALSE(cluster::load_sample_data(*sql).has_value()) << "the tables are there";
  EXPECT_EQ(sql->value("INSERT INTO users (first_name, last_name, email, birthday, city) VALUES "
                       "('A','B','c','2000-01-01','d') RETURNING id")
                .value_or(""),
            "5001");
}

}  // namespace
}  // namespace fairlead::test
