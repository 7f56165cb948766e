// E10, E12: who is promoted, and when nobody may be.
#include "cluster/election.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

using ::testing::HasSubstr;

Candidate at(std::string name, uint64_t position, uint32_t timeline = 1) {
  return {std::move(name), true, "", timeline, Lsn{position}};
}
Candidate unknown(std::string name) { return {std::move(name), false, "it is stopped", 0, {}}; }

Ballot any(uint32_t count, std::vector<Candidate> candidates) {
  Ballot ballot;
  ballot.old_primary.name = "node1";
  ballot.old_primary.commits_waited_for.rule = {SyncRule::Method::kAny, count};
  for (const Candidate& candidate : candidates)
    ballot.old_primary.commits_waited_for.names.push_back(candidate.name);
  ballot.candidates = std::move(candidates);
  return ballot;
}

Ballot asynchronous(std::vector<Candidate> candidates) {
  Ballot ballot = any(1, std::move(candidates));
  ballot.old_primary.commits_waited_for = {};
  return ballot;
}

TEST(Election, TheMostAdvancedIsChosenByTimelineAndThenByPosition) {
  EXPECT_EQ(elect(any(1, {at("node2", 100), at("node3", 101)}))->chosen, 1U);
  EXPECT_EQ(elect(any(1, {at("node2", 100, 2), at("node3", 101, 1)}))->chosen, 0U);
  EXPECT_EQ(elect(any(1, {at("node2", 7), at("node3", 7)}))->chosen, 0U);
}

TEST(Election, OfEqualsTheWantedOneIsChosen) {
  Ballot ballot = any(1, {at("node2", 7), at("node3", 7)});
  ballot.wanted = "node3";
  EXPECT_EQ(elect(ballot)->chosen, 1U);
  EXPECT_TRUE(elect(ballot)->nothing_lost);
}

TEST(Election, ALessAdvancedOneIsPromotedOnlyWhenLossIsAllowed) {
  Ballot ballot = any(1, {at("node2", 100), at("node3", 164)});
  ballot.wanted = "node2";
  const auto refused = elect(ballot);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "node2 lacks what node3 has: 64 bytes");
  EXPECT_THAT(refused.error().hint, HasSubstr("promote node3"));
  ballot.allow_loss = true;
  EXPECT_EQ(elect(ballot)->chosen, 0U);
  EXPECT_FALSE(elect(ballot)->nothing_lost);
}

// Every k and n, every number of examined standbys: the promise holds exactly from n-k+1 on.
TEST(Election, OfNListedStandbysOfWhichAnyKHadACommitNMinusKPlusOneMustBeExamined) {
  for (const auto method : {SyncRule::Method::kAny, SyncRule::Method::kFirst})
    for (uint32_t n = 1; n <= 5; ++n)
      for (uint32_t k = 1; k <= n; ++k)
        for (uint32_t examined = 1; examined <= n; ++examined) {
          std::vector<Candidate> candidates;
          for (uint32_t i = 0; i < n; ++i)
            candidates.push_back(i < examined ? at("s" + std::to_string(i), 100 + i)
                                              : unknown("s" + std::to_string(i)));
          Ballot ballot = any(k, candidates);
          ballot.old_primary.commits_waited_for.rule.method = method;
          const auto verdict = elect(ballot);
          EXPECT_EQ(verdict.has_value(), examined >= n - k + 1) << n << k << examined;
          if (verdict) EXPECT_TRUE(verdict->nothing_lost);
          ballot.allow_loss = true;
          ASSERT_TRUE(elect(ballot).has_value());
          EXPECT_EQ(elect(ballot)->nothing_lost, examined >= n - k + 1);
        }
}

TEST(Election, ARefusalSaysWhoIsMissingAndWhatToDo) {
  const auto refused = elect(any(1, {at("node2", 100), unknown("node3")}));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().detail, "node3: it is stopped");
  EXPECT_THAT(refused.error().hint, HasSubstr("--allow-loss"));
}

TEST(Election, AStandbyThatIsListedAndNoNodeOfOursCountsAsNotExamined) {
  Ballot ballot = any(1, {at("node2", 100)});
  ballot.old_primary.commits_waited_for.names.push_back("elsewhere");
  EXPECT_FALSE(elect(ballot).has_value());
}

TEST(Election, AStarListsTheReplicasThatThereAre) {
  Ballot ballot = any(1, {at("node2", 100), at("node3", 100)});
  ballot.old_primary.commits_waited_for.names.clear();
  ballot.old_primary.commits_waited_for.everyone = true;
  EXPECT_TRUE(elect(ballot)->nothing_lost);
  ballot.candidates[1] = unknown("node3");
  EXPECT_FALSE(elect(ballot).has_value());
}

TEST(Election, WithAsynchronousReplicationTheVerdictSaysThatCommitsMayBeLost) {
  const auto verdict = elect(asynchronous({at("node2", 100), unknown("node3")}));
  ASSERT_TRUE(verdict.has_value());
  EXPECT_EQ(verdict->chosen, 0U);
  EXPECT_FALSE(verdict->nothing_lost);
  EXPECT_THAT(verdict->reason, HasSubstr("node3: it is stopped"));
}

TEST(Election, WhoHasAllOfACleanShutdownLosesNothingUnderAnyRule) {
  Ballot ballot = any(1, {at("node2", 101), unknown("node3")});
  ballot.old_primary.clean_end = Lsn{100};
  EXPECT_TRUE(elect(ballot)->nothing_lost);
  ballot.old_primary.clean_end = Lsn{101};
  EXPECT_FALSE(elect(ballot).has_value());
}

TEST(Election, WithoutAnExaminedReplicaNobodyIsPromoted) {
  Ballot ballot = asynchronous({unknown("node2")});
  ballot.allow_loss = true;
  const auto refused = elect(ballot);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().detail, "node2: it is stopped");
  EXPECT_FALSE(elect(asynchronous({})).has_value());
}

TEST(Election, AWantedReplicaThatDoesNotAnswerIsNotPromotedEvenWhenLossIsAllowed) {
  Ballot ballot = asynchronous({at("node2", 100), unknown("node3")});
  ballot.wanted = "node3";
  ballot.allow_loss = true;
  EXPECT_FALSE(elect(ballot).has_value());
}

}  // namespace
}  // namespace fairlead::cluster
