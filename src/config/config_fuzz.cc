// Any text is a configuration or a list of problems, and a configuration survives being printed.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "config/describe.h"
#include "config/diff.h"
#include "config/load.h"
#include "config/url.h"

using namespace fairlead;
using namespace fairlead::config;

namespace {

std::optional<std::string> variable(std::string_view name) {
  if (name.size() > 3) return std::nullopt;
  return "value of " + std::string(name);
}

/// The file that says the same: every section, every key.
std::string printed(const Config& config) {
  std::string out;
  for (const Section& section : sections()) {
    for (const std::string& name : names_in(config, section)) {
      out += "[" + full_name(section, name) + "]\n";
      for (const Key& key : section.keys) {
        if (key.file != FileUse::kNone) continue;  // Read already; the secret itself is printed.
        std::string value = key.print(section_in(config, section, name));
        for (size_t at = 0; (at = value.find("${", at)) != std::string::npos; at += 3) {
          value.insert(at, "$");
        }
        out += std::string(key.name) + " = " + value + "\n";
      }
    }
  }
  return out;
}

void try_file(std::string_view text) {
  Sources sources;
  sources.file_text = std::string(text);
  sources.file_name = "fuzz.toml";
  sources.environment = variable;
  const auto config = load(sources);
  if (!config) {
    require(!config.error().empty(), "a refusal says why");
    for (const Problem& problem : config.error()) (void)describe(problem, "fuzz.toml");
    return;
  }
  sources.file_text = printed(*config);
  const auto again = load(sources);
  require(again.has_value(), "what was printed can be read");
  require(diff(*config, *again).empty(), "what was printed says the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try_file(text);
  (void)ConnectionUrl::parse(text);
  (void)parse_duration(text);
  (void)Bytes::parse(text);
  (void)NodeAddress::parse(text);
  return 0;
}
