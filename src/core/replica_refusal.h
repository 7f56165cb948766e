// What a transaction that reads from a replica must not do there, although the replica would: the
// client is told, and what to do instead.
//
// Pure. As the first statement of its transaction the same goes to the primary, and the transaction
// with it (route.h, B3).
#pragma once

#include <optional>

#include "base/error.h"
#include "sql/facts.h"

namespace fairlead::core {

/// nullopt: a replica may execute it, or refuses it by itself.
std::optional<Error> replica_refusal(const sql::QueryFacts& facts);

}  // namespace fairlead::core
