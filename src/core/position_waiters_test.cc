#include "core/position_waiters.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace fairlead::core {
namespace {

Time at(int64_t number) { return Time{Duration{number}}; }

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
  waiters_.add(a_, at(10));
  waiters_.add(b_, at(5));
  EXPECT_EQ(waiters_.next_until(), at(5));
  waiters_.on_positions();
  EXPECT_EQ(a_.log + b_.log, "pp");
  EXPECT_FALSE(a_.waits_for_positions());
  EXPECT_TRUE(waiters_.empty());
  EXPECT_EQ(waiters_.next_until(), std::nullopt);
}

TEST_F(PositionWaitersTest, WhoMustWaitAgainIsToldWithTheNextPositions) {
  a_.then = [&] { waiters_.add(a_, at(10)); };
  waiters_.add(a_, at(10));
  waiters_.add(b_, at(10));
  waiters_.on_positions();
  EXPECT_EQ(a_.log, "p") << "not for ever";
  EXPECT_EQ(b_.log, "p");
  waiters_.on_positions();
  EXPECT_EQ(a_.log, "pp");
}

TEST_F(PositionWaitersTest, WhoseTimeIsOverIsToldSo) {
  waiters_.add(a_, at(10));
  waiters_.add(b_, at(11));
  waiters_.expire(at(10));
  EXPECT_EQ(a_.log, "t");
  EXPECT_EQ(b_.log, "");
  EXPECT_EQ(waiters_.next_until(), at(11));
}

TEST_F(PositionWaitersTest, WhoLeavesWhileOthersAreToldIsNotTold) {
  a_.then = [&] { waiters_.remove(b_); };
  for (Waiter* waiter : {&a_, &b_, &c_}) waiters_.add(*waiter, at(10));
  waiters_.on_positions();
  EXPECT_EQ(a_.log + b_.log + c_.log, "pp");
  for (Waiter* waiter : {&a_, &b_, &c_}) waiters_.add(*waiter, at(10));
  waiters_.expire(at(20));
  EXPECT_EQ(b_.log, "");
  EXPECT_EQ(a_.log, "pt");
  EXPECT_EQ(c_.log, "pt");
}

}  // namespace
}  // namespace fairlead::core
