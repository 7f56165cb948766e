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
              ElementsAre(Change{"proxy.workers", "2", "4", Apply::kRestart},
                          Change{"proxy.log_level", "\"info\"", "\"debug\"", Apply::kReload},
                          Change{"database.\"*\".pool_size", "20", "5", Apply::kReload}));
  EXPECT_EQ(to_string(diff(before, after).front()), "proxy.workers: 2 -> 4 (needs a restart)");
}

TEST(Diff, MasksSecretsAndStillSeesThatTheyChanged) {
  const std::string text = std::string(kMinimal) + "monitor_password = ";
  EXPECT_THAT(
      diff(loaded(sources_of(text + "\"a\"")), loaded(sources_of(text + "\"b\""))),
      ElementsAre(Change{"cluster.main.monitor_password", "\"***\"", "\"***\"", Apply::kReload}));
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

}  // namespace
}  // namespace fairlead::config
