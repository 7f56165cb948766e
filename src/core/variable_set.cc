#include "core/variable_set.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/shared_content.h"
#include "core/variable_names.h"

namespace fairlead::core {

struct VariableSet::Content {
  size_t hash = 0;  // First: it tells different contents apart quickly.
  std::vector<Entry> entries;
  size_t bytes = 0;
  bool has_unknown = false;
  bool operator==(const Content&) const = default;
};

namespace {

void combine(size_t& hash, std::string_view text) {
  hash = (hash ^ std::hash<std::string_view>{}(text)) * 0x9e3779b97f4a7c15;
  hash ^= hash >> 29;
}

}  // namespace

VariableSet::VariableSet(std::vector<Entry> unordered) {
  std::vector<Entry> entries;
  entries.reserve(unordered.size());
  for (Entry& entry : unordered) {  // Nearly in order already, mostly.
    const auto place = std::ranges::lower_bound(entries, entry.name, {}, &Entry::name);
    if (place != entries.end() && place->name == entry.name) {
      place->setting = std::move(entry.setting);
    } else {
      entries.insert(place, std::move(entry));
    }
  }
  if (entries.empty()) return;

  auto content = std::make_shared<Content>();
  content->entries = std::move(entries);
  for (const Entry& entry : content->entries) {
    combine(content->hash, entry.name);
    combine(content->hash, entry.setting.text());
    content->bytes += entry.name.size() + entry.setting.bytes();
    content->has_unknown |= entry.setting.is_unknown();
  }
  content_ = std::move(content);
}

size_t VariableSet::bytes() const { return content_ ? content_->bytes : 0; }

std::span<const VariableSet::Entry> VariableSet::entries() const {
  return content_ ? std::span<const Entry>(content_->entries) : std::span<const Entry>{};
}

const Setting* VariableSet::find(std::string_view name) const {
  const auto all = entries();
  const auto found = std::ranges::lower_bound(all, name, {}, &Entry::name);
  return found != all.end() && found->name == name ? &found->setting : nullptr;
}

bool VariableSet::has_unknown() const { return content_ && content_->has_unknown; }

VariableSet VariableSet::with(std::string_view name, Setting setting) const {
  if (const Setting* present = find(name); present && *present == setting) return *this;
  std::vector<Entry> changed(entries().begin(), entries().end());
  changed.push_back({std::string(name), std::move(setting)});
  return VariableSet(std::move(changed));
}

VariableSet VariableSet::without(std::string_view name) const {
  if (!find(name)) return *this;
  std::vector<Entry> changed(entries().begin(), entries().end());
  std::erase_if(changed, [&](const Entry& entry) { return entry.name == name; });
  return VariableSet(std::move(changed));
}

bool VariableSet::share_if_equal(VariableSet& other) {
  return core::share_if_equal(content_, other.content_);
}

bool VariableSet::equals(const VariableSet& other) const {
  return content_ && other.content_ && *content_ == *other.content_;
}

std::optional<uint64_t> parse_state_hash(const VariableSet& variables, HashKey key) {
  return parse_state_hash_of([&](std::string_view name) { return variables.find(name); }, key);
}

}  // namespace fairlead::core
