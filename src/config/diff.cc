#include "config/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "config/validate.h"

namespace fairlead::config {
namespace {

void compare_sections(const Section& section, const std::string& name, const Config& before,
                      const Config& after, std::vector<Change>& out) {
  const ConstSectionRef old_values = section_in(before, section, name);
  const ConstSectionRef new_values = section_in(after, section, name);
  for (const Key& key : section.keys) {
    if (key.print(old_values) == key.print(new_values)) continue;
    const Apply apply = apply_between(section, key, old_values, new_values);
    out.push_back({full_name({&section, name, &key}), print_masked(key, old_values),
                   print_masked(key, new_values), apply,
                   apply == key.apply ? std::string_view{} : key.restarts_with});
  }
}

/// Puts back what only a restart changes, key by key; a section that is gone comes back whole.
void put_back(const Section& section, const Config& before, const Config& after, Config& out) {
  const auto still_there = names_in(after, section);
  for (const std::string& name : names_in(before, section)) {
    const bool gone = !std::ranges::binary_search(still_there, name);
    if (gone && section.apply == Apply::kReload) continue;
    for (const Key& key : section.keys) {
      const ConstSectionRef was = section_in(before, section, name);
      const Apply apply = gone ? Apply::kRestart
                               : apply_between(section, key, was, section_in(after, section, name));
      if (apply == Apply::kRestart) key.copy(was, section_in(out, section, name));
    }
  }
}

}  // namespace

Result<Config> without_restart(const Config& before, const Config& after) {
  Config out = after;
  for (const Section& section : sections()) put_back(section, before, after, out);
  std::erase_if(out.clusters,
                [&](const auto& entry) { return !before.clusters.contains(entry.first); });
  for (const auto& [name, database] : out.databases) {
    if (out.clusters.contains(database.cluster)) continue;
    return fail(ErrorCode::kConfig,
                fmt::format("{}: there is no cluster \"{}\" before a restart",
                            full_name(section_of(SectionId::kDatabase), name), database.cluster),
                "clusters are added and removed only by a restart",
                "restart, or leave the database with its old cluster until then");
  }
  if (auto valid = validate(out); !valid) {
    valid.error().detail = "only a restart changes what it hangs together with";
    valid.error().hint = "restart, or leave it as it was until then";
    return std::unexpected(std::move(valid.error()));
  }
  return out;
}

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
  std::string when = change.apply == Apply::kRestart ? " (needs a restart)" : "";
  if (!change.restarts_with.empty())
    when = fmt::format(" (needs a restart, with {})", change.restarts_with);
  return fmt::format("{}: {} -> {}{}", change.key, shown(change.old_value), shown(change.new_value),
                     when);
}

}  // namespace fairlead::config
