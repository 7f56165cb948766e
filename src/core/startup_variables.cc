#include "core/startup_variables.h"

#include "core/variable_names.h"
#include "sql/settings.h"
#include "wire/printable.h"

namespace fairlead::core {

Result<VariableSet> startup_variables(
    std::span<const std::pair<std::string, std::string>> settings) {
  std::vector<VariableSet::Entry> entries;
  for (const auto& [name, value] : settings) {
    const auto canonical = canonical_variable_name(name);
    if (!canonical) {
      return fail(ErrorCode::kUndefinedObject,
                  "unrecognized configuration parameter \"" + wire::printable(name) + "\"",
                  "in the start-up packet");
    }
    const VariableClass kind = variable_class(*canonical);
    if (kind == VariableClass::kProxy) {
      if (const auto valid = sql::read_setting(*canonical, value); !valid)
        return std::unexpected(valid.error());
    }
    if (kind == VariableClass::kProxy || kind == VariableClass::kSession)
      entries.push_back({*canonical, Setting::from_value(value, "UTF8")});
  }
  return VariableSet(std::move(entries));
}

}  // namespace fairlead::core
