#include "core/node_choice.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "core/nodes_testing.h"

namespace fairlead::core {
namespace {

using sql::ReadConsistency;
using sql::Reason;
using std::chrono::milliseconds;
using std::chrono::seconds;

Time at_ms(int ms) { return Time{seconds(1000) + milliseconds(ms)}; }

sql::FloorToken token(std::optional<uint32_t> timeline, uint64_t lsn) {
  return {.system_identifier = std::nullopt, .timeline = timeline, .lsn = Lsn{lsn}};
}

/// A primary (0) and two replicas (1, 2). The primary was at 900 when it was asked at 60 ms, and at
/// 1000 at 100 ms, where the replicas are, too; it is 150 ms now.
class NodeChoiceTest : public ::testing::Test {
 protected:
  NodeChoiceTest() {
    cluster_.decided_at = at_ms(110);
    cluster_.primary = node(0);
    cluster_.timeline = 2;
    cluster_.system_identifier = 7;
    cluster_.history = TimelineHistory{{{1, Lsn{500}}}};
    cluster_.positions.add(at_ms(60), Lsn{900});
    cluster_.positions.add(at_ms(100), Lsn{1000});
    cluster_.position = {.lsn = Lsn{1000}, .sampled_at = at_ms(100)};
    for (int i = 0; i < 3; ++i) {
      NodeStatus& status = cluster_.nodes.emplace_back();
      status.name = "10.0.0." + std::to_string(i) + ":5432";
      status.role = i == 0 ? NodeRole::kPrimary : NodeRole::kReplica;
      status.state = NodeState::kUp;
      status.replay_lsn = Lsn{1000};
      status.observed_started_at = at_ms(100 + i);
      status.lag = {Lag::Known::kAtMost, 0, Duration{0}};
      status.usable_for_reads = true;
    }
    options_ = {.consistency = ReadConsistency::kApp,
                .max_lag = seconds(10),
                .freshness_wait = milliseconds(20),
                .pool_timeout = seconds(5),
                .failover_hold = seconds(30)};
  }

  ChoiceView view() { return {cluster_, options_, in_use_, scratch_, at_ms(150)}; }
  Choice choose() { return choose_node(wish_, history_, view(), balancer_, 0); }
  Foreseen foreseen() { return core::foresee(wish_.route, history_, view()).foreseen; }

  void lose_primary() {
    cluster_.primary.reset();
    cluster_.alarm = "no primary: no node accepts writes";
    cluster_.nodes[0].state = NodeState::kDown;
    cluster_.nodes[0].usable_for_reads = false;
    cluster_.nodes[0].reason = "connection refused";
  }
  void lose_replicas() {
    for (int i : {1, 2}) cluster_.nodes[static_cast<size_t>(i)].usable_for_reads = false;
  }
  void route_to(std::string name) { wish_.route.node = std::move(name); }

