// Rules that more than one value decides, or that a value's type cannot express.
#pragma once

#include <string>
#include <vector>

#include "config/draft.h"

namespace fairlead::config {

/// Reports everything about the draft that contradicts itself. Bounds of single values were checked
/// when they were read.
void validate(Draft& draft);
/// The same for a Config that was not read but put together: its first contradiction.
Result<void> validate(const Config& config);

/// What is allowed and probably not meant, a sentence each: for the log at start and for
/// `fairlead check`.
std::vector<std::string> warnings(const Config& config);

}  // namespace fairlead::config
