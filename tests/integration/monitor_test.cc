// The monitor and the catalog loader against real servers that hang, die, fall behind and are
// promoted.
#include "proxy/monitor.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <mutex>

#include "cluster/sql_connection.h"
#include "integration/control_thread.h"
#include "proxy/catalog_loader.h"
#include "testing/eventually.h"
#include "testing/sql.h"
#include "testing/test_cluster.h"

namespace fairlead::test {
namespace {

using namespace std::chrono_literals;
using core::ClusterSnapshot;
using core::NodeIndex;
using core::NodeRole;
using core::NodeState;
using core::NodeStatus;
using proxy::CatalogLoader;
using proxy::ClusterMonitor;
using sql::FunctionVerdict;

/// A monitor of a test cluster with the default timing, and the newest of what it published.
class Watched {
 public:
  explicit Watched(TestCluster& cluster) {
    proxy::MonitorConfig config;
    for (const cluster::Node& node : cluster.cluster().nodes)
      config.nodes.push_back(endpoint_of(node));
    config.login = login_of(cluster.cluster().as_monitor(cluster.node(0)));
    control_.run([&] {
      monitor_ = std::make_unique<ClusterMonitor>(
          control_.loop(), "test", config,
          [this](std::shared_ptr<const ClusterSnapshot> snapshot) { take(std::move(snapshot)); });
      monitor_->start();
    });
    EXPECT_TRUE(eventually([&] { return latest() != nullptr; }));
  }
  ~Watched() {
    control_.finish(monitor_->stop());
    control_.run([&] { monitor_.reset(); });
  }

  std::shared_ptr<const ClusterSnapshot> latest() {
    const std::lock_guard lock(mutex_);
    return latest_;
  }
  uint64_t published() {
    const std::lock_guard lock(mutex_);
    return published_;
  }
  NodeStatus node(size_t index) { return latest()->nodes.at(index); }
  void on_control(const std::function<void(ClusterMonitor&)>& work) {
    control_.run([&] { work(*monitor_); });
  }
  bool all_well() {
    const auto now = latest();
    return now->primary.has_value() &&
           std::ranges::all_of(now->nodes, &NodeStatus::usable_for_reads);
  }

 private:
  void take(std::shared_ptr<const ClusterSnapshot> snapshot) {
    const std::lock_guard lock(mutex_);
    latest_ = std::move(snapshot);
    ++published_;
  }

