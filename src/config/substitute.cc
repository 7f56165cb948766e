// One pass from left to right; see substitute.h.
#include "config/substitute.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"

namespace fairlead::config {
namespace {

bool is_variable_name(std::string_view name) {
  return !name.empty() && !is_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_letter_or_digit(c) || c == '_'; });
}

}  // namespace

Result<std::string> substitute(std::string_view text, const Environment& environment) {
  std::string out;
  while (!text.empty()) {
    const size_t open = text.find("${");
    if (open == std::string_view::npos) break;
    if (open > 0 && text[open - 1] == '$') {  // "$${": the first $ was the escape.
      out.append(text.substr(0, open - 1)).append("${");
      text.remove_prefix(open + 2);
      continue;
    }
    const size_t close = text.find('}', open);
    if (close == std::string_view::npos) {
      return fail(ErrorCode::kConfig, "a ${ has no closing }", {},
                  "write ${VARIABLE}, or $${ for a plain ${");
    }
    const std::string_view name = text.substr(open + 2, close - open - 2);
    if (!is_variable_name(name)) {
      return fail(ErrorCode::kConfig, "between ${ and } is not the name of a variable", {},
                  "write ${VARIABLE}, or $${ for a plain ${");
    }
    const auto value = environment ? environment(name) : std::nullopt;
    if (!value) {
      return fail(ErrorCode::kConfig, fmt::format("the environment variable {} is not set", name));
    }
    out.append(text.substr(0, open)).append(*value);
    text.remove_prefix(close + 1);
  }
  return out.append(text);
}

}  // namespace fairlead::config
