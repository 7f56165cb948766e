// Which errors of a server may be met by asking elsewhere: the table A5. Whether this request may
// be repeated at all is the session's question (A60).
#pragma once

#include <cstdint>

#include "wire/error_fields.h"

namespace fairlead::core {

enum class RetryAdvice : uint8_t {
  kNone,       // The error is genuine: the client's.
  kPrimary,    // The primary can answer.
  kElsewhere,  // Any other node can.
};

RetryAdvice advise_retry(const wire::ErrorFields& error);

/// A replica will say so of this statement each time (A44), unlike what it has not replayed yet.
bool is_lasting_refusal(const wire::ErrorFields& error);

/// "cached plan must not change result type": a prepared statement was made under another catalog
/// (C11).
bool is_stale_plan(const wire::ErrorFields& error);

/// A prepared statement of Fairlead's is not there: something has dropped it behind our back, such
/// as DEALLOCATE ALL in a function. Nothing has been executed then.
bool is_lost_statement(const wire::ErrorFields& error);

}  // namespace fairlead::core
