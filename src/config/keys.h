// The declaration of every key: one row each, from which reading, printing, etc/fairlead.toml,
// docs/CONFIG.md, `config show` and the difference of two configurations all come.
//
// To add a key: a member with its default in config.h, a row in keys_*.cc, and where it is not
// carried out yet a row in availability.cc. Then `make generate`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "config/document.h"

namespace fairlead::config {

/// Whether a reload (SIGHUP) carries a change out, or only the next start.
enum class Apply : uint8_t { kReload, kRestart };

/// What a `*_file` key's file is for.
enum class FileUse : uint8_t {
  kNone,      // Not the name of a file.
  kReadable,  // Read later by whoever needs it; here only proven to be readable.
  kSecret,    // Its content is the value of the key of the same name without "_file".
};

/// The struct that a row's member belongs to.
using SectionRef = std::variant<Listen*, Proxy*, Cluster*, Database*, UserOptions*, Auth*>;
using ConstSectionRef = std::variant<const Listen*, const Proxy*, const Cluster*, const Database*,
                                     const UserOptions*, const Auth*>;

struct Key {
  std::string_view name = {};
  std::string_view type = {};  // For people: "duration", "list of host:port".
  std::string_view sentence = {};
  Apply apply = Apply::kReload;
  /// A key of the same section that only a restart changes: when that one differs, this one waits
  /// for the restart with it, because the two mean nothing apart. Empty: none.
  std::string_view restarts_with = {};
  int64_t min = 0;  // In microseconds, bytes or units; used where min < max.
  int64_t max = 0;
  bool secret = false;
  FileUse file = FileUse::kNone;
  std::string_view example = {};  // A TOML value, for keys that have no useful default.

  Result<void> (*read)(const Key& key, const Value& value, SectionRef section) = nullptr;
  void (*copy)(ConstSectionRef from, SectionRef to) = nullptr;
  /// As a TOML value that read() accepts. Not masked.
  std::string (*print)(ConstSectionRef section) = nullptr;
  /// The member itself, where it is a plain text; else null.
  const std::string* (*text)(ConstSectionRef section) = nullptr;
  /// A bound as a person writes it: "100ms".
  std::string (*print_bound)(int64_t bound) = nullptr;
  std::vector<std::string_view> (*words)() = nullptr;  // Of an enumeration; else null.
};

enum class SectionId : uint8_t { kListen, kProxy, kCluster, kDatabase, kUser, kAuth };

struct Section {
  SectionId id;
  std::string_view name;
  /// The name in an example where a section exists once per name: "main"; empty: exists once.
  std::string_view example_name;
  std::string_view sentence;
  Apply apply;  // Of adding or removing a named one.
  std::span<const Key> keys;

  bool named() const { return !example_name.empty(); }
};

/// In the order of the file.
std::span<const Section> sections();
const Section& section_of(SectionId id);
const Section* find_section(std::string_view name);
const Key* find_key(const Section& section, std::string_view name);

/// A key of one section: `name` is the cluster's, database's or user's, empty for the others.
struct KeyRef {
  const Section* section;
  std::string name;
  const Key* key;
};

/// "listen.port", "cluster.main.nodes", "database.\"*\".pool_size".
std::string full_name(const KeyRef& ref);
std::string full_name(const Section& section, std::string_view name);
/// Reads what full_name() writes; the quotes may be missing. Errors name the nearest key.
Result<KeyRef> parse_full_name(std::string_view text);

/// What a name that is not known should probably have been, as a hint; empty: nothing is near.
std::string hint_for_section(std::string_view unknown);
std::string hint_for_key(const Section& section, std::string_view unknown);

/// The names of the clusters, databases or users of a Config; one empty name for the other
/// sections.
std::vector<std::string> names_in(const Config& config, const Section& section);
/// The struct itself; for a named section it must exist.
ConstSectionRef section_in(const Config& config, const Section& section, std::string_view name);
/// The same; creates it where it does not exist.
SectionRef section_in(Config& config, const Section& section, std::string_view name);
/// A section with all its defaults.
ConstSectionRef default_section(SectionId id);

/// When a change of the key between these two of its sections comes into force.
Apply apply_between(const Section& section, const Key& key, ConstSectionRef before,
                    ConstSectionRef after);

/// The printed value, or "***" for a secret that is set.
std::string print_masked(const Key& key, ConstSectionRef section);

}  // namespace fairlead::config
