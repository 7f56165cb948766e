// For tests only: what a client sends, and a server answers, message by message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "wire/backend_encode.h"
#include "wire/frontend_encode.h"

namespace fairlead::core {

inline std::string query(std::string_view text) {
  std::string out;
  wire::append_query(out, text);
  return out;
}
inline std::string parse(std::string_view name, std::string_view text) {
  std::string out;
  wire::append_parse(out, name, text);
  return out;
}
inline std::string bind_to(std::string_view statement, std::string_view portal = "") {
  std::string out;
  wire::append_bind(out, portal, statement);
  return out;
}
inline std::string execute(std::string_view portal = "", uint32_t max_rows = 0) {
  std::string out;
  wire::append_execute(out, portal, max_rows);
  return out;
}
inline std::string sync() {
  std::string out;
  wire::append_sync(out);
  return out;
}
inline std::string flush() {
  std::string out;
  wire::append_flush(out);
  return out;
}

inline std::string ready(wire::TxStatus status) {
  std::string out;
  wire::append_ready_for_query(out, status);
  return out;
}

/// All that executes `text` but its Sync.
inline std::string executing(std::string_view text) {
  return parse("", text) + bind_to("") + execute();
}

}  // namespace fairlead::core
