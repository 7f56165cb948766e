// What a cluster is and how far it was made: the content of DIR/cluster.json. Pure; files.h writes
// it.
//
// The text carries passwords. Every field is required when it is read back: a state file that was
// edited by hand into something else is an error, never a guess.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cluster/operation.h"
#include "cluster/spec.h"

namespace fairlead::cluster {

/// Passwords that we made up, one per role. Empty: the role does not exist.
struct Secrets {
  std::string superuser;
  std::string monitor;
  std::string replication;
  std::string application;

  bool operator==(const Secrets&) const = default;
};

enum class Phase : uint8_t {
  kCreating,    // create was interrupted, or is at work: create finishes it, destroy removes it.
  kReady,       // Complete.
  kDestroying,  // destroy was interrupted: only destroy may go on.
};

struct NodeState {
  std::string name;  // Also its folder, cluster_name, application_name and slot name.
  uint16_t port = 0;
  Standing standing = Standing::kMember;

  bool operator==(const NodeState&) const = default;
};

struct ClusterState {
  Phase phase = Phase::kCreating;
  ClusterSpec spec;  // As asked for, with nothing empty that the machine decides.
  uint32_t pg_major = 0;
  Secrets secrets;
  std::vector<NodeState> nodes;  // nodes[0] is made first; it is the primary until a promotion.
  size_t steps_done = 0;         // Of create's plan, which depends on spec alone.
  bool step_begun = false;       // Step number steps_done was begun and its end was not recorded.
  bool stopped = false;          // By a command: nobody but a command starts it again.
  std::optional<Operation> operation = {};  // Of a cluster that is ready: the change at work.

  bool operator==(const ClusterState&) const = default;
};

std::string to_json(const ClusterState& state);
Result<ClusterState> state_from_json(std::string_view text);

}  // namespace fairlead::cluster
