// How many replicas must have a commit before it is acknowledged, as people say it: "any 1", "first
// 2", "off". Pure.
//
// The rule is of the cluster; which names PostgreSQL is given for it depends on who the primary is
// (server_files.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace fairlead::cluster {

struct SyncRule {
  enum class Method : uint8_t {
    kOff,    // Asynchronous: a commit waits for nobody.
    kAny,    // A quorum: any `count` of the replicas (E10).
    kFirst,  // By priority: the first `count` that stream, in the order of the nodes.
  };
  Method method = Method::kOff;
  uint32_t count = 0;  // 0 when off, else from 1.

  bool is_on() const { return method != Method::kOff; }
  bool operator==(const SyncRule&) const = default;
};

/// Reads "off", "any N" and "first N" in any case.
Result<SyncRule> parse_sync_rule(std::string_view text);
std::string to_string(const SyncRule& rule);

/// The value of synchronous_standby_names: ANY 1 ("node2", "node3"). Empty when off, or when there
/// is nobody to name: PostgreSQL refuses an empty list.
std::string standby_names(const SyncRule& rule, const std::vector<std::string>& nodes);

}  // namespace fairlead::cluster
