// The number of a worker: one thread with its own event loop, clients and servers.
#pragma once

#include <cstdint>

namespace fairlead::core {

/// 0 … workers-1, in the order in which the workers were started.
enum class WorkerId : uint16_t {};

/// Bounds `proxy.workers`. A pool keeps one bit a worker in a 64-bit word, and a cancel key has six
/// bits for the worker.
inline constexpr uint16_t kWorkersMax = 64;

}  // namespace fairlead::core
