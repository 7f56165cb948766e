// What changed between two looks at a cluster, in lines for the log: each transition once, however
// often the nodes are probed. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "core/topology.h"

namespace fairlead::proxy {

struct NewsLine {
  log::Level level = log::Level::kInfo;
  std::string text;
  bool operator==(const NewsLine&) const = default;
};

/// `before` null: everything is news. Changes of a node's state, role and usability, of the primary
/// and its epoch, and of the alarm; not of positions, lag or the wording of a reason.
std::vector<NewsLine> news_between(const core::ClusterSnapshot* before,
                                   const core::ClusterSnapshot& after);

}  // namespace fairlead::proxy
