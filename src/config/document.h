// A TOML file as a flat list of entries with their places, free of the parser that read it.
//
// Only document.cc includes toml++. Knows TOML, and nothing of Fairlead's keys.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace fairlead::config {

/// Text from the environment or the command line: it has no type of its own, so the key's type
/// decides how it is read (a list is separated by commas).
struct Text {
  std::string text;
  bool operator==(const Text&) const = default;
};

/// A table header or inline table; its contents are entries of their own.
struct TableHeader {
  bool operator==(const TableHeader&) const = default;
};

/// A value of a type that no key has, such as a date: "a date", "an array of tables".
struct Foreign {
  std::string what;
  bool operator==(const Foreign&) const = default;
};

using Value = std::variant<bool, int64_t, double, std::string, std::vector<std::string>, Text,
                           TableHeader, Foreign>;

struct Position {
  uint32_t line = 0;  // From 1; 0: nowhere in the file.
  uint32_t column = 0;
  auto operator<=>(const Position&) const = default;
};

struct Entry {
  std::vector<std::string> path;  // {"cluster", "main", "nodes"}
  Value value;
  Position at;  // Of the key.
};

struct SyntaxError {
  Position at;
  Error error;
};

/// The entries in the order of the file. toml++ stops at the first syntax error.
std::expected<std::vector<Entry>, SyntaxError> parse_document(std::string_view text);

}  // namespace fairlead::config
