// The number of a worker: one thread with its own event loop, clients and servers.
#pragma once

#include <algorithm>
#include <cstdint>

namespace fairlead::core {

/// 0 … workers-1, in the order in which the workers were started.
enum class WorkerId : uint16_t {};

/// Bounds `proxy.workers`. A pool keeps one bit a worker in a 64-bit word, and a cancel key has six
/// bits for the worker.
inline constexpr uint16_t kWorkersMax = 64;

/// How many workers serve clients: `wished`, or, where that is 0, one for two of the `processors`
/// (0: not known). One that shares its processor with clients and servers costs less for each
/// transaction than two (docs/decisions/0011), and four carry more than most primaries and their
/// replicas.
constexpr uint16_t workers_for(uint32_t wished, unsigned processors) {
  constexpr unsigned kUnaskedMax = 4;
  const unsigned unasked = std::clamp(processors / 2, 1u, kUnaskedMax);
  return static_cast<uint16_t>(wished != 0 ? wished : unasked);
}

}  // namespace fairlead::core
