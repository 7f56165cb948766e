// The report of `fairlead check` as text and JSON. Pure.
#pragma once

#include <string>

#include "app/check_findings.h"
#include "app/terminal.h"

namespace fairlead::app {

/// A table of the nodes.
std::string nodes_text(const CheckReport& report);
/// Each finding with its cause and the next step, then the verdict.
std::string findings_text(const CheckReport& report, const Style& style);
/// {"ok", "nodes": [...], "findings": [{"severity", "where", "message", "cause", "next"}]}
std::string report_json(const CheckReport& report);

}  // namespace fairlead::app
