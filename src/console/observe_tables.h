// Observe mode as tables: SHOW OBSERVE and SHOW OBSERVE_SHAPES. Pure.
#pragma once

#include <span>
#include <vector>

#include "console/report.h"
#include "wire/result_table.h"

namespace fairlead::console {

/// A part of a whole: 0 to 1, with four decimals; 0 of nothing.
double share_of(uint64_t part, uint64_t whole);

/// One row for each database.
std::span<const wire::ResultColumn> observe_columns();
std::vector<std::vector<wire::ResultCell>> observe_rows(const Report& report);

/// One row for each shape and outcome, the most frequent first.
std::span<const wire::ResultColumn> observe_shapes_columns();
std::vector<std::vector<wire::ResultCell>> observe_shapes_rows(const Report& report);

}  // namespace fairlead::console
