// An Operation as a part of the state file. Pure.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>

#include "cluster/operation.h"

namespace fairlead::cluster {

/// Null: none is at work.
boost::json::value to_json(const std::optional<Operation>& operation);

/// `nodes` is how many the state has. Leaves in `broken` the name of a field that is missing or
/// wrong, a step of a node that there is not included.
std::optional<Operation> operation_from_json(const boost::json::value* value, size_t nodes,
                                             std::optional<std::string>& broken);

}  // namespace fairlead::cluster
