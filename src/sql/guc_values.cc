#include "sql/guc_values.h"

#include <string>

#include "base/ascii.h"

namespace fairlead::sql {
namespace {}  // namespace

std::optional<bool> parse_guc_boolean(std::string_view text) {
  const std::string word = lower(text);
  if (word.empty()) return std::nullopt;
  const auto begins = [&](std::string_view full, size_t at_least) {
    return word.size() >= at_least && full.starts_with(word);
  };
  if (begins("true", 1) || begins("yes", 1) || word == "on" || word == "1") return true;
  if (begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0") return false;
  return std::nullopt;
}

std::optional<Isolation> parse_isolation(std::string_view text) {
  const std::string word = lower(text);
  if (word == "serializable") return Isolation::kSerializable;
  if (word == "repeatable read") return Isolation::kRepeatableRead;
  if (word == "read committed") return Isolation::kReadCommitted;
  if (word == "read uncommitted") return Isolation::kReadUncommitted;
  return std::nullopt;
}

TransactionModes modes_of_setting(std::string_view name, std::string_view value) {
  constexpr std::string_view kDefault = "default_";
  if (name.starts_with(kDefault)) name.remove_prefix(kDefault.size());
  TransactionModes modes;
  if (name == "transaction_read_only") modes.read_only = parse_guc_boolean(value);
  if (name == "transaction_deferrable") modes.deferrable = parse_guc_boolean(value);
  if (name == "transaction_isolation") modes.isolation = parse_isolation(value);
  return modes;
}

}  // namespace fairlead::sql
