#include "core/pool_queue.h"

#include <gtest/gtest.h>

#include <set>

namespace fairlead::core {
namespace {

constexpr WorkerId kA{0};
constexpr WorkerId kB{1};
constexpr WorkerId kC{2};
Time since_start(int ms) { return Time(std::chrono::milliseconds(1000 + ms)); }

Ticket ticket_of(const Acquire& answer) {
  EXPECT_TRUE(std::holds_alternative<Wait>(answer));
  return std::get<Wait>(answer).ticket;
}

// `busy` servers, opened and held on `worker`.
void fill(PoolQueue& pool, WorkerId worker, int busy) {
  for (int i = 0; i < busy; ++i) {
    ASSERT_EQ(pool.acquire(worker, since_start(0)), Acquire(Open{}));
    pool.on_opened(worker);
  }
}

TEST(PoolQueue, OpensUpToItsSizeAndThenWaits) {
  PoolQueue pool(2, {.size = 2});
  EXPECT_EQ(pool.acquire(kA, since_start(0)), Acquire(Open{}));
  EXPECT_EQ(pool.acquire(kB, since_start(0)), Acquire(Open{}));
  ticket_of(pool.acquire(kA, since_start(0)));
  EXPECT_EQ(
      pool.counts(since_start(7)),
      (PoolCounts{
          .size = 2, .opening = 2, .waiting = 1, .longest_wait = std::chrono::milliseconds(7)}));
}

TEST(PoolQueue, PrefersItsOwnIdleServerOverOpeningOne) {
  PoolQueue pool(2, {.size = 2});
  fill(pool, kA, 1);
  EXPECT_EQ(pool.release(kA), Handover(KeepIdle{}));
  EXPECT_EQ(pool.acquire(kA, since_start(0)), Acquire(TakeIdle{}));
}

TEST(PoolQueue, OpensBeforeItStealsWhileTheBudgetLasts) {
  PoolQueue pool(2, {.size = 2});
  fill(pool, kA, 1);
  pool.release(kA);
  EXPECT_EQ(pool.acquire(kB, since_start(0)), Acquire(Open{}));
}

TEST(PoolQueue, StealsAnIdleServerWhenTheBudgetIsExhausted) {
  PoolQueue pool(2, {.size = 1});
  fill(pool, kA, 1);
  pool.release(kA);
  EXPECT_EQ(pool.acquire(kB, since_start(0)), Acquire(Steal{kA}));
  // Promised: neither its own worker nor a third client gets it.
  Ticket waits = ticket_of(pool.acquire(kA, since_start(0)));
  EXPECT_EQ(pool.on_steal_request(kA, kB), StealAnswer::kHandOver);
  EXPECT_EQ(pool.counts(since_start(0)).busy, 1u);
  EXPECT_EQ(pool.release(kB), Handover(GiveTo{kA, waits}));
}

TEST(PoolQueue, StealsFromOneWorkerAfterTheOther) {
  PoolQueue pool(3, {.size = 4});
  fill(pool, kA, 2);
  fill(pool, kB, 2);
  for (WorkerId worker : {kA, kA, kB, kB}) pool.release(worker);
  std::set<WorkerId> robbed;
  for (int i = 0; i < 2; ++i) robbed.insert(std::get<Steal>(pool.acquire(kC, since_start(0))).from);
  EXPECT_EQ(robbed, (std::set{kA, kB}));
}

TEST(PoolQueue, AStealWhoseServerDiedOpensInItsSlot) {
  PoolQueue pool(2, {.size = 1});
  fill(pool, kA, 1);
  pool.release(kA);
  ASSERT_EQ(pool.acquire(kB, since_start(0)), Acquire(Steal{kA}));
  ticket_of(pool.acquire(kA, since_start(0)));
  EXPECT_EQ(pool.on_closed(kA, SlotState::kIdle), std::nullopt);  // The slot is B's.
  EXPECT_EQ(pool.on_steal_request(kA, kB), StealAnswer::kOpenInstead);
  EXPECT_EQ(pool.counts(since_start(0)).opening, 1u);
}

TEST(PoolQueue, ServesWaitersOfAllWorkersInTheirOrder) {
  PoolQueue pool(3, {.size = 1});
  fill(pool, kA, 1);
  Ticket first = ticket_of(pool.acquire(kB, since_start(10)));
  Ticket second = ticket_of(pool.acquire(kA, since_start(20)));
  Ticket third = ticket_of(pool.acquire(kC, since_start(30)));
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kB, first}));
  EXPECT_EQ(pool.release(kB), Handover(GiveTo{kA, second}));
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kC, third}));
  EXPECT_EQ(pool.release(kC), Handover(KeepIdle{}));
}

