// What a read must be able to see: from its level, its session and the writes of others to what is
// asked of the nodes (D10, D11, D16, D21).
//
// Pure. Moments are compared with the times at which positions were sampled, never with clocks of
// servers: a sample that began after something was acknowledged covers it.
#pragma once

#include <optional>

#include "base/time.h"
#include "core/balance.h"
#include "core/node_index.h"
#include "sql/settings.h"

namespace fairlead::core {

/// The last answer that a client has seen of a server, and what came before it from others: levels
/// may change from one read to the next, so the last node need not have what they have shown.
struct LastAnswer {
  NodeIndex node{};
  Time at{};            // After it was complete; Time{}: none yet.
  Time elsewhere_at{};  // Of the last one by another node, or by this one before it may have
                        // restarted (D7); Time{}: none.

  void note(NodeIndex by, Time server_opened_at, Time now);
};

/// What counts for one read.
struct ReadHistory {
  Time arrived{};       // The read.
  Time own_write{};     // The last write of its session; Time{}: none, as in the next one.
  Time others_write{};  // The last write of anybody, as far as the read's tables are concerned.
  LastAnswer answered{};
};

/// `needs.floor` and `needs.same_node` for a read at `level`.
///   eventual  nothing
///   session   own writes, and nothing older than the answers so far (D21): from the node that gave
///             the last one what it has, with what others had shown before; from others what the
///             primary had after it
///   app       everybody's writes
///   strict    whatever was committed before it arrived
void set_floors(sql::ReadConsistency level, const ReadHistory& history,
                const PositionSamples& positions, ReadNeeds& needs);

/// Both must be seen.
ReadFloor higher_floor(const ReadFloor& a, const ReadFloor& b);

/// Servers of `node` that were opened from then on cannot be used for the read, because what makes
/// the node fresh enough was seen of older ones only (D16 b, D21 a); Time{}: all can.
Time opened_before(const ClusterSnapshot& cluster, const ReadNeeds& needs, NodeIndex node);

}  // namespace fairlead::core
