// What a client asks for in its start-up packet, as settings that every server gets (C8). Pure.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "base/error.h"
#include "core/variable_set.h"

namespace fairlead::core {

/// Names that only a start-up packet can set, or nobody, are left out: the pool's servers have
/// logged in already. Errors: 42704 for what cannot be a setting's name, 22023 for a value of
/// fairlead.* that makes no sense.
Result<VariableSet> startup_variables(
    std::span<const std::pair<std::string, std::string>> settings);

}  // namespace fairlead::core
