// How often what does not tell when it changes is looked at: servers that start, stop or catch up.
#pragma once

#include <chrono>

namespace fairlead::cluster {

inline constexpr std::chrono::milliseconds kPollInterval{10};

}  // namespace fairlead::cluster
