// What a statement that has completed does to the session: settings with their transactions (C2).
#pragma once

#include "core/request_plan.h"
#include "core/session_state.h"

namespace fairlead::core {

/// The first `completed` statements of `execution` completed without an error; what the next one
/// did, if there is one, is undone.
void apply_execution(const Execution& execution, size_t completed, SessionState& session);

/// DISCARD ALL, or DEALLOCATE ALL as its last word: the server has no prepared statements any more.
bool drops_all_statements(const sql::QueryFacts& facts);

/// ReadyForQuery came: the end of a request. With status I a transaction has ended, an implicit one
/// at least; `failed`: an ErrorResponse was part of the request.
void apply_ready(wire::TxStatus status, bool failed, SessionState& session);

/// Tells the pins what the request may have created or ended, and what it did that cannot be seen
/// (C4, C13-C20).
void note_pins(sql::PinEvents events, bool opaque, PinState& pins);

}  // namespace fairlead::core
