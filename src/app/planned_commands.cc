#include "app/planned_commands.h"

#include <algorithm>
#include <array>

namespace fairlead::app {

namespace {

struct Planned {
  std::string_view name;
  std::string_view instead;
};

constexpr std::string_view kNodes = "fairlead check shows every node's role, lag and connections";
constexpr std::string_view kStatements =
    "pg_stat_statements on the nodes counts statements until then";

constexpr std::array kPlanned{
    Planned{"status", kNodes},
    Planned{"pools", "pg_stat_activity on the nodes shows the servers that are open"},
    Planned{"replicas", kNodes},
    Planned{"requests", kStatements},
    Planned{"queries", kStatements},
    Planned{"findings", kStatements},
    Planned{"events", "the log of fairlead up tells each change of a node"},
    Planned{"load", "pgbench through port 6432 loads it until then"},
};

}  // namespace

std::optional<std::string_view> instead_of_planned(std::string_view name) {
  const auto row = std::ranges::find(kPlanned, name, &Planned::name);
  if (row == kPlanned.end()) return std::nullopt;
  return row->instead;
}

}  // namespace fairlead::app
