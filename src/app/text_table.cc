#include "app/text_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"

namespace fairlead::app {

namespace {

/// Every cell below the heading begins with a digit, or says that there is none.
bool is_numeric(const std::vector<TextTable::Row>& rows, size_t column) {
  return rows.size() > 1 && std::all_of(rows.begin() + 1, rows.end(), [column](const auto& row) {
           const std::string& cell = row[column];
           return cell == "-" ||
                  (!cell.empty() && cell.find_first_not_of("0123456789") == std::string::npos);
         });
}

}  // namespace

TextTable::TextTable(Row headings) { rows_.push_back(std::move(headings)); }

void TextTable::add(Row row) {
  require(row.size() == rows_.front().size(), "a row has a cell for each heading");
  rows_.push_back(std::move(row));
}

std::vector<std::string> TextTable::lines() const {
  std::vector<std::string> out(rows_.size());
  for (size_t column = 0; column < rows_.front().size(); ++column) {
    size_t width = 0;
    for (const Row& row : rows_) width = std::max(width, row[column].size());
    const bool right = is_numeric(rows_, column);
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (column > 0) out[i] += "  ";
      out[i] += right ? fmt::format("{:>{}}", rows_[i][column], width)
                      : fmt::format("{:<{}}", rows_[i][column], width);
    }
  }
  for (std::string& line : out) line.erase(line.find_last_not_of(' ') + 1);
  return out;
}

std::string TextTable::text() const {
  std::string out;
  for (const std::string& line : lines()) out += line + "\n";
  return out;
}

}  // namespace fairlead::app
