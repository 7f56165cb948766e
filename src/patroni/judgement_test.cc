#include "patroni/judgement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::patroni {
namespace {

using core::ManagerWord;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

constexpr Time kNow{1h};
constexpr int64_t kDate = 1'795'769'643;
const std::string kA = "10.0.0.1:5432";
const std::string kB = "10.0.0.2:5432";

Member member(std::string name, std::string host, bool leads) {
  return {.name = std::move(name),
          .is_leader = leads,
          .state = "running",
          .address = config::NodeAddress{std::move(host), 5432}};
}

/// What one address says: who leads ("a", "b" or nobody), and when its member had heard the store.
Report report(std::string url, std::string_view leader, Duration heard_ago = 0s) {
  Report out{.url = std::move(url), .trouble = {}};
  out.cluster = ClusterAnswer{
      .members = {member("a", "10.0.0.1", leader == "a"), member("b", "10.0.0.2", leader == "b")},
      .scope = {}};
  out.cluster_asked_at = out.status_asked_at = kNow;
  out.cluster_date_s = out.status_date_s = kDate;
  out.status = StatusAnswer{.state = "running", .scope = "shop", .version = {}};
  out.status->dcs_last_seen_s =
      kDate - std::chrono::duration_cast<std::chrono::seconds>(heard_ago).count();
  return out;
}

auto says(const char* text) { return testing::Property(&Trouble::text, HasSubstr(text)); }

Judgement of(std::vector<Report> reports, JudgeConfig config = {}) {
  return judge(reports, config, kNow);
}

TEST(Judge, BelievesWhoHasHeardItsStore) {  // E33
  const Judgement seen = of({report("u1", "a", 10s)});
  EXPECT_TRUE(seen.speaks);
  EXPECT_EQ(seen.leader, kA);
  EXPECT_EQ(seen.word_on(kA), ManagerWord::kLeader);
  EXPECT_EQ(seen.word_on(kB), ManagerWord::kNotLeader);
  EXPECT_THAT(seen.nodes, SizeIs(2));
  EXPECT_THAT(seen.troubles, IsEmpty());
}

TEST(Judge, NobodysWordOutlivesTheTtlHoweverQuicklyHeAnswers) {  // E33
  const Judgement seen = of({report("u1", "a", 31s)});
  EXPECT_FALSE(seen.speaks);
  EXPECT_EQ(seen.word_on(kA), ManagerWord::kNone);
  EXPECT_THAT(seen.nodes, IsEmpty()) << "nothing new was said: the list stays as it is";
  EXPECT_THAT(seen.troubles, Contains(says("u1: it last heard its store 31 s ago")));
  Report silent = report("u1", "a");
  silent.status_asked_at = silent.cluster_asked_at = kNow - 40s;  // And no answer since.
  EXPECT_FALSE(of({silent}).speaks);
}

TEST(Judge, TheAgeIsByTheMembersOwnClock) {
  Report report_of_other_clock = report("u1", "a", 5s);
  for (auto* date : {&report_of_other_clock.status_date_s, &report_of_other_clock.cluster_date_s,
                     &report_of_other_clock.status->dcs_last_seen_s})
    **date -= 86'400;
  EXPECT_EQ(heard_at(report_of_other_clock), kNow - 5s);
  report_of_other_clock.status->dcs_last_seen_s.reset();
  EXPECT_THAT(of({report_of_other_clock}).troubles, Contains(says("dcs_last_seen")));
}

TEST(Judge, TheNewerWordWinsOverAStaleOne) {
  for (const bool stale_first : {true, false}) {
    std::vector<Report> reports{report("old", "a", 12s), report("new", "b", 1s)};
    if (!stale_first) std::ranges::reverse(reports);
    EXPECT_EQ(of(reports).leader, kB);
  }
}

TEST(Judge, AnAnswerOfYesterdayIsNotMadeNewByAFreshStatus) {
  Report half_new = report("u1", "a", 0s);
  half_new.cluster_asked_at = kNow - 8s;  // /cluster has not been answered since.
  EXPECT_EQ(of({half_new, report("u2", "b", 2s)}).leader, kB);
}

TEST(Judge, EquallyNewWordsMustAgreeOrMostOfThem) {
  const Judgement torn = of({report("u1", "a"), report("u2", "b", 1s)});
  EXPECT_TRUE(torn.speaks);
  EXPECT_EQ(torn.leader, "");
  EXPECT_EQ(torn.word_on(kA), ManagerWord::kNotLeader);
  EXPECT_THAT(torn.troubles,
              Contains(says("contradict each other (u1 names 10.0.0.1:5432; u2 names")));
  const Judgement most = of({report("u1", "a"), report("u2", "b"), report("u3", "a", 2s)});
  EXPECT_EQ(most.leader, kA);
}

TEST(Judge, AFreeLockIsAWordAndNobodyLeads) {  // E33
  Report unlocked = report("u1", "");
  EXPECT_TRUE(of({unlocked}).speaks);
  EXPECT_EQ(of({unlocked}).leader, "");
  Report contradicts_itself = report("u1", "a");
  contradicts_itself.status->cluster_unlocked = true;
  EXPECT_EQ(of({contradicts_itself}).leader, "");
  contradicts_itself.cluster.reset();
  EXPECT_TRUE(of({contradicts_itself}).speaks) << "that needs no list of members";
}

TEST(Judge, WhilePausedOrInFailsafeAFreeLockSaysNothing) {  // E8
  for (const auto mark : {+[](Report& it) { it.status->paused = true; },
                          +[](Report& it) { it.cluster->paused = true; },
                          +[](Report& it) { it.status->failsafe_active = true; }}) {
    Report free = report("u1", "");
    free.status->cluster_unlocked = true;
    mark(free);
    EXPECT_EQ(of({free}).word_on(kA), ManagerWord::kNone);
    Report locked = report("u1", "a");
    mark(locked);
    EXPECT_EQ(of({locked}).word_on(kA), ManagerWord::kLeader);
  }
}

TEST(Judge, WhoSpeaksOfAnotherClusterIsNotHeard) {
  Report other = report("u2", "b");
  other.status->scope = "forum";
  const Judgement seen = of({report("u1", "a"), other});
  EXPECT_EQ(seen.leader, kA);
  EXPECT_THAT(seen.troubles, Contains(says("u2: it is of the cluster \"forum\", not of \"shop\"")));
  EXPECT_EQ(of({report("u1", "a"), other}, {.scope = "forum"}).leader, kB);
}

TEST(Judge, ANodeLeavesTheListOnlyWhenNobodyNamesIt) {
  Report lacks_b = report("u1", "a");
  lacks_b.cluster->members.pop_back();
  EXPECT_THAT(of({lacks_b, report("u2", "a")}).nodes, SizeIs(2));
  EXPECT_THAT(of({lacks_b, report("stale", "a", 20s)}).nodes, SizeIs(1));
  Report no_address = report("u1", "a");
  no_address.cluster->members[1].address.reset();
  EXPECT_THAT(of({no_address}).nodes, SizeIs(1));
}

TEST(Judge, ALeaderWithoutAnAddressIsNobody) {
  Report unreachable = report("u1", "a");
  unreachable.cluster->members[0].address.reset();
  EXPECT_EQ(of({unreachable}).leader, "");
  EXPECT_TRUE(of({unreachable}).speaks);
}

TEST(Judge, TellsWhatIsPlannedByOurClockAndWhichNodesTakeNoReads) {
  Report planned = report("u1", "a");
  planned.cluster->switchover = ScheduledSwitchover{.at_s = kDate + 60, .from = "a", .to = "b"};
  planned.cluster->members[1].noloadbalance = true;
  const Judgement seen = of({planned});
  EXPECT_EQ(seen.switchover_at, kNow + 60s);
  EXPECT_FALSE(seen.nodes[0].noloadbalance);
  EXPECT_TRUE(seen.nodes[1].noloadbalance);
}

TEST(Judge, AroundAPlannedSwitchoverNothingNewBegins) {  // E26
  Judgement seen;
  EXPECT_FALSE(seen.holds_writes(kNow));
  seen.switchover_at = kNow;
  EXPECT_FALSE(seen.holds_writes(kNow - 4s));
  EXPECT_TRUE(seen.holds_writes(kNow - 2s));
  EXPECT_TRUE(seen.holds_writes(kNow + 10s));
  EXPECT_FALSE(seen.holds_writes(kNow + 20s)) << "it was not carried out";
}

TEST(Judge, AHistoryIsThatOfTheTimelineAfterItsLastLine) {  // D20
  Report with_history = report("u1", "a");
  with_history.history = core::TimelineHistory{{{1, Lsn{100}}, {2, Lsn{200}}}};
  const Judgement seen = of({with_history});
  ASSERT_NE(seen.history_of(3), nullptr);
  EXPECT_EQ(seen.history_of(3)->left_at(2), Lsn{200});
  EXPECT_EQ(seen.history_of(2), nullptr);
  EXPECT_EQ(seen.history_of(4), nullptr) << "a promotion that it has not heard of";
  with_history.history = core::TimelineHistory{};
  EXPECT_NE(of({with_history}).history_of(1), nullptr);
  EXPECT_EQ(of({report("u1", "a")}).history_of(1), nullptr);
}

TEST(Judge, NothingAtAllSaysNothing) {
  EXPECT_FALSE(of({}).speaks);
  const Judgement seen =
      of({{.url = "u1", .trouble = Error{ErrorCode::kConnectionFailure, "refused"}}});
  EXPECT_FALSE(seen.speaks);
  EXPECT_THAT(seen.troubles, Contains(says("u1: refused")));
}

}  // namespace
}  // namespace fairlead::patroni