TEST(PoolQueue, KeepsAServerOnItsWorkerWhileThatOvertakesNobodyByMuch) {
  PoolQueue pool(3, {.size = 1});
  fill(pool, kA, 1);
  Ticket early = ticket_of(pool.acquire(kB, since_start(10)));
  Ticket soon = ticket_of(pool.acquire(kA, since_start(11)));
  Ticket at_the_limit = ticket_of(pool.acquire(kA, since_start(10) + kOvertakeMax));
  Ticket too_late = ticket_of(pool.acquire(kA, since_start(11) + kOvertakeMax));
  EXPECT_EQ(pool.counts(since_start(30)).longest_wait, since_start(30) - since_start(10));
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kA, soon}));
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kA, at_the_limit}));
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kB, early}));
  EXPECT_EQ(pool.release(kB), Handover(GiveTo{kA, too_late}));
}

TEST(PoolQueue, WhoComesBackIsServedBeforeAllWhoCameLater) {
  PoolQueue pool(2, {.size = 1});
  fill(pool, kA, 1);
  Ticket before = ticket_of(pool.acquire(kA, since_start(10)));
  Ticket too_new_for = ticket_of(pool.acquire(kA, since_start(20)));
  Ticket elsewhere = ticket_of(pool.acquire(kB, since_start(25)));
  Ticket after = ticket_of(pool.acquire(kA, since_start(30)));
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kA, before}));
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kA, too_new_for}));
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kB, elsewhere}));
  Ticket back = ticket_of(pool.acquire(kA, since_start(20)));
  Ticket first_of_its_worker = ticket_of(pool.acquire(kB, since_start(15)));
  Ticket last = ticket_of(pool.acquire(kA, since_start(40)));
  Ticket between = ticket_of(pool.acquire(kA, since_start(35)));
  EXPECT_EQ(pool.counts(since_start(50)).longest_wait, since_start(50) - since_start(15));
  EXPECT_EQ(pool.release(kB), Handover(GiveTo{kB, first_of_its_worker}));
  EXPECT_EQ(pool.release(kB), Handover(GiveTo{kA, back}));
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kA, after}));
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kA, between}));
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kA, last}));
  EXPECT_EQ(pool.release(kA), Handover(KeepIdle{}));
}

TEST(PoolQueue, AFreedSlotGoesToTheFirstWaiter) {
  PoolQueue pool(2, {.size = 2});
  fill(pool, kA, 1);
  ASSERT_EQ(pool.acquire(kA, since_start(0)), Acquire(Open{}));
  Ticket first = ticket_of(pool.acquire(kB, since_start(1)));
  Ticket second = ticket_of(pool.acquire(kB, since_start(2)));
  EXPECT_EQ(pool.on_closed(kA, SlotState::kBusy), (GrantOpen{kB, first}));
  EXPECT_EQ(pool.on_closed(kA, SlotState::kOpening), (GrantOpen{kB, second}));
  EXPECT_EQ(pool.on_closed(kB, SlotState::kOpening), std::nullopt);
}

TEST(PoolQueue, SaysWhetherAWorkerHasAnyShareOfIt) {
  PoolQueue pool(2, {.size = 1});
  EXPECT_TRUE(pool.has_nothing_of(kA));
  fill(pool, kA, 1);
  EXPECT_FALSE(pool.has_nothing_of(kA)) << "a busy server";
  const Ticket waiting = ticket_of(pool.acquire(kB, since_start(1)));
  EXPECT_FALSE(pool.has_nothing_of(kB)) << "a waiter";
  EXPECT_TRUE(pool.cancel(waiting));
  EXPECT_TRUE(pool.has_nothing_of(kB));
  pool.release(kA);
  EXPECT_EQ(pool.acquire(kB, since_start(2)), Acquire(Steal{kA}));
  EXPECT_FALSE(pool.has_nothing_of(kA)) << "a server that is promised";
  EXPECT_EQ(pool.on_steal_request(kA, kB), StealAnswer::kHandOver);
  EXPECT_TRUE(pool.has_nothing_of(kA));
  EXPECT_FALSE(pool.has_nothing_of(kB)) << "a server on its way";
}

TEST(PoolQueue, AServerFoundDeadKeepsItsClientsTurn) {
  PoolQueue pool(2, {.size = 1});
  fill(pool, kA, 1);
  pool.release(kA);
  ASSERT_EQ(pool.acquire(kA, since_start(0)), Acquire(TakeIdle{}));
  ticket_of(pool.acquire(kB, since_start(1)));
  pool.reopen(kA);
  EXPECT_EQ(pool.counts(since_start(1)).opening, 1u);
  EXPECT_EQ(pool.counts(since_start(1)).waiting, 1u);
}

TEST(PoolQueue, ACancelledWaiterIsSkippedAndItsTicketIsVoid) {
  PoolQueue pool(1, {.size = 1});
  fill(pool, kA, 1);
  Ticket first = ticket_of(pool.acquire(kA, since_start(1)));
  Ticket middle = ticket_of(pool.acquire(kA, since_start(2)));
  Ticket last = ticket_of(pool.acquire(kA, since_start(3)));
  EXPECT_TRUE(pool.cancel(middle));
  EXPECT_FALSE(pool.cancel(middle));
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kA, first}));
  EXPECT_FALSE(pool.cancel(first)) << "its grant is on the way";
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kA, last}));
  EXPECT_FALSE(pool.cancel(Ticket{99, 0}));
}