  ClusterSnapshot cluster_;
  ChoiceOptions options_;
  std::array<uint32_t, 3> in_use_{0, 5, 3};
  std::array<Candidate, 3> scratch_;
  Balancer balancer_{BalanceMethod::kLeastBusy};
  LeaseWish wish_{.route = {.target = Target::kReplica, .reason = Reason::kRead}};
  ReadHistory history_{.arrived = at_ms(140)};
};

void expect_at_once(const Choice& choice, const NodeChoice& expected) {
  ASSERT_TRUE(choice.now.has_value()) << describe(choice.now.error());
  EXPECT_EQ(*choice.now, expected);
  EXPECT_EQ(choice.patience, Duration{});
  EXPECT_FALSE(choice.wants_positions);
}

TEST_F(NodeChoiceTest, AWriteGoesToThePrimaryAtOnceWhateverIsKnownOfReplicas) {
  wish_.route = {.target = Target::kPrimary, .reason = Reason::kWrite};
  history_.others_write = at_ms(120);
  expect_at_once(choose(), {.node = node(0), .target = Target::kPrimary, .reason = Reason::kWrite});
}

TEST_F(NodeChoiceTest, WithoutAPrimaryAWriteMayWaitForOne) {  // E1
  wish_.route = {.target = Target::kPrimary, .reason = Reason::kWrite};
  lose_primary();
  const Choice choice = choose();
  ASSERT_FALSE(choice.now.has_value());
  EXPECT_EQ(choice.now.error().code, ErrorCode::kCannotConnectNow);
  EXPECT_EQ(choice.now.error().message, "there is no primary to send this statement to");
  EXPECT_EQ(choice.now.error().detail,
            "no primary: no node accepts writes; 10.0.0.0:5432: connection refused");
  EXPECT_EQ(choice.patience, options_.failover_hold);
}

TEST_F(NodeChoiceTest, WhileThePrimaryAsksForAPauseNothingNewGoesThere) {  // E26
  cluster_.holds_writes = true;
  options_.primary_reads = true;
  expect_at_once(choose(), {.node = node(2), .target = Target::kReplica, .reason = Reason::kRead});
  in_use_[0] = 0, in_use_[1] = in_use_[2] = 9;
  EXPECT_NE(choose().now->node, node(0));
  for (const char* name : {"", "10.0.0.0:5432"}) {
    wish_.route = {.target = Target::kPrimary, .reason = Reason::kWrite, .node = name};
    const Choice choice = choose();
    ASSERT_FALSE(choice.now.has_value());
    EXPECT_EQ(choice.now.error(), writes_are_held());
    EXPECT_EQ(choice.patience, options_.failover_hold);
  }
  wish_.route = {.target = Target::kPrimary, .reason = Reason::kLocal};
  EXPECT_EQ(choose().now->target, Target::kReplica) << "a greeting";
  wish_.route = {.target = Target::kReplica, .reason = Reason::kRead};
  history_.own_write = history_.others_write = at_ms(120);
  EXPECT_EQ(choose().now.error(), writes_are_held()) << "a read that only the primary can answer";
}

TEST_F(NodeChoiceTest, AReadGoesToTheReplicaThatTheBalanceNames) {
  expect_at_once(choose(), {.node = node(2), .target = Target::kReplica, .reason = Reason::kRead});
  in_use_[2] = 9;
  EXPECT_EQ(choose().now->node, node(1));
}

TEST_F(NodeChoiceTest, ReplicasThatFailedTheRequestAreAvoidedAndThePrimaryComesAfterThem) {  // A60
  wish_.avoid = {node(2)};
  EXPECT_EQ(choose().now->node, node(1));
  wish_.avoid = {node(2), node(1)};
  expect_at_once(choose(),
                 {.node = node(0), .target = Target::kPrimary, .reason = Reason::kNoReplica});
}

TEST_F(NodeChoiceTest, TheFloorAllowsOnlyServersThatWereOpenWhenItWasSeen) {  // D16
  history_.others_write = at_ms(70);
  expect_at_once(choose(), {.node = node(2),
                            .target = Target::kReplica,
                            .reason = Reason::kRead,
                            .opened_before = at_ms(102)});
}

TEST_F(NodeChoiceTest, AWriteThatNoReplicaHasYetIsWaitedForAndThenReadOnThePrimary) {  // D11
  for (const auto& moment :
       {at_ms(70), at_ms(120)}) {  // Its position is known, and is not known yet.
    history_.others_write = moment;
    for (NodeStatus& status : cluster_.nodes) status.replay_lsn = Lsn{950};
    const Choice choice = choose();
    ASSERT_TRUE(choice.now.has_value());
    EXPECT_EQ(
        *choice.now,
        (NodeChoice{.node = node(0), .target = Target::kPrimary, .reason = Reason::kOwnWrite}));
    EXPECT_EQ(choice.patience, options_.freshness_wait);
    EXPECT_TRUE(choice.wants_positions);
  }
}

TEST_F(NodeChoiceTest, OnTheReadPortTheWriteIsWaitedForLongerAndThePrimaryIsNoWayOut) {
  wish_.route.replica_only = true;
  history_.others_write = at_ms(120);
  const Choice choice = choose();
  ASSERT_FALSE(choice.now.has_value());
  EXPECT_EQ(choice.now.error().message, "there is no replica to send this statement to");
  EXPECT_EQ(choice.patience, options_.pool_timeout);
  EXPECT_TRUE(choice.wants_positions);
  EXPECT_EQ(patience_of_read(wish_.route, options_, true), options_.pool_timeout);
}

TEST_F(NodeChoiceTest, OnTheReadPortTheWriteIsWaitedForWithoutEndIfServersAre) {
  wish_.route.replica_only = true;
  history_.others_write = at_ms(120);
  options_.pool_timeout = Duration{};
  EXPECT_GE(choose().patience, std::chrono::hours(24));
}

TEST_F(NodeChoiceTest, AReadWhoseWriteNobodyCanConfirmWaitsForAPrimaryWithTheWrites) {
  lose_primary();
  history_.others_write = at_ms(120);
  const Choice choice = choose();
  ASSERT_FALSE(choice.now.has_value());
  EXPECT_EQ(choice.patience, options_.failover_hold);
  EXPECT_TRUE(choice.wants_positions);
}

TEST_F(NodeChoiceTest, WithoutAReplicaWaitingForPositionsIsPointless) {
  lose_replicas();
  history_.others_write = at_ms(120);
  expect_at_once(choose(),
                 {.node = node(0), .target = Target::kPrimary, .reason = Reason::kNoReplica});
  wish_.route.replica_only = true;
  const Choice choice = choose();
  ASSERT_FALSE(choice.now.has_value());
  EXPECT_EQ(choice.patience, Duration{});
  EXPECT_FALSE(choice.wants_positions);
}

TEST_F(NodeChoiceTest, ThePrimaryTakesItsShareOfReadsButNotOfTheReadPorts) {
  options_.primary_reads = true;
  expect_at_once(choose(), {.node = node(0), .target = Target::kPrimary, .reason = Reason::kRead});
  wish_.route.replica_only = true;
  EXPECT_EQ(choose().now->node, node(2));
}

TEST_F(NodeChoiceTest, TheStatementsLevelAndLagCountBeforeTheDatabases) {
  history_.others_write = at_ms(120);
  wish_.route.read.consistency = ReadConsistency::kEventual;
  EXPECT_EQ(choose().now->target, Target::kReplica);
  cluster_.nodes[2].lag.time = cluster_.nodes[1].lag.time = seconds(1);
  wish_.route.read.max_lag = milliseconds(500);
  EXPECT_EQ(choose().now->reason, Reason::kNoReplica);
}

TEST_F(NodeChoiceTest, ATokenIsAFloorAtEveryLevel) {  // D24
  wish_.route.read = {.consistency = ReadConsistency::kEventual, .min_lsn = token({}, 980)};
  cluster_.nodes[2].replay_lsn = Lsn{970};
  EXPECT_EQ(*choose().now, (NodeChoice{.node = node(1),
                                       .target = Target::kReplica,
                                       .reason = Reason::kRead,
                                       .opened_before = at_ms(101)}));
}

TEST_F(NodeChoiceTest, ATokenCountsForTheNodeThatHasAnsweredTheSessionToo) {  // D21, D24
  history_.answered.note(node(1), at_ms(50), at_ms(105));
  wish_.route.read.consistency = ReadConsistency::kSession;
  EXPECT_EQ(choose().now->node, node(1)) << "others have to prove more";
  wish_.route.read.min_lsn = token({}, 980);
  EXPECT_EQ(choose().now->node, node(1));
  EXPECT_EQ(choose().now->opened_before, at_ms(101)) << "seen of older servers only";
  cluster_.nodes[1].replay_lsn = Lsn{970};
  EXPECT_EQ(choose().now->target, Target::kPrimary);
}

TEST_F(NodeChoiceTest, ATokenOfALostTimelineIsRefusedAndNotBelieved) {  // D20
  wish_.route.read.min_lsn = token(1, 500);
  EXPECT_TRUE(choose().now.has_value());
  wish_.route.read.min_lsn->lsn = Lsn{501};
  const Choice choice = choose();
  ASSERT_FALSE(choice.now.has_value());
  EXPECT_EQ(choice.now.error().code, ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(choice.patience, Duration{});
}

TEST_F(NodeChoiceTest, ATokenOfATimelineThatIsNotKnownYetIsNotAnsweredByTheOldPrimary) {  // D20
  wish_.route.read.min_lsn = token(3, 980);
  for (const bool primary_reads : {false, true}) {
    options_.primary_reads = primary_reads;
    const Choice choice = choose();
    ASSERT_FALSE(choice.now.has_value());
    EXPECT_EQ(choice.now.error().code, ErrorCode::kCannotConnectNow);
    EXPECT_EQ(choice.patience, options_.failover_hold);
    EXPECT_TRUE(choice.wants_positions);
  }
}

TEST_F(NodeChoiceTest, WhoIsPastReplicasGoesToThePrimaryAtOnceIfItsTokenIsGood) {  // D16, D20
  wish_.past_replicas = true;
  expect_at_once(choose(),
                 {.node = node(0), .target = Target::kPrimary, .reason = Reason::kOwnWrite});
  wish_.route.read.min_lsn = token(1, 501);
  EXPECT_EQ(choose().now.error().code, ErrorCode::kInvalidParameterValue);
}

TEST_F(NodeChoiceTest, WhoIsPastReplicasComesBackToThemWhenThereIsNoPrimary) {  // E20
  wish_.past_replicas = true;
  lose_primary();
  expect_at_once(choose(), {.node = node(2), .target = Target::kReplica, .reason = Reason::kRead});
  EXPECT_EQ(patience_of_read(wish_.route, options_, true), options_.freshness_wait);
  EXPECT_EQ(patience_of_read(wish_.route, options_, false), options_.failover_hold);
}

TEST_F(NodeChoiceTest, AGreetingTakesAnyNodeWhileThereIsNoPrimaryUnlessObserving) {
  wish_.route = {.target = Target::kPrimary, .reason = Reason::kLocal};
  EXPECT_EQ(choose().now->node, node(0));
  lose_primary();
  expect_at_once(choose(), {.node = node(2), .target = Target::kReplica, .reason = Reason::kLocal});
  options_.observes = true;
  EXPECT_FALSE(choose().now.has_value());
}

TEST_F(NodeChoiceTest, ANodeThatIsAskedForByNameServesWhateverItsLag) {
  wish_.route.reason = Reason::kHint;
  route_to("10.0.0.1:5432");
  cluster_.nodes[1].lag = {};
  expect_at_once(choose(), {.node = node(1), .target = Target::kReplica, .reason = Reason::kHint});
  route_to("10.0.0.0:5432");
  expect_at_once(choose(), {.node = node(0), .target = Target::kPrimary, .reason = Reason::kHint});
}

TEST_F(NodeChoiceTest, ANodeThatIsAskedForByNameHasToShowWhatTheReadMustSee) {  // D16, D24
  wish_.route = {.target = Target::kReplica,
                 .reason = Reason::kHint,
                 .replica_only = true,
                 .node = "10.0.0.1:5432"};
  history_.others_write = at_ms(90);
  expect_at_once(choose(), {.node = node(1),
                            .target = Target::kReplica,
                            .reason = Reason::kHint,
                            .opened_before = at_ms(101)});
  cluster_.nodes[1].replay_lsn = Lsn{999};
  EXPECT_FALSE(choose().now.has_value()) << "the others have it, but it was not asked for them";
  EXPECT_EQ(choose().now.error().code, ErrorCode::kCannotConnectNow);
  EXPECT_EQ(choose().patience, options_.pool_timeout);
  EXPECT_TRUE(choose().wants_positions);
  EXPECT_EQ(foreseen(), Foreseen::kWaits);
  history_.others_write = at_ms(120);  // Which is not sampled yet.
  cluster_.nodes[1].replay_lsn = Lsn{1000};
  EXPECT_FALSE(choose().now.has_value());
  EXPECT_TRUE(choose().wants_positions);
  wish_.route.read.consistency = ReadConsistency::kEventual;
  EXPECT_TRUE(choose().now.has_value());
  wish_.route.read.min_lsn = token(2, 1001);
  EXPECT_FALSE(choose().now.has_value());
  wish_.route.read.min_lsn->system_identifier = 8;
  EXPECT_EQ(choose().now.error().code, ErrorCode::kInvalidParameterValue) << "of another cluster";
  wish_.route.read.min_lsn = {};
  cluster_.nodes[1].lag = {};
  EXPECT_TRUE(choose().now.has_value());
  wish_.route.read.max_lag = seconds(1);
  EXPECT_FALSE(choose().now.has_value()) << "the client asks for it";
  EXPECT_FALSE(choose().wants_positions);
}

TEST_F(NodeChoiceTest, AReplicaServesATransactionAsLongAsItShowsWhatTheNextReadMustSee) {  // B34
  const auto shows = [&](Time opened_at) {
    return still_shows(node(1), opened_at, wish_.route, history_, view());
  };
  EXPECT_EQ(shows(at_ms(149)), StillShows::kAll) << "nothing has been written";
  history_.others_write = at_ms(90);
  EXPECT_EQ(shows(at_ms(100)), StillShows::kAll);
  EXPECT_EQ(shows(at_ms(101)), StillShows::kNotYet)
      << "its position was observed for older servers";
  cluster_.nodes[1].replay_lsn = Lsn{999};
  EXPECT_EQ(shows(at_ms(100)), StillShows::kNotYet);
  wish_.route.read.consistency = ReadConsistency::kEventual;
  EXPECT_EQ(shows(at_ms(100)), StillShows::kAll);
  cluster_.nodes[1].lag = {};
  EXPECT_EQ(shows(at_ms(100)), StillShows::kTooLittle);
  wish_.route.node = "10.0.0.1:5432";
  EXPECT_EQ(shows(at_ms(100)), StillShows::kAll) << "it may lag";
  wish_.route.read.min_lsn = token(2, 1000);
  EXPECT_EQ(shows(at_ms(100)), StillShows::kNotYet);
}

TEST_F(NodeChoiceTest, ANodeThatIsAskedForByNameAndCannotServeIsAnError) {
  cluster_.nodes[1].usable_for_reads = false;
  for (const char* name : {"10.0.0.1:5432", "a\nb"}) {
    route_to(name);
    const Choice choice = choose();
    ASSERT_FALSE(choice.now.has_value());
    EXPECT_EQ(choice.now.error().code, ErrorCode::kCannotConnectNow);
    EXPECT_EQ(choice.patience, Duration{});
  }
  EXPECT_EQ(choose().now.error().message, "the node \"a\\x0ab\" cannot serve this statement");
}

TEST_F(NodeChoiceTest, ForeseesWhatWouldBecomeOfARead) {
  EXPECT_EQ(foreseen(), Foreseen::kMoves);
  history_.others_write = at_ms(120);
  EXPECT_EQ(foreseen(), Foreseen::kWaits);
  EXPECT_TRUE(core::foresee(wish_.route, history_, view()).wants_positions);
  lose_replicas();
  EXPECT_EQ(foreseen(), Foreseen::kNoReplica);
  EXPECT_FALSE(core::foresee(wish_.route, history_, view()).wants_positions);
  options_.primary_reads = true;
  EXPECT_EQ(foreseen(), Foreseen::kNoReplica) << "the primary's share is nothing that moves";
  wish_.route.read.min_lsn = token(1, 501);
  EXPECT_EQ(foreseen(), Foreseen::kFails);
}

TEST_F(NodeChoiceTest, ForeseeingDoesNotCountTheAnswersThatThePrimaryGaveForTheMode) {  // D21
  wish_.route.read.consistency = ReadConsistency::kSession;
  history_.answered.note(node(0), at_ms(50), at_ms(130));
  EXPECT_EQ(foreseen(), Foreseen::kMoves);
}

TEST_F(NodeChoiceTest, ForeseesANodeByName) {
  route_to("10.0.0.1:5432");
  EXPECT_EQ(foreseen(), Foreseen::kMoves);
  route_to("10.0.0.0:5432");
  EXPECT_EQ(foreseen(), Foreseen::kStays);
  route_to("10.0.0.9:5432");
  EXPECT_EQ(foreseen(), Foreseen::kFails);
}

}  // namespace
}  // namespace fairlead::core
