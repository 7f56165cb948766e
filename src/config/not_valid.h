// What is configured cannot be meant.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace fairlead::config {

inline std::unexpected<Error> not_valid(std::string message, std::string_view hint = {}) {
  return fail(ErrorCode::kConfig, std::move(message), {}, std::string(hint));
}

}  // namespace fairlead::config
