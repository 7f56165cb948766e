// A small result of Fairlead's own: typed columns and their rows, as RowDescription and DataRow.
//
// For what the console answers. Numbers travel as int8 and float8, so that drivers hand them on as
// numbers; drivers that want them in binary get them so. Pure values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fairlead::wire {

enum class ColumnType : uint8_t { kText, kInt8, kFloat8 };

struct ResultColumn {
  std::string_view name;  // Of static storage.
  ColumnType type = ColumnType::kText;

  bool operator==(const ResultColumn&) const = default;
};

/// NULL, or a value of its column's type.
using ResultCell = std::variant<std::monostate, std::string, int64_t, double>;

struct ResultTable {
  std::span<const ResultColumn> columns;           // Of static storage.
  std::vector<std::vector<ResultCell>> rows = {};  // As many cells as columns each.
};

/// As PostgreSQL prints it; nullopt: NULL.
std::optional<std::string> text_of(const ResultCell& cell);

/// The formats that a Bind asks for, or that Describe of a statement leaves open: big-endian, two
/// bytes each; none (all text), one for all, or one for each column.
using ResultFormats = std::string_view;

/// Whether these formats say for `columns` columns what they have to: as many of them as are
/// allowed, and nothing but text (0) and binary (1).
bool are_valid(ResultFormats formats, size_t columns);

void append_row_description(std::string& out, std::span<const ResultColumn> columns,
                            ResultFormats formats = {});
/// `row` belongs to `columns`, and the formats are valid.
void append_data_row(std::string& out, std::span<const ResultCell> row, ResultFormats formats = {});

}  // namespace fairlead::wire
