// What stands behind a RESET or a DISCARD ALL in the same request (C24).
//
// A server is shared, so a RESET there goes back to a default that is the server's, while the
// client's is what its start-up packet asked for. Behind the whole request the session puts that
// right (SessionVariables::take_follow_up()); what the client itself executes before that must not
// run without it: INSERT would find another table, and a role more rights. In a pipeline the
// setting is set again between the client's messages. The text of a Query is left as it is, because
// errors point into it; one that would need something put in is refused.
//
// Pure.
#pragma once

#include <optional>
#include <string_view>

#include "core/request_plan.h"
#include "core/variable_set.h"

namespace fairlead::core {

/// Has each Execute that resets something of `startup` followed by what sets it again, unless
/// nothing stands behind it.
void plan_follow_ups(RequestPlan& plan, const VariableSet& startup);

/// Which setting of `startup` some statement of the text would run without, because one before it
/// has reset it; nullopt: none. A name that only logs and views show does not count, nor do COMMIT
/// and ROLLBACK.
std::optional<std::string_view> find_missing_setting(const sql::QueryFacts& facts,
                                                     const VariableSet& startup);

}  // namespace fairlead::core
