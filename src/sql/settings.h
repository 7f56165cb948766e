// The settings fairlead.*: names, values and what they mean. The same words and the same rules for
// SET, for startup parameters and for comment hints (hints.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "base/lsn.h"
#include "base/time.h"

namespace fairlead::sql {

struct Route {
  enum class Kind : uint8_t { kAuto, kPrimary, kReplica, kNode };
  Kind kind = Kind::kAuto;
  std::string node = {};  // kNode: "host:port".

  bool operator==(const Route&) const = default;
};

/// See design: what a read is promised to see.
enum class ReadConsistency : uint8_t { kEventual, kSession, kApp, kStrict };

/// See design: where a transaction reads that may still write.
enum class TransactionReads : uint8_t { kPrimary, kUntilWrite };

/// A floor that a client hands over: "X/Y", "timeline:X/Y" or "system_identifier:timeline:X/Y"
/// (D10, D24). Whether it is this cluster's and not ahead of it, the session checks.
struct FloorToken {
  std::optional<uint64_t> system_identifier;
  std::optional<uint32_t> timeline;
  Lsn lsn;

  bool operator==(const FloorToken&) const = default;
};

/// Free text that the ledger keeps with a statement, such as "route=/users,controller=users".
struct Tags {
  std::string text;
  bool operator==(const Tags&) const = default;
};

struct Explain {
  bool on = false;
  bool operator==(const Explain&) const = default;
};

/// The longest fairlead.tags value: it is kept for every statement of the ledger.
inline constexpr size_t kTagsBytesMax = 1024;

inline constexpr std::array<std::string_view, 7> kSettingNames{
    "fairlead.consistency", "fairlead.explain", "fairlead.max_lag",          "fairlead.min_lsn",
    "fairlead.route",       "fairlead.tags",    "fairlead.transaction_reads"};

/// One validated value. Its alternative tells which setting it is: Duration is max_lag.
using Setting =
    std::variant<Route, ReadConsistency, FloorToken, Duration, Tags, Explain, TransactionReads>;

/// Whether the name belongs to Fairlead at all: it starts with "fairlead." in any case.
bool is_fairlead_setting(std::string_view name);

/// Reads one value. An unknown name is kUndefinedObject (42704) with the nearest name as the hint,
/// a bad value kInvalidParameterValue (22023). Names are matched in any case. max_lag: "500ms",
/// "10s", "2min", "1h"; a number without a unit is milliseconds, as PostgreSQL counts time; "0" is
/// no replica that lags at all.
Result<Setting> read_setting(std::string_view name, std::string_view value);

std::string_view consistency_name(ReadConsistency consistency);

}  // namespace fairlead::sql
