// What the clients of the demonstration saw of a node that died: errors, the longest wait, and what
// became of each write that they were told was done. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "app/demo_workload.h"

namespace fairlead::app {

/// Acknowledged posts against those that are there in the end.
struct PostsFound {
  uint64_t acknowledged = 0;
  uint64_t lost = 0;        // Acknowledged, and not there.
  uint64_t repeated = 0;    // There more than once.
  uint64_t unanswered = 0;  // There, and never acknowledged: their outcome was reported as unknown.

  bool operator==(const PostsFound&) const = default;
};

/// Numbers of requests (demo_requests.h), in any order.
PostsFound compare_posts(std::vector<uint64_t> acknowledged, std::vector<uint64_t> found);

struct DemoVerdict {
  std::string killed_role;  // "primary"
  std::string killed_node;  // host:port
  std::string primary_now;  // host:port; empty: there is none.
  WorkloadTotals totals;
  PostsFound posts;

  bool lost_nothing() const { return posts.lost == 0 && posts.repeated == 0; }
};

std::string verdict_text(const DemoVerdict& verdict);
std::string verdict_json(const DemoVerdict& verdict);

}  // namespace fairlead::app
