// Which idle servers of a pool to close at a tick. Pure; the driver asks for each of its idle
// servers, oldest first, and claims what is to be closed with PoolQueue::close_idle().
//
// Busy servers are not its business, except that a server past its lifetime is not kept at release.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace fairlead::core {

struct PoolIdleConfig {
  uint32_t min_servers = 0;     // Kept over all workers, whatever the idle timeout says.
  Duration idle_timeout{0};     // 0: never.
  Duration server_lifetime{0};  // 0: for ever. The oldest a server may become; see lifetime_of().
};

struct IdleServer {
  uint64_t id = 0;     // Unique; only spreads the lifetimes.
  uint64_t epoch = 0;  // The cluster's epoch when it was opened (E3).
  Time opened_at{};
  Time idle_since{};
};

enum class CloseReason : uint8_t { kOldEpoch, kLifetime, kIdleTimeout };
std::string_view to_string(CloseReason reason);

/// Up to a tenth shorter than `server_lifetime`, by a fixed function of `id`: servers that were
/// opened together must not all be closed together. Never longer, so that the setting is a promise.
Duration lifetime_of(uint64_t id, Duration server_lifetime);

/// Whether a server has outlived its lifetime; asked at release too.
bool is_too_old(const IdleServer& server, Duration server_lifetime, Time now);

/// `servers` counts the pool's servers over all workers, without those already being closed; the
/// caller takes each one that it closes off. An old epoch or age ignores min_servers: a new server
/// takes the place of the closed one.
std::optional<CloseReason> why_close(const IdleServer& server, const PoolIdleConfig& config,
                                     uint64_t current_epoch, uint32_t servers, Time now);

}  // namespace fairlead::core
