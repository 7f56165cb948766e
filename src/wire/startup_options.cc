#include "wire/startup_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "wire/printable.h"

namespace fairlead::wire {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// The next word off the front of `rest`, without its backslashes; nullopt at the end. A backslash
// at the very end escapes nothing and is dropped (PostgreSQL's pg_split_opts).
std::optional<std::string> next_word(std::string_view& rest) {
  while (!rest.empty() && is_space(rest.front())) rest.remove_prefix(1);
  if (rest.empty()) return std::nullopt;
  std::string word;
  for (bool escaped = false; !rest.empty(); rest.remove_prefix(1)) {
    const char c = rest.front();
    if (!escaped && is_space(c)) break;
    if (!escaped && c == '\\') {
      escaped = true;
      continue;
    }
    word.push_back(c);
    escaped = false;
  }
  return word;
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> parse_options(std::string_view options) {
  std::vector<std::pair<std::string, std::string>> settings;
  while (const std::optional<std::string> word = next_word(options)) {
    std::string setting;
    if (*word == "-c") {
      setting = next_word(options).value_or("");
    } else if (word->starts_with("--") || word->starts_with("-c")) {
      setting = word->substr(2);
    } else {
      return fail(
          ErrorCode::kSyntaxError,
          fmt::format("invalid command-line argument for server process: {}", printable(*word)), "",
          "Settings are written -c name=value or --name=value.");
    }

    const size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorCode::kSyntaxError,
                  fmt::format("\"{}\" in the startup options requires a name and a value",
                              printable(setting.empty() ? *word : setting)));
    std::string name = setting.substr(0, equals);
    std::ranges::replace(name, '-', '_');
    settings.emplace_back(std::move(name), setting.substr(equals + 1));
  }
  return settings;
}

}  // namespace fairlead::wire
