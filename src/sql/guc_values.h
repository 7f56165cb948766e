// The spellings of the PostgreSQL settings that decide where a transaction may run (B6).
#pragma once

#include <optional>
#include <string_view>

#include "sql/facts.h"

namespace fairlead::sql {

/// As PostgreSQL's parse_bool(): 0, 1, on, off and any unambiguous beginning of true, false, yes,
/// no, off, in any case.
std::optional<bool> parse_guc_boolean(std::string_view text);

/// "read committed" and so on, in any case.
std::optional<Isolation> parse_isolation(std::string_view text);

/// The modes that a setting of this name (lower case) and value stands for: transaction_read_only,
/// transaction_isolation, transaction_deferrable and their default_ forms. Others give no mode.
TransactionModes modes_of_setting(std::string_view name, std::string_view value);

}  // namespace fairlead::sql
