// What a configuration says, for people: the reference file, the reference page, and `config show`.
//
// All of it is printed from the key table, so it cannot differ from what is read.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "config/keys.h"

namespace fairlead::config {

/// etc/fairlead.toml: every key with its sentence and its default. A key that has no useful default
/// (nodes) shows its example.
std::string reference_toml();

/// docs/CONFIG.md: the same as tables, with bounds, words and what a reload changes.
std::string reference_markdown();

/// One value in force.
struct Setting {
  std::string key;            // Full name.
  std::string value;          // As TOML; a secret masked.
  std::string default_value;  // As TOML.
  Origin origin;
  Apply apply = Apply::kReload;
  std::string_view sentence;
};

/// Every value in force, in the order of the reference.
std::vector<Setting> describe(const Config& config);

/// "listen.port = 6000  # --port", a line each: `fairlead config show --origin`.
std::string to_text(const std::vector<Setting>& settings);

}  // namespace fairlead::config
