// What would send a statement elsewhere, by the reason for where it goes: for `fairlead explain`
// and for the report of observe mode.
#pragma once

#include <string_view>

#include "sql/reason.h"

namespace fairlead::sql {

/// One sentence for people. Every reason has one.
std::string_view advice(Reason reason);

}  // namespace fairlead::sql
