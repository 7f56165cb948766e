// The tables that the console shows: their names, their columns, and how a report becomes rows.
//
// The columns of a view are a promise: scripts read them by name. Add at the end, never rename. A
// new view is a row of kViews, its columns and its rows in views.cc (or a file beside it), and what
// it shows in report.h. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "console/report.h"
#include "wire/result_table.h"

namespace fairlead::console {

enum class View : uint8_t { kHelp, kObserve, kObserveShapes, kPins, kRoutes, kVersion };

struct ViewRow {
  View view;
  std::string_view name;  // After SHOW, in lower case.
  std::string_view description;
  bool asks_workers;  // Else the report stays empty.
};
/// In the order of the enum, which is that of the alphabet.
std::span<const ViewRow> views();

/// By its name in any case.
std::optional<View> find_view(std::string_view name);

std::span<const wire::ResultColumn> columns_of(View view);

/// `version` is Fairlead's own.
wire::ResultTable table_of(View view, const Report& report, std::string_view version);

}  // namespace fairlead::console
