#include "app/console_json.h"

namespace fairlead::app {

boost::json::object row_json(const ConsoleTable& table, size_t row) {
  boost::json::object out;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const wire::ResultCell& cell = table.rows[row][i];
    boost::json::value& value = out[table.columns[i]];
    if (const auto* number = std::get_if<int64_t>(&cell)) value = *number;
    if (const auto* real = std::get_if<double>(&cell)) value = *real;
    if (const auto* text = std::get_if<std::string>(&cell)) value = *text;
  }
  return out;
}

boost::json::array rows_json(const ConsoleTable& table) {
  boost::json::array out;
  for (size_t row = 0; row < table.rows.size(); ++row) out.push_back(row_json(table, row));
  return out;
}

}  // namespace fairlead::app
