#include "proxy/monitor_news.h"

#include <gmock/gmock.h>

namespace fairlead::proxy {
namespace {

using core::ClusterSnapshot;
using core::NodeIndex;
using core::NodeRole;
using core::NodeState;
using log::Level;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ClusterSnapshot healthy() {
  ClusterSnapshot snapshot;
  snapshot.epoch = 1;
  snapshot.primary = NodeIndex{0};
  snapshot.timeline = 1;
  for (const char* name : {"a:1", "b:2"}) {
    auto& node = snapshot.nodes.emplace_back();
    node.name = name;
    node.role = NodeRole::kReplica;
    node.state = NodeState::kUp;
    node.timeline = 1;
    node.usable_for_reads = true;
  }
  snapshot.nodes[0].role = NodeRole::kPrimary;
  return snapshot;
}

TEST(MonitorNews, TheFirstLookTellsEveryNodeAndThePrimary) {
  EXPECT_THAT(news_between(nullptr, healthy()),
              ElementsAre(NewsLine{Level::kInfo, "node a:1 is up, primary on timeline 1"},
                          NewsLine{Level::kInfo, "node b:2 is up, replica on timeline 1"},
                          NewsLine{Level::kInfo, "a:1 is the primary, timeline 1, epoch 1"}));
}

TEST(MonitorNews, PositionsLagAndWordsAreNoNews) {
  const ClusterSnapshot before = healthy();
  ClusterSnapshot after = healthy();
  after.nodes[1].replay_lsn = Lsn{99};
  after.nodes[1].lag = {core::Lag::Known::kAtMost, 5, std::chrono::seconds(3)};
  EXPECT_THAT(news_between(&before, after), IsEmpty());
}

TEST(MonitorNews, ANodeThatGoesDownIsAWarningWithItsReason) {
  const ClusterSnapshot before = healthy();
  ClusterSnapshot after = healthy();
  after.nodes[1].state = NodeState::kDown;
  after.nodes[1].usable_for_reads = false;
  after.nodes[1].reason = "no answer";
  EXPECT_THAT(news_between(&before, after),
              ElementsAre(NewsLine{Level::kWarning,
                                   "node b:2 is down, replica on timeline 1, not used for reads: "
                                   "no answer"}));
  ClusterSnapshot later = after;
  later.nodes[1].reason = "no answer, again";
  EXPECT_THAT(news_between(&after, later), IsEmpty());
}

TEST(MonitorNews, AnAlarmIsToldOnceAndItsEndToo) {
  const ClusterSnapshot before = healthy();
  ClusterSnapshot after = healthy();
  after.primary.reset();
  after.alarm = "split brain";
  EXPECT_THAT(
      news_between(&before, after),
      ElementsAre(NewsLine{Level::kWarning, "there is no primary any more, it was a:1, epoch 1"},
                  NewsLine{Level::kError, "alarm: split brain"}));
  EXPECT_THAT(news_between(&after, after), IsEmpty());
  EXPECT_THAT(news_between(&after, before),
              ElementsAre(NewsLine{Level::kInfo, "a:1 is the primary, timeline 1, epoch 1"},
                          NewsLine{Level::kInfo, "the alarm is over: split brain"}));
}

}  // namespace
}  // namespace fairlead::proxy
