#include "sql/function_source.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "sql/function_lists.h"
#include "sql/lexer.h"

namespace fairlead::sql {
namespace {

// Commands that leave something behind, or run what nobody can see. DDL is among them, because its
// object may be a temporary one by the search_path alone. Sorted.
constexpr std::array<std::string_view, 16> kCommands{
    "alter",  "create", "deallocate", "discard", "drop",  "execute", "hold",      "import",
    "listen", "load",   "prepare",    "reindex", "reset", "temp",    "temporary", "unlisten",
};
static_assert(std::ranges::is_sorted(kCommands));

// What may stand before the SET of an UPDATE, and not before a SET that is a command: the table or
// its alias, UPDATE itself, "*" or ")".
bool is_set_of_update(const Token& before, std::string_view word) {
  constexpr std::array<std::string_view, 4> kBeforeCommands{"begin", "else", "loop", "then"};
  if (before.kind == TokenKind::kIdentifier)
    return !std::ranges::binary_search(kBeforeCommands, word);
  return before.kind == TokenKind::kQuotedIdentifier || word == "*" || word == ")";
}

bool is_command(const Token& before, std::string_view word_before, std::string_view word) {
  if (word == "set") return !is_set_of_update(before, word_before);
  if (word == "language") return word_before == "do";
  return std::ranges::binary_search(kCommands, word) || word.starts_with("pg_temp");
}

}  // namespace

bool is_session_builtin(std::string_view name) {
  const FunctionListing listing = classify_function(name);
  constexpr auto kLock = static_cast<uint16_t>(PinEvent::kAdvisoryLock);
  return name == "set_config" || name == "setseed" || (listing.pin_events & kLock) != 0 ||
         listing.function_class == FunctionClass::kDynamicSql;
}

SourceWords read_source(std::string_view source) {
  SourceWords words;
  Lexer lexer(source);
  Token before;
  std::string word_before;
  for (Token token = lexer.next_significant(); token.kind != TokenKind::kEnd;
       token = lexer.next_significant()) {
    std::string word = lower(token.in(source));
    if (!token.terminated) words.may_run_anything = true;
    switch (token.kind) {
      case TokenKind::kIdentifier:
        if (is_command(before, word_before, word)) words.may_run_anything = true;
        words.names.push_back(word);
        break;
      case TokenKind::kQuotedIdentifier:  // An escape in it could spell any name.
        if (!word.starts_with('"') || word.find('"', 1) != word.size() - 1)
          words.changes_session = true;
        else
          words.names.push_back(word.substr(1, word.size() - 2));
        break;
      case TokenKind::kOperator:
        words.names.push_back(word);
        break;
      case TokenKind::kString:
      case TokenKind::kDollarString:
        if (word_before == "do") words.may_run_anything = true;
        break;
      default:
        break;
    }
    before = token;
    word_before = std::move(word);
  }
  std::ranges::sort(words.names);
  const auto repeated = std::ranges::unique(words.names);
  words.names.erase(repeated.begin(), repeated.end());
  words.changes_session =
      words.changes_session || std::ranges::any_of(words.names, is_session_builtin);
  return words;
}

}  // namespace fairlead::sql
