// A peer broke the protocol while it logged in.
#pragma once

#include <string>
#include <utility>

#include "base/error.h"

namespace fairlead::auth {

inline Error violation(std::string message, std::string detail = {}) {
  return Error{ErrorCode::kProtocolViolation, std::move(message), std::move(detail)};
}

}  // namespace fairlead::auth
