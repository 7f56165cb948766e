#include "wire/result_table.h"

#include <array>
#include <bit>
#include <charconv>

#include "base/assert.h"
#include "base/bytes.h"
#include "wire/frame_builder.h"
#include "wire/message_type.h"

namespace fairlead::wire {
namespace {

constexpr uint16_t kBinary = 1;
constexpr size_t kColumnsMax = 65535;  // A count of 16 bits.

/// pg_type.dat: the type's object id and its size, -1 where it varies.
struct TypeOnTheWire {
  uint32_t oid;
  uint16_t size;
};

TypeOnTheWire wire_type(ColumnType type) {
  switch (type) {
    case ColumnType::kText:
      return {25, 0xFFFF};
    case ColumnType::kInt8:
      return {20, 8};
    case ColumnType::kFloat8:
      return {701, 8};
  }
  unreachable("every ColumnType is a type of PostgreSQL");
}

uint16_t format_of(ResultFormats formats, size_t column) {
  if (formats.empty()) return 0;
  return load_u16(formats.data() + (formats.size() == 2 ? 0 : 2 * column));
}

void append_big_endian(FrameBuilder& frame, uint64_t bits) {
  frame.u32(8).u32(static_cast<uint32_t>(bits >> 32)).u32(static_cast<uint32_t>(bits));
}

}  // namespace

std::optional<std::string> text_of(const ResultCell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* number = std::get_if<int64_t>(&cell)) return std::to_string(*number);
  if (const auto* real = std::get_if<double>(&cell)) {
    std::array<char, 32> digits{};  // The shortest form of a double has at most 24 characters.
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *real).ptr;
    return std::string(digits.data(), end);
  }
  return std::nullopt;
}

bool are_valid(ResultFormats formats, size_t columns) {
  const size_t count = formats.size() / 2;
  if (count > 1 && count != columns) return false;
  for (size_t i = 0; i < count; ++i)
    if (load_u16(formats.data() + 2 * i) > kBinary) return false;
  return true;
}

void append_row_description(std::string& out, std::span<const ResultColumn> columns,
                            ResultFormats formats) {
  require(columns.size() <= kColumnsMax, "a row has at most 65535 columns");
  FrameBuilder frame(out, backend::kRowDescription);
  frame.u16(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    const TypeOnTheWire type = wire_type(columns[i].type);
    frame.c_string(columns[i].name).u32(0).u16(0);  // Of no table.
    frame.u32(type.oid).u16(type.size).u32(UINT32_MAX).u16(format_of(formats, i));
  }
}

void append_data_row(std::string& out, std::span<const ResultCell> row, ResultFormats formats) {
  FrameBuilder frame(out, backend::kDataRow);
  frame.u16(row.size());
  for (size_t i = 0; i < row.size(); ++i) {
    const bool binary = format_of(formats, i) == kBinary;
    const auto* number = std::get_if<int64_t>(&row[i]);
    const auto* real = std::get_if<double>(&row[i]);
    if (binary && number != nullptr) {
      append_big_endian(frame, static_cast<uint64_t>(*number));
    } else if (binary && real != nullptr) {
      append_big_endian(frame, std::bit_cast<uint64_t>(*real));
    } else if (const auto text = text_of(row[i])) {
      frame.counted(*text);  // Text is the same in both formats.
    } else {
      frame.u32(UINT32_MAX);  // -1: NULL.
    }
  }
}

}  // namespace fairlead::wire
