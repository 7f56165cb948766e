#include "core/variable_names.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/ascii.h"

namespace fairlead::core {
namespace {

// Every table is ascending, because it is searched by halves.

/// Set anew at every BEGIN; SET outside of a transaction has no effect that lasts.
constexpr std::array<std::string_view, 3> kTransactionNames{
    "transaction_deferrable", "transaction_isolation", "transaction_read_only"};

/// PGC_INTERNAL of PostgreSQL 13 to 18, as far as clients ask for them in start-up packets; SET of
/// the others fails on the server with its own words.
constexpr std::array<std::string_view, 24> kFixedNames{"block_size",
                                                       "data_checksums",
                                                       "data_directory_mode",
                                                       "debug_assertions",
                                                       "effective_wal_level",
                                                       "huge_pages_status",
                                                       "in_hot_standby",
                                                       "integer_datetimes",
                                                       "is_superuser",
                                                       "lc_collate",
                                                       "lc_ctype",
                                                       "max_function_args",
                                                       "max_identifier_length",
                                                       "max_index_keys",
                                                       "num_os_semaphores",
                                                       "segment_size",
                                                       "server_encoding",
                                                       "server_version",
                                                       "server_version_num",
                                                       "shared_memory_size",
                                                       "shared_memory_size_in_huge_pages",
                                                       "ssl_library",
                                                       "wal_block_size",
                                                       "wal_segment_size"};

/// PGC_BACKEND and PGC_SU_BACKEND of PostgreSQL 13 to 18.
constexpr std::array<std::string_view, 6> kAtLoginNames{
    "ignore_system_indexes", "jit_debugging_support", "jit_profiling_support",
    "log_connections",       "log_disconnections",    "post_auth_delay"};

/// variable_is_guc_list_quote() of PostgreSQL's dumputils.c.
constexpr std::array<std::string_view, 6> kNameLists{
    "local_preload_libraries",  "search_path",      "session_preload_libraries",
    "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories"};

/// Beside what C10 names: input functions of constants are called while parsing, even stable ones
/// (coerce_type() in parse_coerce.c), so everything that an input function looks at is here.
constexpr std::array<std::string_view, 15> kParsingNames{
    "array_nulls",                  // '{NULL}'::text[]
    "backslash_quote",              // whether '\'' is an error
    "client_encoding",              // what the bytes of the text mean
    "datestyle",                    // '01/02/2026'::date
    "intervalstyle",                // '-1 2:03'::interval
    "lc_monetary",                  // '1,00'::money
    "role",                         // $user in search_path, rights
    "row_security",                 // rewritten into the plan
    "search_path",                  // every name
    "session_authorization",        // rights
    "session_replication_role",     // which rules rewrite
    "standard_conforming_strings",  // 'a\b'
    "timezone",                     // '12:00'::timestamptz
    "transform_null_equals",        // x = NULL
    "xmloption",                    // '<a/>'::xml
};

template <size_t N>
constexpr bool contains(const std::array<std::string_view, N>& table, std::string_view name) {
  static_assert(N > 0);
  return std::binary_search(table.begin(), table.end(), name);
}
static_assert(std::ranges::is_sorted(kTransactionNames) && std::ranges::is_sorted(kFixedNames) &&
              std::ranges::is_sorted(kAtLoginNames) && std::ranges::is_sorted(kNameLists) &&
              std::ranges::is_sorted(kParsingNames));

constexpr bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

}  // namespace

std::optional<std::string> canonical_variable_name(std::string_view name) {
  if (name.empty() || name.size() > kVariableNameMax) return {};
  std::string canonical(name);
  bool part_empty = true;
  for (char& c : canonical) {
    c = lower(c);
    if (c == '.' ? part_empty : !is_name_char(c)) return {};
    part_empty = c == '.';
  }
  if (part_empty) return {};
  return canonical;
}

VariableClass variable_class(std::string_view name) {
  if (name.starts_with("fairlead.")) return VariableClass::kProxy;
  if (contains(kTransactionNames, name)) return VariableClass::kTransaction;
  if (name == "seed") return VariableClass::kNotState;
  if (contains(kFixedNames, name)) return VariableClass::kFixed;
  if (contains(kAtLoginNames, name)) return VariableClass::kAtLoginOnly;
  return VariableClass::kSession;
}

bool is_name_list(std::string_view name) { return contains(kNameLists, name); }

bool survives_reset_all(std::string_view name) {
  return name == "role" || name == "session_authorization";
}

std::span<const std::string_view> names_that_affect_parsing() { return kParsingNames; }

bool affects_parsing(std::string_view name) { return contains(kParsingNames, name); }

}  // namespace fairlead::core
