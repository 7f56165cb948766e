#include "core/replay.h"

#include <algorithm>
#include <vector>

#include "core/variable_names.h"

namespace fairlead::core {
namespace {

constexpr std::string_view kRole = "role";
constexpr std::string_view kSessionAuthorization = "session_authorization";

bool is_identity(std::string_view name) { return name == kRole || name == kSessionAuthorization; }

void append_reset(std::string& out, std::string_view name) {
  out += "RESET ";
  append_variable_name(out, name);
  out += ';';
}

/// For every name in either set, other than the identity: resets, then sets.
void append_differences(std::string& out, const VariableSet& has, const VariableSet& wants) {
  for (const auto& [name, setting] : has.entries())
    if (!is_identity(name) && !wants.find(name)) append_reset(out, name);
  for (const auto& [name, setting] : wants.entries()) {
    if (is_identity(name)) continue;
    const Setting* present = has.find(name);
    if (!present || *present != setting) append_set(out, name, setting, SetScope::kSession);
  }
}

/// All-ASCII SQL for bytes in `encoding`. A literal would be converted from whatever
/// client_encoding the server has at that moment.
void append_converted(std::string& out, const Setting& setting) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  out += "pg_catalog.convert_from(pg_catalog.decode('";
  for (const char c : setting.text()) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 0xf];
  }
  out += "','hex'),";
  append_literal(out, setting.encoding());
  out += ')';
}

void append_set_config(std::string& out, std::string_view name, const Setting& setting,
                       SetScope scope) {
  out += "SELECT pg_catalog.set_config(";
  append_literal(out, name);
  out += ',';
  if (setting.encoding().empty()) {
    append_literal(out, setting.text());
  } else {
    append_converted(out, setting);
  }
  out += scope == SetScope::kLocal ? ",true);" : ",false);";
}

}  // namespace

Result<std::string> replay_batch(const VariableSet& server_has, const VariableSet& client_wants) {
  if (client_wants.has_unknown())
    return fail(ErrorCode::kInternal, "a session's settings are not known",
                "A value that only its server knew was not read back before the server was left.");
  std::string out;
  if (server_has == client_wants) return out;

  for (const std::string_view name : {kRole, kSessionAuthorization})
    if (server_has.find(name)) append_reset(out, name);
  append_differences(out, server_has, client_wants);
  for (const std::string_view name : {kSessionAuthorization, kRole})
    if (const Setting* setting = client_wants.find(name))
      append_set(out, name, *setting, SetScope::kSession);
  return out;
}

void append_set(std::string& out, std::string_view name, const Setting& setting, SetScope scope) {
  std::vector<std::string> items;
  if (is_name_list(name)) {
    auto split = split_name_list(setting.text());
    if (split) items = *std::move(split);
  } else if (setting.encoding().empty()) {
    items.push_back(setting.text());
  }
  // SET cannot say every value: an empty list, a list that was not written as SET writes it.
  if (items.empty()) {
    append_set_config(out, name, setting, scope);
    return;
  }
  out += scope == SetScope::kLocal ? "SET LOCAL " : "SET ";
  append_variable_name(out, name);
  out += " TO ";
  for (const std::string& item : items) {
    if (&item != &items.front()) out += ',';
    append_literal(out, item);
  }
  out += ';';
}

void append_literal(std::string& out, std::string_view text) {
  const bool escapes = text.find('\\') != std::string_view::npos;
  if (escapes) out += 'E';
  out += '\'';
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  out += '\'';
}

void append_variable_name(std::string& out, std::string_view name) {
  out += '"';
  for (const char c : name) {
    if (c == '.') {
      out += "\".\"";
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace fairlead::core
