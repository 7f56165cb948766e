// Whether a cluster's replicas are what they should be: a write on the primary is seen on each of
// them, and every table of every database is the same there.
//
// Reads everything, and leaves nothing behind: the write goes into a schema of its own, which is
// removed again, also what a verify that was killed left. Takes no lock on the folder: a promotion
// must not wait for a long comparison.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "cluster/progress.h"
#include "cluster/status.h"
#include "cluster/table_differences.h"

namespace fairlead::cluster {

struct VerifyOptions {
  std::chrono::milliseconds wait{10'000};        // Until a replica shows the write.
  std::chrono::milliseconds timeout{3'600'000};  // For all tables; what is left is undecided then.
  /// Writers of a table that never stands still may be held up for a moment: a second at
  /// most for the lock, and one for the replicas.
  bool may_hold = true;
};

struct NodeVerdict {
  enum class Kind : uint8_t {
    kEqual,
    kDiffers,      // It lacks the write, belongs to another cluster, or has other tables or rows.
    kUndecided,    // Some tables could not be compared, and nothing was found to differ.
    kUnreachable,  // It does not answer.
  };
  StatusRow status;
  Kind kind = Kind::kEqual;
  std::string why;  // What is wrong with the node as a whole; its tables were not compared then.
  std::optional<Duration> write_seen_after;  // Replicas.
  std::vector<Difference> differences;
};

struct Verification {
  size_t databases = 0;
  size_t tables = 0;
  uint64_t rows = 0;  // On the primary.
  std::vector<NodeVerdict> nodes;

  /// The worst of all nodes: kDiffers, then kUndecided, then kUnreachable.
  NodeVerdict::Kind kind() const;
};

std::string_view to_string(NodeVerdict::Kind kind);

/// An Error when nothing could be compared: there is no primary, another verify is at work, the
/// primary refuses the write.
Result<Verification> verify(const std::string& dir, const VerifyOptions& options,
                            ProgressSink& progress, const StopFlag& stop);

/// The steps that verify() would take now. Writes nothing.
Result<std::string> describe_verify(const std::string& dir);

}  // namespace fairlead::cluster
