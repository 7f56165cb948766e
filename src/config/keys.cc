// The sections, and finding and naming keys in them.
#include "config/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/assert.h"
#include "config/field.h"
#include "config/key_rows.h"
#include "config/suggest.h"

namespace fairlead::config {
namespace {

const std::array kSections{
    Section{SectionId::kListen, "listen", "", "What clients connect to.", Apply::kRestart,
            listen_keys()},
    Section{SectionId::kProxy, "proxy", "",
            "The process: its threads, limits and timeouts. Limits are shared by all workers.",
            Apply::kRestart, proxy_keys()},
    Section{SectionId::kCluster, "cluster", "main",
            "One PostgreSQL cluster: a primary and its replicas. One table for each, by name.",
            Apply::kRestart, cluster_keys()},
    Section{SectionId::kDatabase, "database", "*",
            "How the clients of one database are served. \"*\" stands for every database that has "
            "no table of its own; without any table, all are passed through to the only cluster.",
            Apply::kReload, database_keys()},
    Section{SectionId::kUser, "user", "reports",
            "What is different for one user, in whatever database.", Apply::kReload, user_keys()},
    Section{SectionId::kAuth, "auth", "", "Who may connect.", Apply::kReload, auth_keys()},
};

bool is_bare(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return is_letter_or_digit(c) || c == '_' || c == '-';
  });
}

template <class Range>
std::string hint_for(std::string_view unknown, const Range& things) {
  std::vector<std::string_view> names;
  for (const auto& thing : things) names.push_back(thing.name);
  const auto near = nearest(unknown, names);
  return near ? fmt::format("did you mean \"{}\"?", *near) : "";
}

template <class T>
std::vector<std::string> names_of(const std::map<std::string, T, std::less<>>& items) {
  std::vector<std::string> names;
  for (const auto& [name, item] : items) names.push_back(name);
  return names;
}

/// Splits `cluster.main.nodes` into section, name and key. A name may contain dots; a key cannot.
struct NameParts {
  std::string_view section, name, key;
};
std::optional<NameParts> split_full_name(std::string_view text) {
  const size_t first = text.find('.');
  const size_t last = text.rfind('.');
  if (first == std::string_view::npos) return std::nullopt;
  NameParts parts{text.substr(0, first), {}, text.substr(last + 1)};
  if (last > first) parts.name = text.substr(first + 1, last - first - 1);
  if (parts.name.size() >= 2 && parts.name.starts_with('"') && parts.name.ends_with('"')) {
    parts.name = parts.name.substr(1, parts.name.size() - 2);
  }
  return parts;
}

}  // namespace

std::span<const Section> sections() { return kSections; }

const Section& section_of(SectionId id) {
  const auto found = std::ranges::find(kSections, id, &Section::id);
  require(found != kSections.end(), "every section is in the table");
  return *found;
}

const Section* find_section(std::string_view name) {
  const auto found = std::ranges::find(kSections, name, &Section::name);
  return found == kSections.end() ? nullptr : &*found;
}

const Key* find_key(const Section& section, std::string_view name) {
  const auto found = std::ranges::find(section.keys, name, &Key::name);
  return found == section.keys.end() ? nullptr : &*found;
}

std::string full_name(const Section& section, std::string_view name) {
  if (!section.named()) return std::string(section.name);
  return fmt::format("{}.{}", section.name, is_bare(name) ? std::string(name) : quoted(name));
}

std::string full_name(const KeyRef& ref) {
  return fmt::format("{}.{}", full_name(*ref.section, ref.name), ref.key->name);
}

