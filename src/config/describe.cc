// `config show`: the values in force and where they came from.
#include "config/describe.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::config {

std::vector<Setting> describe(const Config& config) {
  std::vector<Setting> settings;
  for (const Section& section : sections()) {
    for (const std::string& name : names_in(config, section)) {
      const ConstSectionRef values = section_in(config, section, name);
      for (const Key& key : section.keys) {
        std::string full = full_name({&section, name, &key});
        const auto origin = config.origins.find(full);
        settings.push_back({.key = std::move(full),
                            .value = print_masked(key, values),
                            .default_value = key.print(default_section(section.id)),
                            .origin = origin == config.origins.end() ? Origin{} : origin->second,
                            .apply = key.apply,
                            .sentence = key.sentence});
      }
    }
  }
  return settings;
}

std::string to_text(const std::vector<Setting>& settings) {
  std::vector<std::string> lines;
  size_t width = 0;
  for (const Setting& setting : settings) {
    lines.push_back(fmt::format("{} = {}", setting.key, setting.value));
    width = std::max(width, lines.back().size());
  }
  constexpr size_t kWidthMax = 60;  // One long list must not push every origin off the screen.
  width = std::min(width, kWidthMax);
  std::string out;
  for (size_t i = 0; i < lines.size(); ++i) {
    const Origin& origin = settings[i].origin;
    const bool by_default = origin.kind == Origin::Kind::kDefault;
    out += fmt::format("{:<{}}  # {}\n", lines[i], width,
                       by_default ? to_string(origin.kind) : origin.where);
  }
  return out;
}

}  // namespace fairlead::config
