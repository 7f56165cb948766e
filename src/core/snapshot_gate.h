// In what order all workers learn of a new primary: first that the old one is over, and only when
// every worker has let go of it, who the new one is (E26). Otherwise one worker could write to the
// new primary while another one still writes to the old.
//
// It also knows when every worker holds its writes, which a planned switchover waits for. Pure; the
// control thread owns it, posts to the workers what it returns, and reports what they have taken.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/topology.h"

namespace fairlead::core {

class SnapshotGate {
 public:
  using Snapshot = std::shared_ptr<const ClusterSnapshot>;

  explicit SnapshotGate(size_t workers) : taken_(workers, 0) {}

  /// For every worker, in this order.
  struct Publication {
    Snapshot snapshot;
    uint64_t number = 0;
    bool confirm = false;  // Each worker is to say that it has taken it: on_taken().
  };

  /// What is to be published now that this was decided.
  Publication on_decided(Snapshot snapshot);
  /// `worker` has let go of whatever that publication does not allow. True: publish on_open().
  bool on_taken(size_t worker, uint64_t number);
  /// Everybody has let go of the last epoch: what was decided last.
  Publication on_open();

  /// No worker begins anything new on the primary, and none can before the next decision.
  bool all_hold() const;

 private:
  Publication publish(Snapshot snapshot, bool confirm);
  bool all_have_taken(uint64_t number) const;

  std::vector<uint64_t> taken_;  // By worker: the number of what it has confirmed last.
  uint64_t number_ = 0;          // Of the last publication.
  Snapshot latest_;              // As decided.
  uint64_t open_epoch_ = 0;      // Whose primary may be used; 0: none yet.
  uint64_t closing_epoch_ = 0;   // The last one whose beginning was published without a primary …
  uint64_t closing_number_ = 0;  // … by this publication.
  uint64_t holding_number_ = 0;  // The first publication of those that hold; 0: none do.
};

}  // namespace fairlead::core
