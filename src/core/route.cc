#include "core/route.h"

namespace fairlead::core {
namespace {

using sql::Access;
using sql::Isolation;
using sql::Reason;

Route to_primary(Reason reason) { return {.target = Target::kPrimary, .reason = reason}; }
Route to_replica(Reason reason) { return {.target = Target::kReplica, .reason = reason}; }

bool is_serializable(const RouteInput& input) {
  if (input.opens != nullptr && input.opens->isolation)
    return *input.opens->isolation == Isolation::kSerializable;
  return input.default_serializable;
}

/// A transaction that a replica may serve as a whole (B3, B18).
bool is_read_only_transaction(const RouteInput& input) {
  return input.opens != nullptr && input.opens->read_only.value_or(input.default_read_only);
}

/// What PostgreSQL takes in a READ ONLY transaction, and a replica refuses or does by itself alone
/// (B3). As the first statement of one it keeps all of it on the primary. What may change the
/// session unseen may take a lock, too (C15, C22).
bool needs_primary(const sql::Decision& decision) {
  return decision.opaque || decision.primary_only;
}

/// Why the request may leave the primary; nullopt: it may not.
std::optional<Reason> why_replica(const RouteInput& input) {
  const bool is_read = input.decision.access == Access::kRead;
  if (is_read_only_transaction(input)) {
    const bool fits = input.leaves_transaction ? is_read : !needs_primary(input.decision);
    return fits ? std::optional(Reason::kTransactionReadOnly) : std::nullopt;
  }
  if (input.opens != nullptr)
    return is_read && input.reads_until_write ? std::optional(Reason::kUntilWrite) : std::nullopt;
  return is_read ? std::optional(input.decision.reason) : std::nullopt;
}

/// Of what may not leave the primary.
Reason why_primary(const RouteInput& input) {
  if (input.opens == nullptr || input.decision.access == Access::kPrimary)
    return input.decision.reason;
  return input.opens->read_only ? Reason::kReadWriteTransaction : Reason::kTransaction;  // B2, B5
}

Route decide_target(const RouteInput& input) {
  if (input.port == Port::kPrimary) return to_primary(Reason::kPortPrimary);
  if (input.port == Port::kRead)
    return {.target = Target::kReplica, .reason = Reason::kPortReplica, .replica_only = true};
  if (input.pinned) return to_primary(Reason::kPinned);                  // C22
  if (is_serializable(input)) return to_primary(Reason::kSerializable);  // B4

  const std::optional<Reason> replica = why_replica(input);
  if (input.hint && input.hint->kind == sql::Route::Kind::kPrimary)
    return to_primary(Reason::kHint);
  if (!replica) return to_primary(why_primary(input));
  if (input.hint && input.hint->kind == sql::Route::Kind::kReplica)
    return to_replica(Reason::kHint);
  if (input.hint && input.hint->kind == sql::Route::Kind::kNode) {
    return {.target = Target::kReplica,
            .reason = Reason::kHint,
            .replica_only = true,
            .node = input.hint->node};
  }
  return to_replica(*replica);
}

}  // namespace

Route decide_route(const RouteInput& input) {
  Route route = decide_target(input);
  route.read = input.read;
  return route;
}

}  // namespace fairlead::core
