// The position that a client carries from one connection to another: SHOW fairlead.token, and
// SET fairlead.min_lsn (D24).
#pragma once

#include <string>

#include "core/balance.h"
#include "core/topology.h"
#include "sql/settings.h"

namespace fairlead::core {

/// "system_identifier:timeline:X/Y" of the cluster's position.
std::string token_of(const ClusterSnapshot& cluster);

/// What a token asks of a read that came at `arrived`. It is pending until the primary was looked
/// at after that, when it is ahead of what is known: then a position, or an error of
/// kInvalidParameterValue, because otherwise a slip of the pen would send all reads to the primary
/// (D24). So is a token of another cluster, and one of a timeline whose end is not part of the
/// cluster's, or not known to be (D20).
Result<ReadFloor> floor_of(const sql::FloorToken& token, const ClusterSnapshot& cluster,
                           Time arrived);

}  // namespace fairlead::core
