#include "config/diff.h"

#include "config/testing.h"

namespace fairlead::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Diff, OfEqualConfigurationsIsEmptyWhateverTheirOrigins) {
  const Config by_file = loaded(sources_of(with_cluster("[listen]\nport = 7000")));
  const Config by_variable = loaded(sources_of(kMinimal, {{"FAIRLEAD_LISTEN_PORT", "7000"}}));
  EXPECT_THAT(diff(by_file, by_variable), IsEmpty());
}

TEST(Diff, TellsOldAndNewAndWhatNeedsARestart) {
  const Config before = loaded(sources_of(kMinimal));
  const Config after = loaded(sources_of(with_cluster(
      "[proxy]\nworkers = 4\nlog_level = \"debug\"\n[database.\"*\"]\npool_size = 5")));
  EXPECT_THAT(diff(before, after),
              ElementsAre(Change{"proxy.workers", "0", "4", Apply::kRestart},
                          Change{"proxy.log_level", "\"info\"", "\"debug\"", Apply::kReload},
                          Change{"database.\"*\".pool_size", "20", "5", Apply::kReload}));
  EXPECT_EQ(to_string(diff(before, after).front()), "proxy.workers: 0 -> 4 (needs a restart)");
}

TEST(Diff, MasksSecretsAndStillSeesThatTheyChanged) {
  const std::string text = std::string(kMinimal) + "monitor_password = ";
  EXPECT_THAT(
      diff(loaded(sources_of(text + "\"a\"")), loaded(sources_of(text + "\"b\""))),
      ElementsAre(Change{"cluster.main.monitor_password", "\"***\"", "\"***\"", Apply::kRestart}));
}

TEST(Diff, TellsSectionsThatCameAndWent) {
  const Config before = loaded(sources_of(with_cluster("[database.a]")));
  const Config after =
      loaded(sources_of(with_cluster("[database.b]\n[cluster.second]\nnodes = [\"x\"]")));
  EXPECT_THAT(diff(before, after),
              ElementsAre(Change{"cluster.second", "", "present", Apply::kRestart},
                          Change{"database.a", "present", "", Apply::kReload},
                          Change{"database.b", "", "present", Apply::kReload}));
}

TEST(WithoutRestart, CarriesOutWhatAReloadCanAndKeepsTheRest) {
  const Config before = loaded(sources_of(with_cluster("[proxy]\nworkers = 2\n[database.a]")));
  const Config after =
      loaded(sources_of("[proxy]\nworkers = 4\nmin_servers = 3\n[database.b]\npool_size = 7\n"
                        "[cluster.main]\nnodes = [\"db1\", \"db2\", \"db3\"]\n"));
  const auto kept = without_restart(before, after);
  ASSERT_TRUE(kept);
  EXPECT_THAT(diff(before, *kept),
              ElementsAre(Change{"proxy.min_servers", "0", "3", Apply::kReload},
                          testing::Field(&Change::key, "cluster.main.nodes"),
                          Change{"database.a", "present", "", Apply::kReload},
                          Change{"database.b", "", "present", Apply::kReload}));
  EXPECT_EQ(kept->clusters.at("main").nodes.size(), 3U);
  EXPECT_EQ(kept->databases.at("b").pool_size, 7U);
}

TEST(WithoutRestart, NeitherAddsNorRemovesAClusterNorServesADatabaseFromOne) {
  const std::string second = "[cluster.second]\nnodes = [\"x\"]\nprobe_failures = 9\n";
  const Config one = loaded(sources_of(with_cluster("[database.a]")));
  const Config two = loaded(sources_of(with_cluster("[database.a]\n" + second)));
  EXPECT_THAT(diff(one, without_restart(one, two).value()), IsEmpty());
  EXPECT_THAT(diff(two, without_restart(two, one).value()), IsEmpty());
  const Config moved =
      loaded(sources_of(with_cluster("[database.a]\ncluster = \"second\"\n" + second)));
  const auto refused = without_restart(one, moved);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              testing::HasSubstr("no cluster \"second\" before a restart"));
}

constexpr std::string_view kManaged =
    "[cluster.main]\ntopology = \"patroni\"\npatroni_urls = [\"http://db1\"]\n";

TEST(Diff, TellsOfNodesAndPatroniThatTheyWaitForTheRestartThatTheirTopologyNeeds) {
  std::vector<std::string> lines;
  for (const Change& change :
       diff(loaded(sources_of("[cluster.main]\nnodes = [\"db1\"]")), loaded(sources_of(kManaged))))
    lines.push_back(to_string(change));
  EXPECT_THAT(
      lines,
      ElementsAre("cluster.main.nodes: [\"db1:5432\"] -> [] (needs a restart, with topology)",
                  "cluster.main.topology: \"static\" -> \"patroni\" (needs a restart)",
                  "cluster.main.patroni_urls: [] -> [\"http://db1\"] (needs a restart, with "
                  "topology)"));
}

TEST(WithoutRestart, KeepsTheNodesOfATopologyUntilAnotherOneComes) {
  const Config listed = loaded(sources_of(std::string(kMinimal) + "[proxy]\nmin_servers = 1"));
  const Config managed = loaded(sources_of(std::string(kManaged) + "[proxy]\nmin_servers = 2"));
  for (const auto& [before, after] : {std::pair(listed, managed), std::pair(managed, listed)}) {
    const auto kept = without_restart(before, after);
    ASSERT_TRUE(kept) << describe(kept.error());
    EXPECT_EQ(kept->clusters, before.clusters);
    EXPECT_EQ(kept->proxy.min_servers, after.proxy.min_servers) << "all else changes";
  }
}

TEST(WithoutRestart, ChangesTheAddressesOfPatroniWhereTheTopologyStays) {
  const Config before = loaded(sources_of(kManaged));
  const Config after = loaded(sources_of(
      "[cluster.main]\ntopology = \"patroni\"\npatroni_urls = [\"https://db2\"]\nnodes = [\"x\"]"));
  EXPECT_EQ(without_restart(before, after).value().clusters, after.clusters);
}

TEST(WithoutRestart, RefusesWhatWouldBeWrongTogether) {
  Config before = loaded(sources_of(kMinimal));
  Config after = before;
  before.clusters.at("main").nodes.clear();  // By whatever way.
  after.clusters.at("main").nodes.clear();
  const auto refused = without_restart(before, after);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "cluster.main.nodes: is empty");
  EXPECT_THAT(refused.error().hint, testing::HasSubstr("restart"));
}

TEST(WithoutRestart, LeavesNothingThatNeedsOneWhateverKeyChanges) {
  const Config before = loaded(sources_of(kMinimal));
  for (const Section& section : sections()) {
    for (const Key& key : section.keys) {
      EXPECT_NE(key.copy, nullptr) << key.name;
    }
  }
  Config after = before;
  after.listen.port = 1;
  after.clusters.at("main").monitor_user = "other";
  after.clusters.at("main").probe_interval = 7s;
  EXPECT_THAT(diff(before, without_restart(before, after).value()), IsEmpty());
}

}  // namespace
}  // namespace fairlead::config
