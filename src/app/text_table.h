// Columns of plain text under headings, for terminals. Pure.
#pragma once

#include <string>
#include <vector>

namespace fairlead::app {

class TextTable {
 public:
  using Row = std::vector<std::string>;

  explicit TextTable(Row headings);
  /// As many cells as there are headings.
  void add(Row row);
  /// Lines without trailing blanks, each with its line end. A column of numbers stands right.
  std::string text() const;
  std::vector<std::string> lines() const;

 private:
  std::vector<Row> rows_;
};

}  // namespace fairlead::app
