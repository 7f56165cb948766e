// The settings in which a session differs from the login defaults of its server connections: an
// immutable value, shared between a client and the servers that have the same (C3).
//
// Names are canonical (variable_names.h). Reading is safe on every thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/prepared_hash.h"
#include "core/variable_names.h"
#include "core/variable_setting.h"

namespace fairlead::core {

enum class SetScope : uint8_t { kSession, kLocal };

class VariableSet {
 public:
  struct Entry {
    std::string name;
    Setting setting;
    bool operator==(const Entry&) const = default;
  };

  VariableSet() = default;  // Nothing differs.
  /// In any order; of two entries with one name the later counts.
  explicit VariableSet(std::vector<Entry> entries);

  bool empty() const { return !content_; }
  size_t size() const { return entries().size(); }
  size_t bytes() const;
  /// Ascending by name.
  std::span<const Entry> entries() const;
  const Setting* find(std::string_view name) const;
  /// Some value is known to the server only: not to be replayed.
  bool has_unknown() const;

  VariableSet with(std::string_view name, Setting setting) const;
  VariableSet without(std::string_view name) const;

  bool shares_with(const VariableSet& other) const { return content_ == other.content_; }
  /// As ==; if so they share their content from now on (shared_content.h).
  bool share_if_equal(VariableSet& other);

  /// Exact. A pointer comparison when both come from one value, and when both are empty.
  friend bool operator==(const VariableSet& a, const VariableSet& b) {
    return a.content_ == b.content_ || a.equals(b);
  }

 private:
  struct Content;
  bool equals(const VariableSet& other) const;

  std::shared_ptr<const Content> content_;  // Null when empty.
};

/// What parsing depends on (C10), for ServerStatements. 0 when nothing of it is set; nullopt when
/// some of it is unknown: then no statement may be shared. Keyed, because two clients' statements
/// are the same to us when this is.
std::optional<uint64_t> parse_state_hash(const VariableSet& variables, HashKey key);

/// The same over anything that finds settings: `find(name)` gives a Setting pointer or null.
template <class Find>
std::optional<uint64_t> parse_state_hash_of(const Find& find, HashKey key) {
  SipHash hash(key);
  bool any = false;
  for (const std::string_view name : names_that_affect_parsing()) {
    const Setting* setting = find(name);
    if (!setting) continue;
    if (setting->is_unknown()) return {};
    any = true;
    hash.add_field(name);
    hash.add_field(setting->text());
    hash.add_field(setting->encoding());
  }
  if (!any) return 0;
  return std::max<uint64_t>(hash.finish().low, 1);
}

}  // namespace fairlead::core
