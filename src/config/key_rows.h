// The rows of each section, for keys.cc alone.
#pragma once

#include <span>

#include "config/keys.h"

namespace fairlead::config {

inline constexpr Apply kRestart = Apply::kRestart;

std::span<const Key> listen_keys();
std::span<const Key> proxy_keys();
std::span<const Key> cluster_keys();
std::span<const Key> database_keys();
std::span<const Key> user_keys();
std::span<const Key> auth_keys();

}  // namespace fairlead::config