TEST(PoolQueue, GrowingServesWaitersInOrder) {
  PoolQueue pool(2, {.size = 1});
  fill(pool, kA, 1);
  Ticket first = ticket_of(pool.acquire(kB, since_start(1)));
  Ticket second = ticket_of(pool.acquire(kA, since_start(2)));
  ticket_of(pool.acquire(kA, since_start(3)));
  pool.set_size(3);
  EXPECT_EQ(pool.grant_next(), (GrantOpen{kB, first}));
  EXPECT_EQ(pool.grant_next(), (GrantOpen{kA, second}));
  EXPECT_EQ(pool.grant_next(), std::nullopt);
}

TEST(PoolQueue, ShrinkingClosesIdleServersFirstAndBusyOnesAtRelease) {
  PoolQueue pool(2, {.size = 4});
  fill(pool, kA, 3);
  fill(pool, kB, 1);
  pool.release(kB);
  pool.set_size(2);
  EXPECT_EQ(pool.surplus(), 2u);
  EXPECT_TRUE(pool.close_idle(kB));
  EXPECT_FALSE(pool.close_idle(kB));
  EXPECT_EQ(pool.surplus(), 1u);
  Ticket waits = ticket_of(pool.acquire(kB, since_start(1)));
  EXPECT_EQ(pool.release(kA), Handover(CloseIt{}));
  EXPECT_EQ(pool.on_closed(kB, SlotState::kClosing), std::nullopt);
  EXPECT_EQ(pool.on_closed(kA, SlotState::kClosing), std::nullopt) << "two are still in use";
  EXPECT_EQ(pool.release(kA), Handover(GiveTo{kB, waits}));
  EXPECT_EQ(pool.counts(since_start(1)).in_use(), 2u);
}

TEST(PoolQueue, ASpareServerIsOpenedOnlyWithinTheBudget) {
  PoolQueue pool(1, {.size = 1});
  EXPECT_TRUE(pool.try_open_spare(kA));
  EXPECT_FALSE(pool.try_open_spare(kA));
  pool.on_opened(kA);
  EXPECT_EQ(pool.release(kA), Handover(KeepIdle{}));
}

TEST(PoolQueue, RefusesWhenTheQueueIsFull) {
  PoolQueue pool(1, {.size = 0, .waiters_max = 2});
  Ticket first = ticket_of(pool.acquire(kA, since_start(0)));
  ticket_of(pool.acquire(kA, since_start(0)));
  EXPECT_EQ(pool.acquire(kA, since_start(0)), Acquire(Refuse{}));
  EXPECT_TRUE(pool.cancel(first));
  ticket_of(pool.acquire(kA, since_start(0)));
}

TEST(PoolQueue, PlacesInTheQueueAreUsedAgain) {
  PoolQueue pool(1, {.size = 0});
  std::set<uint32_t> places;
  for (int i = 0; i < 1000; ++i) {
    Ticket first = ticket_of(pool.acquire(kA, since_start(i)));
    Ticket second = ticket_of(pool.acquire(kA, since_start(i)));
    places.insert({first.place, second.place});
    EXPECT_TRUE(pool.cancel(i % 2 == 0 ? first : second));
    EXPECT_TRUE(pool.cancel(i % 2 == 0 ? second : first));
  }
  EXPECT_EQ(places.size(), 2u) << "the memory of the queue does not grow with time";
}

TEST(Workers, ThatNobodyAskedForLeaveProcessorsToTheOthers) {
  EXPECT_EQ(workers_for(0, 0), 1);
  EXPECT_EQ(workers_for(0, 1), 1);
  EXPECT_EQ(workers_for(0, 2), 1);
  EXPECT_EQ(workers_for(0, 5), 2);
  EXPECT_EQ(workers_for(0, 8), 4);
  EXPECT_EQ(workers_for(0, 128), 4);
  EXPECT_EQ(workers_for(7, 2), 7);
}

TEST(PoolQueue, KnowsAsManyWorkersAsItsWordHasBits) {
  PoolQueue pool(kWorkersMax, {.size = 1});
  WorkerId last{kWorkersMax - 1};
  for (uint16_t i = 0; i + 1 < kWorkersMax; ++i) {
    Acquire answer = pool.acquire(last, since_start(0));
    if (answer == Acquire(Open{})) {
      pool.on_opened(last);
    } else {
      WorkerId from = std::get<Steal>(answer).from;
      EXPECT_EQ(from, WorkerId{static_cast<uint16_t>(i - 1)});
      EXPECT_EQ(pool.on_steal_request(from, last), StealAnswer::kHandOver);
    }
    pool.release(last);
    WorkerId thief{i};
    EXPECT_EQ(pool.acquire(thief, since_start(0)), Acquire(Steal{last}));
    EXPECT_EQ(pool.on_steal_request(last, thief), StealAnswer::kHandOver);
    pool.release(thief);
  }
}

}  // namespace
}  // namespace fairlead::core
