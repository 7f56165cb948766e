// The one file that includes toml++, which is slow to compile.
#include "config/document.h"

#include <algorithm>
#include <tuple>
#include <utility>

// Errors as values; and the parser itself, as the shared library has only the throwing variant.
#undef TOML_SHARED_LIB
#undef TOML_HEADER_ONLY
#define TOML_SHARED_LIB 0
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace fairlead::config {
namespace {

Position position_of(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

Value value_of_array(const toml::array& array) {
  std::vector<std::string> list;
  for (const toml::node& element : array) {
    if (element.is_table()) return Foreign{"an array of tables"};
    const auto* text = element.as_string();
    if (text == nullptr) return Foreign{"a list with something other than strings in it"};
    list.push_back(text->get());
  }
  return list;
}

Value value_of(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* array = node.as_array()) return value_of_array(*array);
  if (node.is_table()) return TableHeader{};
  return Foreign{"a date or time"};
}

// Recursion is bounded: toml++ refuses to nest deeper than TOML_MAX_NESTED_VALUES.
void flatten(const toml::table& table, std::vector<std::string>& path, std::vector<Entry>& out) {
  for (const auto& [key, node] : table) {
    path.emplace_back(key.str());
    out.push_back({path, value_of(node), position_of(key.source())});
    if (const auto* inner = node.as_table()) flatten(*inner, path, out);
    path.pop_back();
  }
}

}  // namespace

std::expected<std::vector<Entry>, SyntaxError> parse_document(std::string_view text) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return std::unexpected(SyntaxError{
        position_of(error.source()),
        Error{ErrorCode::kConfig, "not valid TOML: " + std::string(error.description())}});
  }
  std::vector<Entry> entries;
  std::vector<std::string> path;
  flatten(parsed.table(), path, entries);
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {  // toml++ sorts by name.
    return std::tie(a.at, a.path) < std::tie(b.at, b.path);        // A table before its contents.
  });
  return entries;
}

}  // namespace fairlead::config
