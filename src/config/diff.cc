#include "config/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace fairlead::config {
namespace {

void compare_sections(const Section& section, const std::string& name, const Config& before,
                      const Config& after, std::vector<Change>& out) {
  const ConstSectionRef old_values = section_in(before, section, name);
  const ConstSectionRef new_values = section_in(after, section, name);
  for (const Key& key : section.keys) {
    if (key.print(old_values) == key.print(new_values)) continue;
    out.push_back({full_name({&section, name, &key}), print_masked(key, old_values),
                   print_masked(key, new_values), key.apply});
  }
}

}  // namespace

std::vector<Change> diff(const Config& before, const Config& after) {
  std::vector<Change> changes;
  for (const Section& section : sections()) {
    const auto old_names = names_in(before, section);  // Sorted, as maps are.
    const auto new_names = names_in(after, section);
    std::vector<std::string> names;
    std::ranges::set_union(old_names, new_names, std::back_inserter(names));
    for (const std::string& name : names) {
      const bool was = std::ranges::binary_search(old_names, name);
      const bool is = std::ranges::binary_search(new_names, name);
      if (was && is) {
        compare_sections(section, name, before, after, changes);
      } else {
        changes.push_back(
            {full_name(section, name), was ? "present" : "", is ? "present" : "", section.apply});
      }
    }
  }
  return changes;
}

std::string to_string(const Change& change) {
  const auto shown = [](const std::string& value) { return value.empty() ? "absent" : value; };
  return fmt::format("{}: {} -> {}{}", change.key, shown(change.old_value), shown(change.new_value),
                     change.apply == Apply::kRestart ? " (needs a restart)" : "");
}

}  // namespace fairlead::config
