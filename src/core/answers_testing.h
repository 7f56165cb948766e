// For tests only: what a server answers, message by message.
#pragma once

#include <string>

#include "wire/backend_encode.h"

namespace fairlead::core {

inline std::string ready(wire::TxStatus status) {
  std::string out;
  wire::append_ready_for_query(out, status);
  return out;
}

}  // namespace fairlead::core
