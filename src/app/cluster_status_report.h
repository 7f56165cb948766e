// The nodes of a cluster as a table, in the words of `patronictl list`, and as JSON. Pure.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/status.h"

namespace fairlead::app {

/// "Cluster: c (7277694203142172922)", or without what is unknown.
std::string status_title(std::string_view cluster, const std::vector<cluster::StatusRow>& rows);

/// Member, Host, Role, State, TL, Receive LSN, Receive Lag, Replay LSN, Replay Lag, Time Lag.
const std::vector<std::string>& status_headings();
/// A cell for each of them; "-" is unknown, or does not apply.
std::vector<std::string> status_cells(const cluster::StatusRow& row);

/// Title and table, a line for each node.
std::string status_text(std::string_view cluster, const std::vector<cluster::StatusRow>& rows);

/// What is unknown is null, positions are texts like "0/3000060".
boost::json::object status_object(std::string_view cluster, const cluster::StatusRow& row);
/// An array of them, in one line.
std::string status_json(std::string_view cluster, const std::vector<cluster::StatusRow>& rows);

}  // namespace fairlead::app
