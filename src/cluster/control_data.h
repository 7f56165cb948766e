// What pg_controldata says of a data directory whose server does not run. Pure but for
// read_control_data().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/lsn.h"
#include "cluster/os_user.h"
#include "cluster/state.h"

namespace fairlead::cluster {

struct ControlData {
  std::string system_identifier;
  std::string state;      // "shut down", "in production", "shut down in recovery", ...
  Lsn checkpoint = {};    // Where the latest checkpoint record begins.
  uint32_t timeline = 0;  // Of that checkpoint.

  /// Of a primary: everything up to its shutdown checkpoint is on disk, and nothing is behind it.
  bool is_clean_primary() const { return state == "shut down"; }
  bool operator==(const ControlData&) const = default;
};

Result<ControlData> parse_control_data(std::string_view text);

/// Runs pg_controldata as the servers' user.
Result<ControlData> read_control_data(const ClusterState& state, const OsUser& user,
                                      const NodeState& node);

}  // namespace fairlead::cluster
