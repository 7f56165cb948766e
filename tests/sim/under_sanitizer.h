// Whether a sanitizer watches: every life takes twenty times as long then, and shows no more than
// its own bugs.
#pragma once

#include <cstdint>

namespace fairlead::sim {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kUnderSanitizer = true;
#else
inline constexpr bool kUnderSanitizer = false;
#endif

/// So many fewer lives.
inline constexpr uint64_t kLivesDivisor = kUnderSanitizer ? 40 : 1;

}  // namespace fairlead::sim
