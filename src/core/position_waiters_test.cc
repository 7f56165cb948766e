#include "core/position_waiters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <string>

namespace fairlead::core {
namespace {

Time moment(int64_t number) { return Time{Duration{number}}; }

class Waiter final : public PositionWaiter {
 public:
  void on_positions() override {
    log += "p";
    if (then) then();
  }
  void on_positions_timeout() override {
    log += "t";
    if (then) then();
  }
  std::string log;
  std::function<void()> then;
};

class PositionWaitersTest : public ::testing::Test {
 protected:
  PositionWaiters waiters_;
  Waiter a_, b_, c_;
};

TEST_F(PositionWaitersTest, EachIsToldOnceAndWaitsNoMore) {
  waiters_.add(a_, moment(10));
  waiters_.add(b_, moment(5));
  EXPECT_EQ(waiters_.next_until(), moment(5));
  waiters_.on_positions();
  EXPECT_EQ(a_.log + b_.log, "pp");
  EXPECT_FALSE(a_.waits_for_positions());
  EXPECT_TRUE(waiters_.empty());
  EXPECT_EQ(waiters_.next_until(), std::nullopt);
}

TEST_F(PositionWaitersTest, WhoMustWaitAgainIsToldWithTheNextPositions) {
  a_.then = [&] { waiters_.add(a_, moment(10)); };
  waiters_.add(a_, moment(10));
  waiters_.add(b_, moment(10));
  waiters_.on_positions();
  EXPECT_EQ(a_.log, "p") << "not for ever";
  EXPECT_EQ(b_.log, "p");
  waiters_.on_positions();
  EXPECT_EQ(a_.log, "pp");
}

TEST_F(PositionWaitersTest, WhoseTimeIsOverIsToldSo) {
  waiters_.add(a_, moment(10));
  waiters_.add(b_, moment(11));
  waiters_.expire(moment(10));
  EXPECT_EQ(a_.log, "t");
  EXPECT_EQ(b_.log, "");
  EXPECT_EQ(waiters_.next_until(), moment(11));
}

TEST_F(PositionWaitersTest, WhoLeavesWhileOthersAreToldIsNotTold) {
  a_.then = [&] { waiters_.remove(b_); };
  for (Waiter* waiter : {&a_, &b_, &c_}) waiters_.add(*waiter, moment(10));
  waiters_.on_positions();
  EXPECT_EQ(a_.log + b_.log + c_.log, "pp");
  for (Waiter* waiter : {&a_, &b_, &c_}) waiters_.add(*waiter, moment(10));
  waiters_.expire(moment(20));
  EXPECT_EQ(b_.log, "");
  EXPECT_EQ(a_.log, "pt");
  EXPECT_EQ(c_.log, "pt");
}

TEST_F(PositionWaitersTest, WhoLeavesIsNotWaitedForAndMayComeBack) {
  for (Waiter* waiter : {&a_, &b_, &c_}) waiters_.add(*waiter, moment(10));
  waiters_.remove(b_);
  waiters_.remove(a_);
  waiters_.remove(a_);  // It has left already.
  waiters_.add(b_, moment(20));
  EXPECT_FALSE(a_.waits_for_positions());
  waiters_.expire(moment(10));
  EXPECT_EQ(a_.log + b_.log + c_.log, "t");
  EXPECT_EQ(waiters_.next_until(), moment(20));
  waiters_.on_positions();
  EXPECT_EQ(a_.log + b_.log, "p");
  EXPECT_TRUE(waiters_.empty());
}

TEST_F(PositionWaitersTest, WhoBeginsToWaitWhileOthersAreToldIsTimedToo) {
  a_.then = [&] {
    waiters_.remove(b_);
    waiters_.add(c_, moment(12));
  };
  waiters_.add(a_, moment(10));
  waiters_.add(b_, moment(10));
  waiters_.expire(moment(10));
  EXPECT_EQ(a_.log + b_.log + c_.log, "t");
  EXPECT_EQ(waiters_.next_until(), moment(12));
  waiters_.expire(moment(12));
  EXPECT_EQ(c_.log, "t");
  EXPECT_TRUE(waiters_.empty());
}

/// As a held writer: it waits on with each news.
class Patient final : public PositionWaiter {
 public:
  explicit Patient(PositionWaiters& waiters) : waiters_(waiters) {}
  void on_positions() override {
    ++told;
    waiters_.add(*this, moment(1));
  }
  void on_positions_timeout() override { ++timed_out; }
  uint32_t told = 0;
  uint32_t timed_out = 0;

 private:
  PositionWaiters& waiters_;
};

// So many that the test would not end if telling one, or its leaving, meant moving the others.
TEST_F(PositionWaitersTest, AMillionWaitAndEachIsAsQuicklyToldAsOne) {
  std::deque<Patient> crowd;
  for (int i = 0; i < 1'000'000; ++i) waiters_.add(crowd.emplace_back(waiters_), moment(1));
  waiters_.on_positions();
  waiters_.on_positions();
  for (size_t i = crowd.size() / 2; i < crowd.size(); ++i) waiters_.remove(crowd[i]);
  waiters_.expire(moment(1));
  EXPECT_TRUE(waiters_.empty());
  EXPECT_TRUE(std::ranges::all_of(crowd, [](const Patient& one) { return one.told == 2; }));
  EXPECT_EQ(std::ranges::count(crowd, 1U, &Patient::timed_out), 500'000);
}

}  // namespace
}  // namespace fairlead::core
