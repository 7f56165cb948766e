#include "app/check_patroni.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<NodeReport> nodes(bool leader_in_recovery) {
  NodeAnswer answer;
  answer.in_recovery = leader_in_recovery;
  return {{"main", "a:1", answer}};
}

proxy::PatroniDiscovery saying(std::string leader, bool speaks = true) {
  proxy::PatroniDiscovery found;
  found.judgement.speaks = speaks;
  found.judgement.leader = std::move(leader);
  return found;
}

std::vector<std::string> messages(const proxy::PatroniDiscovery& found,
                                  bool leader_in_recovery = false) {
  std::vector<std::string> out;
  for (const Finding& finding : judge_patroni("main", found, nodes(leader_in_recovery))) {
    EXPECT_FALSE(finding.error.hint.empty()) << finding.error.message;
    out.push_back(finding.where + ": " + finding.error.message);
  }
  return out;
}

TEST(JudgePatroni, ALeaderThatAcceptsWritesIsInOrder) {
  EXPECT_THAT(messages(saying("a:1")), IsEmpty());
}

TEST(JudgePatroni, NobodyALeaderInRecoveryAndSilenceAreProblems) {  // E1
  EXPECT_THAT(messages(saying("")), ElementsAre(HasSubstr("nobody leads")));
  EXPECT_THAT(messages(saying("a:1"), true),
              ElementsAre("cluster main: a:1 leads by Patroni's word, and is in recovery"));
  EXPECT_THAT(messages(saying("", false)), ElementsAre(HasSubstr("no Patroni says who leads")));
}

TEST(JudgePatroni, EveryAddressThatIsInTroubleIsNamed) {
  auto found = saying("a:1");
  found.judgement.troubles.push_back(
      {"http://b:8008", {ErrorCode::kConnectionFailure, "refused", {}, "start it"}});
  found.judgement.paused = true;
  EXPECT_THAT(messages(found),
              ElementsAre("http://b:8008: refused", "cluster main: Patroni is paused"));
}

TEST(JudgePatroni, IsUnreachableWithoutOneWholeAnswer) {
  proxy::PatroniDiscovery found;
  EXPECT_TRUE(is_unreachable(found));
  found.reports.resize(2);
  found.reports[0].cluster.emplace();
  EXPECT_TRUE(is_unreachable(found));
  found.reports[1].cluster.emplace();
  found.reports[1].status.emplace();
  EXPECT_FALSE(is_unreachable(found));
}

TEST(Discovered, AStaticClusterIsNotAskedAbout) {
  config::Cluster cluster;
  cluster.nodes = {{"a", 1}};
  std::optional<proxy::PatroniDiscovery> found;
  EXPECT_EQ(discovered(cluster, found), cluster);
  EXPECT_FALSE(found);
}

}  // namespace
}  // namespace fairlead::app