Result<KeyRef> parse_full_name(std::string_view text) {
  const auto parts = split_full_name(text);
  const std::string_view section_name = parts ? parts->section : text;
  const Section* section = find_section(section_name);
  if (section == nullptr) {
    return fail(ErrorCode::kConfig, fmt::format("there is no section \"{}\"", section_name), {},
                hint_for_section(section_name));
  }
  if (!parts || section->named() == parts->name.empty()) {
    return fail(ErrorCode::kConfig, fmt::format("\"{}\" is not the full name of a key", text), {},
                section->named() ? fmt::format("write {}.NAME.KEY", section->name)
                                 : fmt::format("write {}.KEY", section->name));
  }
  const Key* key = find_key(*section, parts->key);
  if (key == nullptr) {
    return fail(ErrorCode::kConfig,
                fmt::format("there is no key \"{}\" in [{}]", parts->key, section->name), {},
                hint_for_key(*section, parts->key));
  }
  return KeyRef{section, std::string(parts->name), key};
}

std::string hint_for_section(std::string_view unknown) { return hint_for(unknown, kSections); }

std::string hint_for_key(const Section& section, std::string_view unknown) {
  if (std::string hint = hint_for(unknown, section.keys); !hint.empty()) return hint;
  // Not a slip: perhaps the right key in the wrong section.
  for (const Section& other : kSections) {
    if (find_key(other, unknown) != nullptr) {
      return fmt::format("\"{}\" is a key of [{}]", unknown, other.name);
    }
  }
  return {};
}

std::vector<std::string> names_in(const Config& config, const Section& section) {
  if (section.id == SectionId::kCluster) return names_of(config.clusters);
  if (section.id == SectionId::kDatabase) return names_of(config.databases);
  if (section.id == SectionId::kUser) return names_of(config.users);
  return {""};
}

ConstSectionRef section_in(const Config& config, const Section& section, std::string_view name) {
  const auto existing = [&](const auto& items) {
    const auto found = items.find(name);
    require(found != items.end(), "only a section that exists is asked for");
    return ConstSectionRef(&found->second);
  };
  switch (section.id) {
    case SectionId::kListen:
      return &config.listen;
    case SectionId::kProxy:
      return &config.proxy;
    case SectionId::kAuth:
      return &config.auth;
    case SectionId::kCluster:
      return existing(config.clusters);
    case SectionId::kDatabase:
      return existing(config.databases);
    case SectionId::kUser:
      return existing(config.users);
  }
  unreachable("every section has a struct");
}

SectionRef section_in(Config& config, const Section& section, std::string_view name) {
  switch (section.id) {
    case SectionId::kListen:
      return &config.listen;
    case SectionId::kProxy:
      return &config.proxy;
    case SectionId::kAuth:
      return &config.auth;
    case SectionId::kCluster:
      return &config.clusters[std::string(name)];
    case SectionId::kDatabase:
      return &config.databases[std::string(name)];
    case SectionId::kUser:
      return &config.users[std::string(name)];
  }
  unreachable("every section has a struct");
}

ConstSectionRef default_section(SectionId id) {
  static const Listen listen;
  static const Proxy proxy;
  static const Cluster cluster;
  static const Database database;
  static const UserOptions user;
  static const Auth auth;
  switch (id) {
    case SectionId::kListen:
      return &listen;
    case SectionId::kProxy:
      return &proxy;
    case SectionId::kAuth:
      return &auth;
    case SectionId::kCluster:
      return &cluster;
    case SectionId::kDatabase:
      return &database;
    case SectionId::kUser:
      return &user;
  }
  unreachable("every section has a struct");
}

Apply apply_between(const Section& section, const Key& key, ConstSectionRef before,
                    ConstSectionRef after) {
  if (key.restarts_with.empty()) return key.apply;
  const Key* other = find_key(section, key.restarts_with);
  require(other != nullptr, "a key waits for one of its own section");
  return other->print(before) == other->print(after) ? key.apply : Apply::kRestart;
}

std::string print_masked(const Key& key, ConstSectionRef section) {
  std::string printed = key.print(section);
  return key.secret && printed != "\"\"" ? "\"***\"" : printed;
}

}  // namespace fairlead::config
