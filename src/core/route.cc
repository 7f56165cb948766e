#include "core/route.h"

namespace fairlead::core {
namespace {

using sql::Access;
using sql::Isolation;
using sql::Reason;

Route to_primary(Reason reason) { return {.target = Target::kPrimary, .reason = reason}; }
Route to_replica(Reason reason) { return {.target = Target::kReplica, .reason = reason}; }

bool is_serializable(const RouteInput& input) {
  if (input.begin != nullptr && input.begin->isolation)
    return *input.begin->isolation == Isolation::kSerializable;
  return input.default_serializable;
}

/// A transaction that a replica may serve as a whole (B3, B18).
bool is_read_only_begin(const RouteInput& input) {
  return input.begin != nullptr && input.begin->read_only.value_or(input.default_read_only);
}

Route decide_target(const RouteInput& input) {
  if (input.port == Port::kPrimary) return to_primary(Reason::kPortPrimary);
  if (input.port == Port::kRead)
    return {.target = Target::kReplica, .reason = Reason::kPortReplica, .replica_only = true};
  if (is_serializable(input)) return to_primary(Reason::kSerializable);  // B4

  const bool is_begin = is_read_only_begin(input);
  const bool may_leave_primary = is_begin || input.decision.access == Access::kRead;
  if (input.hint && input.hint->kind == sql::Route::Kind::kPrimary)
    return to_primary(Reason::kHint);
  if (!may_leave_primary) return to_primary(input.decision.reason);
  if (input.hint && input.hint->kind == sql::Route::Kind::kReplica)
    return to_replica(Reason::kHint);
  if (input.hint && input.hint->kind == sql::Route::Kind::kNode) {
    return {.target = Target::kReplica,
            .reason = Reason::kHint,
            .replica_only = true,
            .node = input.hint->node};
  }
  return to_replica(is_begin ? Reason::kTransactionReadOnly : input.decision.reason);
}

}  // namespace

Route decide_route(const RouteInput& input) {
  Route route = decide_target(input);
  route.read = input.read;
  return route;
}

}  // namespace fairlead::core
