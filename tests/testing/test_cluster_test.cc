// The fixture itself, on real servers.
#include "testing/test_cluster.h"

#include <gtest/gtest.h>

#include "cluster/commands.h"
#include "testing/eventually.h"
#include "testing/sql.h"

namespace fairlead::test {
namespace {

TEST(TestCluster, ARowThatIsInsertedOnThePrimaryAppearsOnEveryReplica) {
  TestCluster& cluster = TestCluster::shared();
  Sql primary(cluster.app());
  primary.run("CREATE TABLE IF NOT EXISTS seen (n int); INSERT INTO seen VALUES (41), (42)");
  cluster.await_replay();
  for (size_t replica : {1, 2})
    EXPECT_EQ(rows(cluster.app(replica), "SELECT n FROM seen ORDER BY n"), (Rows{{"41"}, {"42"}}));
  EXPECT_EQ(Sql(cluster.app(1)).error("INSERT INTO seen VALUES (1)"), "25006");
}

TEST(TestCluster, StatusNamesEveryNodeItsRoleAndItsPosition) {
  TestCluster& cluster = TestCluster::shared();
  cluster.await_replay();
  const auto rows = cluster::status(cluster.dir());
  ASSERT_TRUE(rows.has_value()) << describe(rows.error());
  ASSERT_EQ(rows->size(), 3U);
  EXPECT_EQ((*rows)[0].role, cluster::Role::kPrimary);
  EXPECT_EQ((*rows)[0].state, "running");
  for (size_t i : {1, 2}) {
    EXPECT_EQ((*rows)[i].role, cluster::Role::kReplica);
    EXPECT_EQ((*rows)[i].state, "streaming");
    EXPECT_EQ((*rows)[i].timeline, 1U);
    EXPECT_TRUE((*rows)[i].receive_lsn.has_value());
    EXPECT_TRUE((*rows)[i].lag_bytes.has_value());
  }
}

TEST(TestCluster, AReplicaWhosePlaybackIsPausedReceivesButDoesNotShow) {
  TestCluster& cluster = TestCluster::shared();
  Sql primary(cluster.app());
  primary.run("CREATE TABLE IF NOT EXISTS paused (n int)");
  cluster.await_replay();
  cluster.pause_replay(1);
  primary.run("INSERT INTO paused VALUES (1)");
  EXPECT_TRUE(
      eventually([&] { return value(cluster.app(2), "SELECT count(*) FROM paused") == "1"; }));
  EXPECT_EQ(value(cluster.app(1), "SELECT count(*) FROM paused"), "0");
  const auto rows = cluster::status(cluster.dir());
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ((*rows)[1].state, "replay paused");
  EXPECT_GT((*rows)[1].lag_bytes.value_or(0), 0U);
  cluster.resume_replay(1);
  EXPECT_TRUE(
      eventually([&] { return value(cluster.app(1), "SELECT count(*) FROM paused") == "1"; }));
}

TEST(TestCluster, AKilledNodeIsStoppedAndComesBackWithItsRows) {
  TestCluster& cluster = TestCluster::shared();
  Sql(cluster.app()).run("CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (1)");
  cluster.kill(0);
  EXPECT_FALSE(cluster.is_running(0));
  cluster.start(0);
  EXPECT_EQ(value(cluster.app(), "SELECT count(*) FROM kept"), "1");
  cluster.heal();
}

TEST(TestCluster, AFrozenNodeAnswersNobodyUntilItIsThawed) {
  TestCluster& cluster = TestCluster::shared();
  cluster.freeze(2);
  const auto refused = cluster::SqlConnection::open(cluster.app(2), std::chrono::milliseconds(200));
  EXPECT_FALSE(refused.has_value());
  EXPECT_EQ((*cluster::status(cluster.dir()))[2].state, "not answering");
  cluster.thaw(2);
  EXPECT_EQ(value(cluster.app(2), "SELECT 1"), "1");
  cluster.heal();
}

TEST(TestCluster, AStoppedReplicaStartsAgainAndCatchesUp) {
  TestCluster& cluster = TestCluster::shared();
  cluster.stop(1);
  Sql(cluster.app()).run("CREATE TABLE IF NOT EXISTS late (n int); INSERT INTO late VALUES (1)");
  cluster.start(1);
  cluster.heal();
  cluster.await_replay();
  EXPECT_EQ(value(cluster.app(1), "SELECT count(*) FROM late"), "1");
}

}  // namespace
}  // namespace fairlead::test
