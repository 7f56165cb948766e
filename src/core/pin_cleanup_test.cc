#include "core/pin_cleanup.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fairlead::core {
namespace {

using Next = CleanupFsm::Next;

/// Answers every step as PostgreSQL does, except that event number `fail_at` goes wrong.
Next run(CleanupPlan plan, size_t fail_at, std::vector<std::string>* sent = nullptr,
         size_t* events = nullptr) {
  CleanupFsm fsm(plan);
  size_t event = 0;
  for (size_t step = 0; fsm.next() == Next::kSend; ++step) {
    if (sent) sent->emplace_back(fsm.sql());
    fsm.on_sent();
    for (const std::string_view tag : plan.steps[step].tags)
      if (event++ == fail_at) {
        fsm.on_unexpected();
      } else {
        fsm.on_command_complete(tag);
      }
    if (event++ == fail_at) {
      fsm.on_ready('E');
    } else {
      fsm.on_ready('I');
    }
  }
  if (events) *events = event;
  return fsm.next();
}

TEST(PlanCleanup, ClosesWhateverIsInTheMiddleOfSomething) {
  for (const auto depth :
       {CleanupDepth::kNone, CleanupDepth::kSettings, CleanupDepth::kEverything}) {
    EXPECT_TRUE(plan_cleanup(ServerSituation::kBusy, depth).close);
    EXPECT_EQ(CleanupFsm(plan_cleanup(ServerSituation::kBusy, depth)).next(), Next::kClose);
  }
}

TEST(PlanCleanup, HasNothingToDoForACleanIdleServer) {
  EXPECT_EQ(CleanupFsm(plan_cleanup(ServerSituation::kIdle, CleanupDepth::kNone)).next(),
            Next::kDone);
}

// C23: DISCARD ALL is a Query of its own.
TEST(PlanCleanup, RollsBackBeforeItDiscards) {
  std::vector<std::string> sent;
  EXPECT_EQ(
      run(plan_cleanup(ServerSituation::kInTransaction, CleanupDepth::kEverything), 99, &sent),
      Next::kDone);
  EXPECT_EQ(sent, (std::vector<std::string>{"ROLLBACK", "DISCARD ALL"}));
}

TEST(CleanupFsm, ClosesTheServerWhereverItsAnswerIsNotTheExpectedOne) {
  const auto plan = plan_cleanup(ServerSituation::kInTransaction, CleanupDepth::kSettings);
  size_t events = 0;
  ASSERT_EQ(run(plan, 99, nullptr, &events), Next::kDone);
  EXPECT_EQ(events, 7u);
  for (size_t fail_at = 0; fail_at < events; ++fail_at)
    EXPECT_EQ(run(plan, fail_at), Next::kClose) << fail_at;
}

TEST(CleanupFsm, WantsTheTagsInOrderAndAllOfThem) {
  const auto plan = plan_cleanup(ServerSituation::kIdle, CleanupDepth::kEverything);
  CleanupFsm early(plan);
  early.on_sent();
  EXPECT_EQ(early.on_ready('I'), Next::kClose);
  CleanupFsm wrong(plan);
  wrong.on_sent();
  EXPECT_EQ(wrong.on_command_complete("DISCARD PLANS"), Next::kClose);
  CleanupFsm twice(plan);
  twice.on_sent();
  EXPECT_EQ(twice.on_command_complete("DISCARD ALL"), Next::kWait);
  EXPECT_EQ(twice.on_command_complete("DISCARD ALL"), Next::kClose);
  CleanupFsm after_end(plan_cleanup(ServerSituation::kIdle, CleanupDepth::kNone));
  EXPECT_EQ(after_end.on_ready('I'), Next::kClose);
}

// C25.
TEST(PlanEndOfClient, DiscardsWhatTheClientHeldAndClosesWhatCannotBeDiscarded) {
  PinState clean;
  EXPECT_TRUE(plan_end_of_client(ServerSituation::kIdle, clean).steps.empty());
  EXPECT_EQ(plan_end_of_client(ServerSituation::kInTransaction, clean).steps.size(), 1u);

  PinState listening;
  listening.may_create({PinReason::kListen});
  listening.on_check({PinReason::kListen});
  EXPECT_EQ(plan_end_of_client(ServerSituation::kIdle, listening).steps[0].sql, "DISCARD ALL");

  PinState suspected;
  suspected.may_create({PinReason::kTempObject});
  EXPECT_EQ(plan_end_of_client(ServerSituation::kIdle, suspected).steps[0].sql, "DISCARD ALL");

  PinState loaded;
  loaded.pin(PinReason::kLibrary);
  EXPECT_TRUE(plan_end_of_client(ServerSituation::kIdle, loaded).close);
}

}  // namespace
}  // namespace fairlead::core
