// How a server is made clean before another client gets it, or that it has to be closed (C23, C25).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/pins.h"

namespace fairlead::core {

/// What the server is in the middle of when its client lets go of it.
enum class ServerSituation : uint8_t {
  kIdle,           // ReadyForQuery I, nothing outstanding, nothing unread.
  kInTransaction,  // ReadyForQuery T or E, nothing outstanding.
  kBusy,           // Anything else: a statement runs, COPY, unread or half-sent bytes.
};

enum class CleanupDepth : uint8_t {
  kNone,  // Known to be clean, but for a transaction.
  // After both of these the server's settings are VariableSet{}; after the second it has no
  // prepared statements (ServerStatements::forget_all()).
  kSettings,    // A check found nothing held (pins.h): settings and sequences. Statements survive.
  kEverything,  // DISCARD ALL: also LISTEN, locks, cursors, temporary objects, statements.
};

/// One simple Query and the command tags that must answer it, in order.
struct CleanupStep {
  std::string_view sql;
  std::span<const std::string_view> tags;
};

struct CleanupPlan {
  bool close = false;                  // No step can make it clean: close it (C25).
  std::span<const CleanupStep> steps;  // None: reuse it as it is.
};
CleanupPlan plan_cleanup(ServerSituation situation, CleanupDepth depth);
/// The client is gone. Its tracked settings stay on the server: the next client's replay knows
/// them.
CleanupPlan plan_end_of_client(ServerSituation situation, const PinState& pins);

/// Follows one plan. Only exactly the expected answer counts; on anything else, and on the caller's
/// timeout, the server is closed. Notices and ParameterStatus are not fed to it.
class CleanupFsm {
 public:
  enum class Next : uint8_t { kSend, kWait, kDone, kClose };

  explicit CleanupFsm(CleanupPlan plan);

  /// kSend: send sql() as one simple Query, and call on_sent().
  Next next() const { return next_; }
  std::string_view sql() const;
  Next on_sent();
  Next on_command_complete(std::string_view tag);
  /// ReadyForQuery and its status.
  Next on_ready(char status);
  /// ErrorResponse, or any message that the plan does not expect.
  Next on_unexpected();

 private:
  CleanupPlan plan_;
  size_t step_ = 0;
  size_t tag_ = 0;
  Next next_;
};

}  // namespace fairlead::core
