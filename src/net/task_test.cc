#include "net/task.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "net/loop_testing.h"

namespace fairlead::net {
namespace {

Task<std::unique_ptr<int>> number(int value) { co_return std::make_unique<int>(value); }

Task<Result<std::string>> text_or_error(bool fails) {
  if (fails) co_return fail(ErrorCode::kIo, "no text");
  co_return "text";
}

Task<int> thrower(Loop& loop) {
  co_await loop.yield();
  throw std::runtime_error("out of it");
}

TEST(Task, BeginsWhenItIsAwaitedAndGivesItsValue) {
  Loop loop;
  run(loop, [](Loop&) -> Task<void> {
    bool has_begun = false;
    Task<void> task = [](bool& begun) -> Task<void> {
      begun = true;
      co_return;
    }(has_begun);
    EXPECT_FALSE(has_begun);
    co_await std::move(task);
    EXPECT_TRUE(has_begun);
    EXPECT_EQ(*co_await number(7), 7);
    EXPECT_EQ(*co_await text_or_error(false), "text");
    EXPECT_EQ((co_await text_or_error(true)).error().message, "no text");
  }(loop));
}

TEST(Task, ThatIsNeverAwaitedIsDestroyed) {
  const auto kept = std::make_shared<int>(1);
  {
    const Task<void> task = [](std::shared_ptr<int>) -> Task<void> { co_return; }(kept);
    EXPECT_EQ(kept.use_count(), 2);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(Task, ThrowsWhereItIsAwaited) {
  Loop loop;
  run(loop, [](Loop& on) -> Task<void> {
    std::string what;
    try {
      (void)co_await thrower(on);
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
    EXPECT_EQ(what, "out of it");
  }(loop));
}

TEST(Task, ManyThatNeverWaitNeedNoStack) {
  Loop loop;
  run(loop, [](Loop&) -> Task<void> {
    int sum = 0;
    for (int i = 0; i < 1'000'000; ++i) sum += *co_await number(1);
    EXPECT_EQ(sum, 1'000'000);
  }(loop));
}

TEST(TaskDeathTest, AnExceptionThatNobodyAwaitsEndsTheProgramAndIsShown) {
  EXPECT_DEATH(
      {
        Loop loop;
        start(loop, [](Loop& on) -> Task<void> { (void)co_await thrower(on); }(loop));
        loop.run();
      },
      "out of it");
}

}  // namespace
}  // namespace fairlead::net
