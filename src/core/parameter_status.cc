#include "core/parameter_status.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "base/ascii.h"
#include "core/shared_content.h"

namespace fairlead::core {
namespace {

constexpr auto kFolded = [](char c) { return lower(c); };

/// Without case, as PostgreSQL compares names of settings.
struct NameLess {
  bool operator()(std::string_view a, std::string_view b) const {
    return std::ranges::lexicographical_compare(a, b, {}, kFolded, kFolded);
  }
};

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, kFolded, kFolded);
}

enum class Kind : uint8_t { kSession, kIdentity, kNode, kDerived };
struct KnownReport {
  std::string_view name;
  Kind kind;
};
/// GUC_REPORT of PostgreSQL 13 to 18 (C1).
constexpr std::array kKnownReports{
    KnownReport{"application_name", Kind::kSession},
    KnownReport{"client_encoding", Kind::kSession},
    KnownReport{"datestyle", Kind::kSession},
    KnownReport{"default_transaction_read_only", Kind::kSession},  // 14
    KnownReport{"in_hot_standby", Kind::kNode},                    // 14
    KnownReport{"integer_datetimes", Kind::kNode},
    KnownReport{"intervalstyle", Kind::kSession},
    KnownReport{"is_superuser", Kind::kDerived},
    KnownReport{"scram_iterations", Kind::kSession},  // 16
    KnownReport{"search_path", Kind::kSession},       // 18
    KnownReport{"server_encoding", Kind::kNode},
    KnownReport{"server_version", Kind::kNode},
    KnownReport{"session_authorization", Kind::kIdentity},
    KnownReport{"standard_conforming_strings", Kind::kSession},
    KnownReport{"timezone", Kind::kSession},
};

const KnownReport* find_known(std::string_view name) {
  const auto found = std::ranges::find_if(
      kKnownReports, [&](const KnownReport& known) { return same_name(known.name, name); });
  return found == kKnownReports.end() ? nullptr : &*found;
}

}  // namespace

struct ReportedParameters::Content {
  size_t hash = 0;  // First: it tells different contents apart quickly.
  std::vector<ReportedParameter> entries;
  bool operator==(const Content&) const = default;
};

bool ReportedParameters::set(std::string_view name, std::string_view value) {
  const std::string* present = find(name);
  if (present && *present == value) return true;
  if (!present && entries().size() >= kNamesMax) return false;

  auto changed = content_ ? std::make_shared<Content>(*content_) : std::make_shared<Content>();
  auto place =
      std::ranges::lower_bound(changed->entries, name, NameLess{}, &ReportedParameter::name);
  if (present) {
    place->value = value;
  } else {
    changed->entries.insert(place, {std::string(name), std::string(value)});
  }
  changed->hash = 0;
  for (const ReportedParameter& entry : changed->entries)
    for (const std::string* text : {&entry.name, &entry.value})
      changed->hash = changed->hash * 0x9e3779b97f4a7c15 + std::hash<std::string_view>{}(*text);
  content_ = std::move(changed);
  return true;
}

std::span<const ReportedParameter> ReportedParameters::entries() const {
  return content_ ? std::span<const ReportedParameter>(content_->entries)
                  : std::span<const ReportedParameter>{};
}

const std::string* ReportedParameters::find(std::string_view name) const {
  const auto all = entries();
  const auto found = std::ranges::lower_bound(all, name, NameLess{}, &ReportedParameter::name);
  return found != all.end() && same_name(found->name, name) ? &found->value : nullptr;
}

std::string_view ReportedParameters::value_or(std::string_view name,
                                              std::string_view otherwise) const {
  const std::string* value = find(name);
  return value ? std::string_view(*value) : otherwise;
}

bool ReportedParameters::share_if_equal(ReportedParameters& other) {
  return core::share_if_equal(content_, other.content_);
}

bool ReportedParameters::equals(const ReportedParameters& other) const {
  return content_ && other.content_ && *content_ == *other.content_;
}

bool is_reported_name(std::string_view name) { return find_known(name) != nullptr; }

bool describes_node(std::string_view name) {
  const KnownReport* known = find_known(name);
  return known && known->kind == Kind::kNode;
}

bool is_settable_report(std::string_view name) {
  const KnownReport* known = find_known(name);
  return known && (known->kind == Kind::kSession || known->kind == Kind::kIdentity);
}

std::vector<const ReportedParameter*> differences(const ReportedParameters& client_last_saw,
                                                  const ReportedParameters& server_reports) {
  std::vector<const ReportedParameter*> different;
  if (client_last_saw == server_reports) return different;
  for (const ReportedParameter& report : server_reports.entries()) {
    const std::string* seen = client_last_saw.find(report.name);
    if ((!seen || *seen != report.value) && !describes_node(report.name))
      different.push_back(&report);
  }
  return different;
}

std::vector<const ReportedParameter*> settable_differences(const ReportedParameters& wanted,
                                                           const ReportedParameters& has) {
  std::vector<const ReportedParameter*> different;
  for (const ReportedParameter& report : wanted.entries()) {
    const KnownReport* known = find_known(report.name);
    const std::string* present = has.find(report.name);
    if (known && known->kind == Kind::kSession && present && *present != report.value)
      different.push_back(&report);
  }
  return different;
}

}  // namespace fairlead::core
