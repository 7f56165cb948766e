// The part of `fairlead check` that needs no node: the files that the configuration names.
#pragma once

#include <memory>
#include <optional>

#include "app/check_findings.h"

namespace fairlead::app {

/// Reads the users file, certificates and keys as the proxy will at its start; nullopt: all is
/// well.
std::optional<Finding> check_files(std::shared_ptr<const config::Config> config);

}  // namespace fairlead::app