  std::mutex mutex_;
  std::shared_ptr<const ClusterSnapshot> latest_;
  uint64_t published_ = 0;
  ControlThread control_;
  std::unique_ptr<ClusterMonitor> monitor_;
};

TEST(ClusterMonitor, FindsOutWhoIsWhoWithoutBeingTold) {
  TestCluster& cluster = TestCluster::shared();
  Watched watched(cluster);
  const auto first = watched.latest();  // Decided only when all nodes had been asked.
  ASSERT_EQ(first->primary, NodeIndex{0});
  EXPECT_EQ(first->epoch, 1U);
  EXPECT_EQ(first->timeline, 1U);
  EXPECT_EQ(first->alarm, "");
  EXPECT_EQ(std::to_string(first->system_identifier),
            value(cluster.superuser(), "SELECT system_identifier FROM pg_control_system()"));
  for (size_t i : {1, 2}) {
    EXPECT_EQ(first->nodes[i].role, NodeRole::kReplica);
    EXPECT_EQ(first->nodes[i].timeline, 1U);
    EXPECT_TRUE(first->nodes[i].usable_for_reads) << first->nodes[i].reason;
    EXPECT_GT(first->nodes[i].replay_lsn, Lsn{});
    EXPECT_EQ(first->nodes[i].server_version / 10000, first->nodes[0].server_version / 10000);
  }
}

TEST(ClusterMonitor, TakesAFrozenReplicaOutWithinOneAndAHalfSecondsAndBackWhenItGoesOn) {
  TestCluster& cluster = TestCluster::shared();
  Watched watched(cluster);
  ASSERT_TRUE(eventually([&] { return watched.all_well(); }));
  const auto frozen_at = std::chrono::steady_clock::now();
  cluster.freeze(1);
  EXPECT_TRUE(eventually([&] { return !watched.node(1).usable_for_reads; }, 1500ms));
  const auto unusable = std::chrono::steady_clock::now() - frozen_at;
  EXPECT_EQ(watched.node(1).state, NodeState::kSuspect);
  EXPECT_TRUE(watched.node(1).is_unresponsive());
  EXPECT_TRUE(eventually([&] { return watched.node(1).state == NodeState::kDown; }, 5s));
  const auto down = std::chrono::steady_clock::now() - frozen_at;
  fmt::print("unusable after {} ms, down after {} ms\n", unusable / 1ms, down / 1ms);
  EXPECT_TRUE(watched.node(2).usable_for_reads);
  EXPECT_EQ(watched.latest()->epoch, 1U);

  cluster.thaw(1);
  EXPECT_TRUE(eventually([&] { return watched.node(1).usable_for_reads; }, 20s))
      << watched.node(1).reason;
  cluster.heal();
}

TEST(ClusterMonitor, NoticesAKilledReplicaAtOnceWhenAClientTellsAndTakesItBackInItsNewLife) {
  TestCluster& cluster = TestCluster::shared();
  Watched watched(cluster);
  ASSERT_TRUE(eventually([&] { return watched.all_well(); }));
  const uint32_t incarnation = watched.node(2).incarnation;
  cluster.kill(2);
  watched.on_control(
      [](ClusterMonitor& monitor) { monitor.report_trouble(NodeIndex{2}, "connection reset"); });
  EXPECT_TRUE(eventually([&] { return watched.node(2).state == NodeState::kDown; }, 1500ms));
  EXPECT_NE(watched.node(2).reason.find("refused"), std::string::npos) << watched.node(2).reason;
  cluster.start(2);
  EXPECT_TRUE(eventually([&] { return watched.node(2).usable_for_reads; }, 20s))
      << watched.node(2).reason;
  EXPECT_GT(watched.node(2).incarnation, incarnation);
  cluster.heal();
}

TEST(ClusterMonitor, LagGrowsWhileReplayIsPausedAndShrinksWhenItGoesOn) {
  TestCluster& cluster = TestCluster::shared();
  Watched watched(cluster);
  ASSERT_TRUE(eventually([&] { return watched.all_well(); }));
  Sql primary(cluster.app());
  primary.run("CREATE TABLE IF NOT EXISTS lagging (n int)");
  cluster.await_replay();
  cluster.pause_replay(1);
  primary.run("INSERT INTO lagging SELECT generate_series(1, 10000)");
  const auto is_behind = [&](Duration at_least) {
    const core::Lag lag = watched.node(1).lag;
    return lag.bytes > 100'000 && lag.time > at_least;
  };
  EXPECT_TRUE(eventually([&] { return is_behind(1s); }, 10s));
  EXPECT_TRUE(eventually([&] { return is_behind(2s); }, 10s));
  EXPECT_TRUE(within(watched.node(2).lag, 1s));
  cluster.resume_replay(1);
  EXPECT_TRUE(eventually([&] { return within(watched.node(1).lag, 0s); }, 10s));
}

TEST(ClusterMonitor, WantedPositionsComeFromQuestionsThatWereAskedAfterwards) {
  TestCluster& cluster = TestCluster::shared();
  Watched watched(cluster);
  ASSERT_TRUE(eventually([&] { return watched.all_well(); }));
  constexpr int kRounds = 50;
  const Time started = net::Loop::now();
  const uint64_t published = watched.published();
  for (int i = 0; i < kRounds; ++i) {
    const Time asked = net::Loop::now();
    watched.on_control([](ClusterMonitor& monitor) { monitor.want_positions(); });
    ASSERT_TRUE(eventually(
        [&] {
          return std::ranges::all_of(watched.latest()->nodes, [&](const NodeStatus& node) {
            return node.observed_started_at >= asked;
          });
        },
        2s));
  }
  const Duration spent = net::Loop::now() - started;
  fmt::print("{} rounds in {} ms\n", kRounds, spent / 1ms);
  EXPECT_LT(spent, kRounds * 250ms);  // Not by waiting for the next interval.
  EXPECT_GE(spent, kRounds * proxy::kPositionGapMin / 2);
  // One round per call and the regular ones, not a stream that goes on by itself.
  const uint64_t regular = 3 * static_cast<uint64_t>(spent / 500ms + 2);
  EXPECT_LE(watched.published() - published, 3U * kRounds + regular);
}

TEST(ClusterMonitor, SeesAPromotionAndRefusesTheOldPrimary) {
  TestCluster cluster(2);
  Watched watched(cluster);
  ASSERT_TRUE(eventually([&] { return watched.all_well(); }));
  cluster.stop(0);
  EXPECT_TRUE(eventually([&] { return !watched.latest()->primary; }, 10s));
  EXPECT_TRUE(watched.node(1).usable_for_reads) << watched.node(1).reason;

  Sql(cluster.superuser(1)).run("SELECT pg_promote(true, 30)");
  ASSERT_TRUE(eventually([&] { return watched.latest()->primary == NodeIndex{1}; }, 10s));
  EXPECT_EQ(watched.latest()->timeline, 2U);
  EXPECT_EQ(watched.latest()->epoch, 2U);

  cluster.start(0);
  EXPECT_TRUE(eventually([&] { return watched.node(0).role == NodeRole::kRefused; }, 10s));
  EXPECT_EQ(watched.latest()->primary, NodeIndex{1});
  EXPECT_EQ(watched.latest()->epoch, 2U);
  EXPECT_NE(watched.latest()->alarm.find("old primary"), std::string::npos)
      << watched.latest()->alarm;
}

/// A catalog loader, and the newest catalog of each database.
class Loading {
 public:
  explicit Loading(TestCluster& cluster) {
    control_.run([&] {
      loader_ = std::make_unique<CatalogLoader>(
          control_.loop(), "test", login_of(cluster.cluster().as_monitor(cluster.node(0))),
          sql::RoutingLists{},
          [this](const std::string& database, std::shared_ptr<const sql::FunctionCatalog> catalog) {
            const std::lock_guard lock(mutex_);
            withdrawn_ |= catalog == nullptr;
            catalogs_[database] = std::move(catalog);
          });
      loader_->set_primary(endpoint_of(cluster.node(0)), 1);
    });
  }
  ~Loading() {
    control_.finish(loader_->stop());
    control_.run([&] { loader_.reset(); });
  }
  std::shared_ptr<const sql::FunctionCatalog> of(const std::string& database) {
    const std::lock_guard lock(mutex_);
    return catalogs_[database];
  }
  /// Nothing was known for a moment, of any database.
  bool was_withdrawn() {
    const std::lock_guard lock(mutex_);
    return withdrawn_;
  }
  bool says(const std::string& database, const char* function, FunctionVerdict verdict) {
    const auto catalog = of(database);
    return catalog && catalog->verdict(function) == verdict;
  }
  void on_control(const std::function<void(CatalogLoader&)>& work) {
    control_.run([&] { work(*loader_); });
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const sql::FunctionCatalog>> catalogs_;
  bool withdrawn_ = false;
  ControlThread control_;
  std::unique_ptr<CatalogLoader> loader_;
};

constexpr const char* kWriter =
    "CREATE OR REPLACE FUNCTION {}() RETURNS int LANGUAGE sql {} AS 'SELECT 1'";

TEST(CatalogLoader, KnowsTheFunctionsOfADatabaseAndSeesThoseThatAreCreatedElsewhere) {
  TestCluster& cluster = TestCluster::shared();
  Loading loading(cluster);
  loading.on_control([](CatalogLoader& loader) { loader.request("app"); });
  ASSERT_TRUE(eventually([&] { return loading.of("app") != nullptr; }));
  EXPECT_TRUE(loading.says("app", "lower", FunctionVerdict::kSafe));
  EXPECT_TRUE(loading.says("app", "nextval", FunctionVerdict::kVolatile));
  EXPECT_TRUE(loading.says("app", "made_elsewhere", FunctionVerdict::kUnknown));

  Sql sql(cluster.superuser());
  sql.run(fmt::format(kWriter, "made_elsewhere", "STABLE"));
  EXPECT_TRUE(eventually(
      [&] { return loading.says("app", "made_elsewhere", FunctionVerdict::kSafe); }, 10s));
  const uint64_t generation = loading.of("app")->generation();
  sql.run(fmt::format(kWriter, "made_elsewhere", "VOLATILE"));
  EXPECT_TRUE(eventually(
      [&] { return loading.says("app", "made_elsewhere", FunctionVerdict::kVolatile); }, 10s));
  EXPECT_GT(loading.of("app")->generation(), generation);
  sql.run("DROP FUNCTION made_elsewhere()");
  EXPECT_TRUE(eventually(
      [&] { return loading.says("app", "made_elsewhere", FunctionVerdict::kUnknown); }, 10s));
}

TEST(CatalogLoader, LoadsAtOnceWhenToldOfDdl) {
  TestCluster& cluster = TestCluster::shared();
  Loading loading(cluster);
  loading.on_control([](CatalogLoader& loader) { loader.request("app"); });
  ASSERT_TRUE(eventually([&] { return loading.of("app") != nullptr; }));
  Sql sql(cluster.superuser());
  sql.run(fmt::format(kWriter, "made_here", "STABLE"));
  loading.on_control([](CatalogLoader& loader) { loader.invalidate("app"); });
  EXPECT_TRUE(
      eventually([&] { return loading.says("app", "made_here", FunctionVerdict::kSafe); }, 2s));
  sql.run("DROP FUNCTION made_here()");
}

TEST(CatalogLoader, LoadsAnewWhenItLooksNextAfterADoubtThoughNothingHasChanged) {  // A42, D11
  TestCluster& cluster = TestCluster::shared();
  Loading loading(cluster);
  loading.on_control([](CatalogLoader& loader) { loader.request("app"); });
  ASSERT_TRUE(eventually([&] { return loading.of("app") != nullptr; }));
  const auto before = loading.of("app");
  loading.on_control([](CatalogLoader& loader) { loader.doubt("app"); });
  EXPECT_TRUE(eventually([&] { return loading.of("app")->as_of() > before->as_of(); }, 10s));
}

TEST(CatalogLoader, OnAnotherTimelineNothingIsKnownUntilItIsAskedFor) {  // A42
  TestCluster& cluster = TestCluster::shared();
  Loading loading(cluster);
  const auto endpoint = endpoint_of(cluster.node(0));
  loading.on_control([](CatalogLoader& loader) { loader.request("app"); });
  ASSERT_TRUE(eventually([&] { return loading.of("app") != nullptr; }));
  const auto before = loading.of("app");
  loading.on_control([&](CatalogLoader& loader) {
    loader.set_primary(std::nullopt, 1);
    loader.set_primary(endpoint, 1);
  });
  EXPECT_FALSE(loading.was_withdrawn()) << "the same primary is back";
  loading.on_control([&](CatalogLoader& loader) { loader.set_primary(endpoint, 2); });
  EXPECT_TRUE(loading.was_withdrawn()) << "the last DDL may be lost";
  EXPECT_TRUE(eventually([&] { return loading.of("app") != nullptr; }, 2s));
  EXPECT_GT(loading.of("app")->generation(), before->generation());
}

TEST(CatalogLoader, AnAggregateIsAsBadAsTheFunctionsThatItCalls) {
  TestCluster& cluster = TestCluster::shared();
  Sql sql(cluster.superuser());
  sql.run("CREATE FUNCTION step(int, int) RETURNS int LANGUAGE sql VOLATILE AS 'SELECT $1 + $2'");
  sql.run("CREATE AGGREGATE stepping(int) (SFUNC = step, STYPE = int, INITCOND = '0')");
  sql.run("CREATE AGGREGATE adding(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0')");
  Loading loading(cluster);
  loading.on_control([](CatalogLoader& loader) { loader.request("app"); });
  ASSERT_TRUE(eventually([&] { return loading.of("app") != nullptr; }));
  EXPECT_TRUE(loading.says("app", "stepping", FunctionVerdict::kVolatile));
  EXPECT_TRUE(loading.says("app", "adding", FunctionVerdict::kSafe));
  sql.run("DROP AGGREGATE stepping(int), adding(int)");
  sql.run("DROP FUNCTION step(int, int)");
}

TEST(CatalogLoader, ADatabaseThatKeepsTheMonitorOutHasNoCatalogAndOneThatIsDroppedLosesIts) {
  TestCluster& cluster = TestCluster::shared();
  Sql sql(cluster.superuser());
  sql.run("CREATE DATABASE closed");
  sql.run("REVOKE CONNECT ON DATABASE closed FROM PUBLIC");
  sql.run("CREATE DATABASE passing");
  Loading loading(cluster);
  loading.on_control([](CatalogLoader& loader) {
    for (const char* name : {"closed", "passing", "never_existed"}) loader.request(name);
  });
  ASSERT_TRUE(eventually([&] { return loading.of("passing") != nullptr; }));
  sql.run("DROP DATABASE passing");  // Nobody of ours stands in the way.
  EXPECT_TRUE(eventually([&] { return loading.of("passing") == nullptr; }, 15s));
  EXPECT_EQ(loading.of("closed"), nullptr);
  EXPECT_EQ(loading.of("never_existed"), nullptr);
  sql.run("DROP DATABASE closed");
}

}  // namespace
}  // namespace fairlead::test
