#include "core/pool_idle_policy.h"

#include "base/assert.h"

namespace fairlead::core {

namespace {

// splitmix64's finisher: neighbouring ids must not get neighbouring lifetimes.
uint64_t scatter(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

std::string_view to_string(CloseReason reason) {
  switch (reason) {
    case CloseReason::kOldEpoch:
      return "opened before the last change of primary";
    case CloseReason::kLifetime:
      return "older than server_lifetime";
    case CloseReason::kIdleTimeout:
      return "idle for longer than idle_timeout";
  }
  unreachable("every CloseReason has a text");
}

Duration lifetime_of(uint64_t id, Duration server_lifetime) {
  auto spread = static_cast<uint64_t>(server_lifetime.count()) / 10;
  auto shorter = spread == 0 ? 0 : scatter(id) % (spread + 1);
  return server_lifetime - Duration(static_cast<int64_t>(shorter));
}

bool is_too_old(const IdleServer& server, Duration server_lifetime, Time now) {
  if (server_lifetime == Duration::zero()) return false;
  return now - server.opened_at >= lifetime_of(server.id, server_lifetime);
}

std::optional<CloseReason> why_close(const IdleServer& server, const PoolIdleConfig& config,
                                     uint64_t current_epoch, uint32_t servers, Time now) {
  if (server.epoch != current_epoch) return CloseReason::kOldEpoch;
  if (is_too_old(server, config.server_lifetime, now)) return CloseReason::kLifetime;
  bool idle_too_long =
      config.idle_timeout != Duration::zero() && now - server.idle_since >= config.idle_timeout;
  if (idle_too_long && servers > config.min_servers) return CloseReason::kIdleTimeout;
  return std::nullopt;
}

}  // namespace fairlead::core
