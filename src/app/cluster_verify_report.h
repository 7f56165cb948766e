// What `fairlead cluster verify` found, as text and as JSON. Pure.
#pragma once

#include <string>
#include <string_view>

#include "cluster/verify.h"

namespace fairlead::app {

/// Differences of one node that the text lists; JSON has them all.
inline constexpr size_t kDifferencesListed = 20;

/// The status table with two more columns, a line for each difference, and a sentence.
std::string verify_text(std::string_view cluster, const cluster::Verification& found);
std::string verify_json(std::string_view cluster, const cluster::Verification& found);

}  // namespace fairlead::app
