#include "net/resolver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
#include <mutex>

#include "net/loop_testing.h"

namespace fairlead::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

using Found = std::expected<Addresses, std::string>;

Addresses only_address(const char* text) { return {*Address::parse(text)}; }

/// Name servers as a test wants them. Shared with the threads that ask, which may outlive the test.
class NameServers {
 public:
  void set(const std::string& host, LookedUp answer) {
    const std::lock_guard lock(mutex_);
    answers_[host] = std::move(answer);
  }
  /// Whoever asks from now on hangs until let_go().
  void hang(const std::string& host) {
    const std::lock_guard lock(mutex_);
    hanging_.insert_or_assign(host, gate_.get_future().share());
  }
  void let_go() { gate_.set_value(); }

  LookedUp answer(const std::string& host) {
    ++asked;
    std::shared_future<void> gate;
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = hanging_.find(host); found != hanging_.end()) gate = found->second;
    }
    if (gate.valid()) gate.wait();
    const std::lock_guard lock(mutex_);
    const auto known = answers_.find(host);
    return known == answers_.end() ? LookedUp{.trouble = "unknown", .is_refuted = true}
                                   : known->second;
  }

  std::atomic<int> asked = 0;

 private:
  std::mutex mutex_;
  std::map<std::string, LookedUp> answers_;
  std::promise<void> gate_;
  std::map<std::string, std::shared_future<void>> hanging_;
};

class ResolverTest : public ::testing::Test {
 protected:
  Found resolve(std::string host, Duration timeout = 20s) {
    Loop loop;
    Found found;
    run(loop, resolve_into(loop, std::move(host), timeout, found));
    return found;
  }
  Task<void> resolve_into(Loop& loop, std::string host, Duration timeout, Found& found) {
    found = co_await resolver_.resolve(loop, std::move(host), timeout);
  }
  Task<void> resolve_one_while_two_hangs(Loop& loop, Found& one, Found& two) {
    Spawner spawner(loop);
    spawner.spawn(resolve_into(loop, "two", 20s, two));
    co_await resolve_into(loop, "one", 10s, one);
    EXPECT_EQ(spawner.running(), 1) << "the other one waits";
    servers_->set("two", {.addresses = only_address("10.0.0.2")});
    servers_->let_go();
    co_await spawner.join();
  }
  Task<void> resolve_together(Loop& loop, std::array<Found, 3>& found) {
    Spawner spawner(loop);
    for (Found& one : found) spawner.spawn(resolve_into(loop, "one", 20s, one));
    while (servers_->asked == 0) co_await loop.sleep(1ms);
    servers_->let_go();
    co_await spawner.join();
  }

  std::shared_ptr<NameServers> servers_ = std::make_shared<NameServers>();
  Resolver resolver_{
      [servers = servers_](const std::string& host) { return servers->answer(host); }};
};

TEST_F(ResolverTest, AnAddressIsNotLookedUp) {
  EXPECT_EQ(resolve("192.0.2.7"), only_address("192.0.2.7"));
  EXPECT_EQ(resolve("2001:db8::7"), only_address("2001:db8::7"));
  EXPECT_EQ(servers_->asked, 0);
}

TEST_F(ResolverTest, ANameIsLookedUpEachTime) {
  servers_->set("one", {.addresses = only_address("10.0.0.1")});
  EXPECT_EQ(resolve("one"), only_address("10.0.0.1"));
  servers_->set("one", {.addresses = only_address("10.0.0.2")});
  EXPECT_EQ(resolve("one"), only_address("10.0.0.2"));
}

TEST_F(ResolverTest, ANameThatNobodyKnowsIsAnError) {
  const auto found = resolve("nobody");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error(), "looking up the name: unknown");
}

TEST_F(ResolverTest, ANameThatHangsDelaysNoOtherName) {
  servers_->set("one", {.addresses = only_address("10.0.0.1")});
  servers_->hang("two");
  Loop loop;
  Found one;
  Found two;
  run(loop, resolve_one_while_two_hangs(loop, one, two));
  EXPECT_EQ(one, only_address("10.0.0.1"));
  EXPECT_EQ(two, only_address("10.0.0.2"));
}

TEST_F(ResolverTest, WhoWaitsLongEnoughLeavesAndSoMayEverythingElse) {
  servers_->hang("one");
  const auto found = resolve("one", 10ms);  // Its loop is gone afterwards, and the look-up not.
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error(), "no name server has answered for the name within 10 ms");
  resolver_ = Resolver([](const std::string&) { return LookedUp{.trouble = "unknown"}; });
  servers_->let_go();
}

TEST_F(ResolverTest, AllWhoWantANameWaitForOneLookUp) {
  servers_->set("one", {.addresses = only_address("10.0.0.1")});
  servers_->hang("one");
  Loop loop;
  std::array<Found, 3> found;
  run(loop, resolve_together(loop, found));
  for (const Found& one : found) EXPECT_EQ(one, only_address("10.0.0.1"));
  EXPECT_EQ(servers_->asked, 1);
}

TEST_F(ResolverTest, WhatIsRememberedIsUsedWhileTheNameServersAreSilent) {
  servers_->set("one", {.addresses = only_address("10.0.0.1")});
  EXPECT_EQ(resolve("one"), only_address("10.0.0.1"));
  servers_->hang("one");
  EXPECT_EQ(resolve("one"), only_address("10.0.0.1"));
  EXPECT_EQ(resolve("one", 1ms), only_address("10.0.0.1"));
  servers_->let_go();
}

TEST_F(ResolverTest, TheSystemKnowsItsOwnName) {
  Loop loop;
  Found found;
  run(loop, [](Loop& on, Found& into) -> Task<void> {
    into = co_await Resolver::of_system().resolve(on, "localhost", 20s);
  }(loop, found));
  ASSERT_TRUE(found);
  EXPECT_THAT(found->front().host(), testing::AnyOf("127.0.0.1", "::1"));
}

}  // namespace
}  // namespace fairlead::net
