// Whether a configuration can be served with the open files that this process may have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/config.h"

namespace fairlead::app {

/// What it takes to serve as many clients as are allowed: a file for each, one for each server of
/// one user of every database on every node, and what is kept from clients anyway. More users have
/// more servers: how many is not known before they come.
uint64_t open_files_wanted(const config::Config& config);

/// What to tell whoever starts a proxy that may have `files_max` files; nullopt: that is enough.
std::optional<std::string> open_files_warning(const config::Config& config, uint64_t files_max);

}  // namespace fairlead::app
