// The `options` start-up parameter: a command line for the server process, such as
// "-c statement_timeout=5s --geqo=off -csearch_path=a,\ b".
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace fairlead::wire {

/// The settings in `options`, in their order, names with '-' turned into '_' as PostgreSQL does it
/// (C8). Words are separated by white space; a backslash takes the next character as it is.
/// Understands -c NAME=VALUE (with and without a space) and --NAME=VALUE. Error: kSyntaxError for a
/// setting without a value and for every other switch, because a switch that was not understood
/// must not be dropped.
Result<std::vector<std::pair<std::string, std::string>>> parse_options(std::string_view options);

}  // namespace fairlead::wire
