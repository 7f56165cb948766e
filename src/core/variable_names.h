// What is special about a setting's name: reviewed tables, and nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fairlead::core {

/// Longer names are no names that PostgreSQL's own identifiers allow: "namespace.name".
inline constexpr size_t kVariableNameMax = 127;

/// Lower case, as settings are kept and compared here. nullopt when it is none that can be kept:
/// empty, too long, or with other characters than letters, digits, '_', '$' and '.'.
std::optional<std::string> canonical_variable_name(std::string_view name);

enum class VariableClass : uint8_t {
  kSession,      // Kept and replayed: everything that is not in a table below.
  kProxy,        // fairlead.*: kept with the same rules, never sent to a server.
  kTransaction,  // Ends with its transaction: transaction_isolation and its like.
  kNotState,     // SET is an action (seed, C19).
  kFixed,        // Nobody can set it: server_version, is_superuser, in_hot_standby ...
  kAtLoginOnly,  // Only in a start-up packet (PGC_BACKEND): SET fails, so it cannot be replayed.
};
VariableClass variable_class(std::string_view canonical_name);

/// PostgreSQL's GUC_LIST_QUOTE: SET quotes each item of the list as a name.
bool is_name_list(std::string_view canonical_name);

/// RESET ALL leaves role and session_authorization alone (GUC_NO_RESET_ALL).
bool survives_reset_all(std::string_view canonical_name);

/// The names for which parse analysis may read the same text differently under another value (C10):
/// names in search_path, rights of the role, string literals under standard_conforming_strings, and
/// constants such as '01/02/2026'::date, which are evaluated while parsing. Ascending.
std::span<const std::string_view> names_that_affect_parsing();
bool affects_parsing(std::string_view canonical_name);

}  // namespace fairlead::core
