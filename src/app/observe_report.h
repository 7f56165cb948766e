// The report of observe mode, for people and for machines. Pure.
#pragma once

#include <string>

#include "app/console_client.h"

namespace fairlead::app {

/// `databases` and `shapes` are SHOW OBSERVE and SHOW OBSERVE_SHAPES; `shapes_max` lines for each
/// database.
std::string observe_text(const ConsoleTable& databases, const ConsoleTable& shapes,
                         size_t shapes_max);
std::string observe_json(const ConsoleTable& databases, const ConsoleTable& shapes);

}  // namespace fairlead::app
