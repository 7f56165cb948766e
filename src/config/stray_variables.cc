// FAIRLEAD_... variables that no key takes: a name that is written wrong, or a table that is
// missing.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "config/layers.h"
#include "config/suggest.h"

namespace fairlead::config {
namespace {

bool ends_with_any(std::string_view text, std::span<const std::string_view> ends) {
  return std::ranges::any_of(ends, [&](std::string_view end) { return text.ends_with(end); });
}

/// Kubernetes sets these in every container for each service of its namespace; a service that is
/// named fairlead-proxy begins them with FAIRLEAD_PROXY. So do Docker's links.
bool is_of_a_service(std::string_view name, std::string_view value) {
  constexpr std::array<std::string_view, 3> kSchemes{"tcp://", "udp://", "sctp://"};
  constexpr std::array<std::string_view, 3> kProtocols{"_TCP", "_UDP", "_SCTP"};
  constexpr std::array<std::string_view, 3> kParts{"_PROTO", "_PORT", "_ADDR"};
  if (name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT")) return true;
  if (name.contains("_SERVICE_PORT_")) return true;
  const bool is_url = std::ranges::any_of(
      kSchemes, [&](std::string_view scheme) { return value.starts_with(scheme); });
  if (is_url && name.ends_with("_PORT")) return true;
  if (!name.contains("_PORT_")) return false;
  for (const std::string_view part : kParts) {
    if (!name.ends_with(part)) continue;
    name.remove_suffix(part.size());
    break;
  }
  return ends_with_any(name, kProtocols);
}

/// What the variable of a named section says: "SHOP" and pool_size. Null: no key of it.
struct NamedKey {
  std::string_view name;  // In capitals; empty: it was left out.
  const Key* key = nullptr;
};

/// `rest`: behind "FAIRLEAD_DATABASE_". The longest key that fits, as POOL_MODE is not the MODE of
/// a database that ends with POOL.
NamedKey split(const Section& section, std::string_view rest) {
  NamedKey found;
  for (const Key& key : section.keys) {
    const std::string written = in_capitals(key.name);
    if (found.key != nullptr && found.key->name.size() >= key.name.size()) continue;
    if (rest == written) {
      found = {{}, &key};
    } else if (rest.ends_with("_" + written)) {
      found = {rest.substr(0, rest.size() - written.size() - 1), &key};
    }
  }
  return found;
}

void report_missing_table(const std::string& variable, const Section& section,
                          const NamedKey& named, Draft& draft) {
  if (named.name.empty()) {
    return draft.report_at(
        {}, variable,
        {ErrorCode::kConfig,
         fmt::format("is set, but says of no {} that it is about", section.name),
         {},
         "write " + variable_name({&section, std::string(section.example_name), named.key})});
  }
  draft.report_at(
      {}, variable,
      {ErrorCode::kConfig,
       fmt::format("is set, but there is no [{}]", full_name(section, lower(named.name))),
       {},
       fmt::format("add a table whose name is {} in capitals, or remove the variable",
                   named.name)});
}

/// `rest`: behind `prefix`, which the variables of the section begin with.
void note_unknown(std::string_view prefix, std::string_view rest, const Section& section,
                  Draft& draft) {
  std::vector<std::string> variables;
  for (const std::string& name : names_in(draft.config(), section)) {
    for (const Key& key : section.keys) variables.push_back(variable_name({&section, name, &key}));
  }
  std::vector<std::string_view> known;
  for (std::string_view variable : variables) known.push_back(variable.substr(prefix.size()));
  const auto near = nearest(rest, known);
  draft.config().ignored.push_back(
      fmt::format("the environment variable {}{} is set, but sets no key of [{}]{}", prefix, rest,
                  section.name, near ? fmt::format("; did you mean {}{}?", prefix, *near) : ""));
}

void tell(const std::string& variable, std::string_view value, Draft& draft) {
  for (const Section& section : sections()) {
    const std::string prefix = fmt::format("FAIRLEAD_{}_", in_capitals(section.name));
    if (!variable.starts_with(prefix)) continue;
    if (is_of_a_service(variable, value)) return;
    const std::string_view rest = std::string_view(variable).substr(prefix.size());
    const NamedKey named = section.named() ? split(section, rest) : NamedKey{};
    if (named.key != nullptr) return report_missing_table(variable, section, named, draft);
    return note_unknown(prefix, rest, section, draft);
  }
}

}  // namespace

void tell_stray_variables(const Sources& sources, Draft& draft) {
  if (!sources.environment) return;
  std::vector<std::string> variables = sources.variables;
  std::ranges::sort(variables);  // The process's own order says nothing.
  for (const std::string& variable : variables) {
    if (draft.takes_variable(variable)) continue;
    if (const auto value = sources.environment(variable)) tell(variable, *value, draft);
  }
}

}  // namespace fairlead::config
