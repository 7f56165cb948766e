// Questions to one node, for commands: `fairlead check` and `fairlead explain`.
//
// Logs in as the monitor user in the way that the proxy does, with its TLS and with what
// server_auth allows (F14): a node that would not do for the proxy does not do here, for the same
// reason, and nobody learns a password from a command that he would not learn from the proxy.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "proxy/conversation.h"

namespace fairlead::proxy {

/// Where to ask, and for how long at most: to log in, and for each question.
struct AskedNode {
  const config::Cluster& cluster;
  const config::NodeAddress& address;
  std::string database = {};  // Empty: the monitor's.
  Duration timeout{};
};

/// The rows of each question, in their order; up to the first that fails. Blocks. The server's own
/// words are in the error's detail.
Result<std::vector<std::vector<Row>>> ask_node(const AskedNode& node,
                                               std::vector<std::string> questions,
                                               std::string_view application_name);

}  // namespace fairlead::proxy
