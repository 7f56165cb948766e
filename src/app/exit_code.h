// How the program ends: the numbers that scripts rely on (docs/guide/operate.md).
#pragma once

#include <cstdint>

namespace fairlead::app {

enum class ExitCode : uint8_t {
  kOk = 0,
  kError = 1,
  kUsage = 2,        // The command line itself is wrong; nothing was done.
  kThreshold = 3,    // The work was done and a threshold or budget that was asked for failed.
  kUnreachable = 4,  // A node, or the proxy, does not answer.
};

}  // namespace fairlead::app
