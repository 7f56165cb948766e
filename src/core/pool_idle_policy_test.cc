#include "core/pool_idle_policy.h"

#include <gtest/gtest.h>

#include <set>

namespace fairlead::core {
namespace {

using std::chrono::seconds;

const Time kOpened(seconds(1000));
const PoolIdleConfig kConfig{
    .min_servers = 2, .idle_timeout = seconds(60), .server_lifetime = seconds(3600)};

std::optional<CloseReason> ask(seconds idle, uint32_t servers, PoolIdleConfig config = kConfig,
                               uint64_t server_epoch = 7) {
  IdleServer server{.id = 1, .epoch = server_epoch, .opened_at = kOpened, .idle_since = kOpened};
  return why_close(server, config, 7, servers, kOpened + idle);
}

TEST(PoolIdlePolicy, ClosesAServerThatWasIdleForTooLong) {
  EXPECT_EQ(ask(seconds(59), 3), std::nullopt);
  EXPECT_EQ(ask(seconds(60), 3), CloseReason::kIdleTimeout);
}

TEST(PoolIdlePolicy, KeepsTheMinimumHoweverIdleItIs) {
  EXPECT_EQ(ask(seconds(600), 2), std::nullopt);
}

TEST(PoolIdlePolicy, ClosesAnOldServerEvenBelowTheMinimum) {
  EXPECT_EQ(ask(seconds(3600), 1), CloseReason::kLifetime);
}

TEST(PoolIdlePolicy, ClosesEveryServerOfAnOldEpoch) {
  EXPECT_EQ(ask(seconds(0), 1, kConfig, 6), CloseReason::kOldEpoch);
}

TEST(PoolIdlePolicy, ZeroMeansNever) {
  EXPECT_EQ(ask(seconds(1'000'000), 9, PoolIdleConfig{}), std::nullopt);
}

TEST(PoolIdlePolicy, LifetimesAreSpreadOverTheLastTenthAndNeverLonger) {
  Duration most = seconds(3600);
  std::set<int64_t> minutes;
  for (uint64_t id = 0; id < 1000; ++id) {
    Duration lifetime = lifetime_of(id, most);
    EXPECT_LE(lifetime, most);
    EXPECT_GE(lifetime, seconds(3240));
    EXPECT_EQ(lifetime, lifetime_of(id, most));
    minutes.insert(std::chrono::duration_cast<std::chrono::minutes>(lifetime).count());
  }
  EXPECT_GE(minutes.size(), 6u);
  EXPECT_EQ(lifetime_of(3, Duration(5)), Duration(5)) << "too short to spread";
}

}  // namespace
}  // namespace fairlead::core
