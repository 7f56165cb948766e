#include "console/statement.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/assert.h"
#include "config/suggest.h"
#include "sql/lexer.h"
#include "wire/printable.h"

namespace fairlead::console {
namespace {

using Kind = Statement::Kind;
using Words = std::vector<std::string_view>;

// What psycopg2, psycopg 3, asyncpg, pgjdbc, npgsql and lib/pq may send before the first statement
// of the application. The console's texts are UTF-8 and its numbers plain, whatever is set.
constexpr std::array<std::string_view, 11> kDriverSettings{
    "application_name", "bytea_output",       "client_encoding", "client_min_messages",
    "datestyle",        "extra_float_digits", "intervalstyle",   "lock_timeout",
    "search_path",      "statement_timeout",  "timezone"};

struct Plain {
  std::string_view word;
  Kind kind;
};
constexpr std::array kTransactionWords{
    Plain{"begin", Kind::kBegin},       Plain{"start", Kind::kBegin},
    Plain{"commit", Kind::kCommit},     Plain{"end", Kind::kCommit},
    Plain{"rollback", Kind::kRollback}, Plain{"abort", Kind::kRollback}};

std::string hint_for(const Words& words) {
  std::vector<std::string_view> names;
  std::string list;
  for (const ViewRow& view : views()) {
    names.push_back(view.name);
    list += (list.empty() ? "SHOW " : ", ") + upper(view.name);
  }
  // "SHOW ROUTE", and "ROUTES" alone.
  const bool has_show = words.size() > 1 && lower(words[0]) == "show";
  const std::string name = lower(has_show ? words[1] : words[0]);
  const auto near = config::nearest(name, names);
  return (near ? "Did you mean SHOW " + upper(*near) + "? " : "") + "There is: " + list + ".";
}

std::unexpected<Error> unknown(const Words& words) {
  std::string text;
  for (const std::string_view word : words) text.append(text.empty() ? "" : " ").append(word);
  return fail(ErrorCode::kSyntaxError, "unknown command: " + wire::printable(text),
              "this is Fairlead's admin console, not a database", hint_for(words));
}

/// SET name = value, SET name TO value, SET SESSION name ..., SET TIME ZONE value.
bool is_driver_setting(const Words& words) {
  size_t at = 1;
  if (words.size() > 2 && lower(words[1]) == "session") at = 2;
  if (words.size() < at + 2) return false;
  const std::string name = lower(words[at]);
  if (name == "time") return lower(words[at + 1]) == "zone";
  return std::ranges::find(kDriverSettings, name) != kDriverSettings.end();
}

Result<Statement> understand(const Words& words) {
  const std::string first = lower(words[0]);
  for (const Plain& plain : kTransactionWords)
    if (plain.word == first) return Statement{.kind = plain.kind};
  if (first == "set" && is_driver_setting(words)) return Statement{.kind = Kind::kSet};
  if (first == "show" && words.size() == 2)
    if (const auto view = find_view(words[1])) return Statement{.kind = Kind::kShow, .view = *view};
  return unknown(words);
}

}  // namespace

Result<std::vector<Statement>> parse(std::string_view text) {
  std::vector<Statement> statements;
  Words words;
  sql::Lexer lexer(text);
  for (;;) {
    const sql::Token token = lexer.next_significant();
    const bool ends = token.kind == sql::TokenKind::kEnd;
    if (!ends && token.in(text) != ";") {
      words.push_back(token.in(text));
      continue;
    }
    if (!words.empty()) {
      if (statements.size() == kStatementsMax)
        return fail(ErrorCode::kLimitExceeded, "too many statements in one message",
                    "the console takes " + std::to_string(kStatementsMax));
      auto statement = understand(words);
      if (!statement) return std::unexpected(std::move(statement.error()));
      statements.push_back(*statement);
      words.clear();
    }
    if (ends) return statements;
  }
}

std::string_view tag_of(const Statement& statement) {
  switch (statement.kind) {
    case Kind::kShow:
      return "SHOW";
    case Kind::kBegin:
      return "BEGIN";
    case Kind::kCommit:
      return "COMMIT";
    case Kind::kRollback:
      return "ROLLBACK";
    case Kind::kSet:
      return "SET";
  }
  unreachable("every Kind has a tag");
}

}  // namespace fairlead::console
