#include "sql/hints.h"

#include <algorithm>
#include <string>
#include <type_traits>

#include "base/ascii.h"

namespace fairlead::sql {
namespace {

constexpr bool is_name_part(char c) { return is_letter_or_digit(c) || c == '_'; }
constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool starts_with_word(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i)
    if (lower(text[i]) != word[i]) return false;
  return true;
}

void skip_space(std::string_view& text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
}

std::string_view trim(std::string_view text) {
  skip_space(text);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// What stands between the marks of a comment.
std::string_view body_of(std::string_view comment) {
  comment.remove_prefix(2);
  if (comment.ends_with("*/")) comment.remove_suffix(2);
  return trim(comment);
}

// 'quoted' or up to white space, a comma or a semicolon. Takes the value off `text`.
std::string_view take_value(std::string_view& text) {
  if (!text.empty() && (text.front() == '\'' || text.front() == '"')) {
    const char quote = text.front();
    text.remove_prefix(1);
    const size_t close = text.find(quote);
    const std::string_view value = text.substr(0, close);
    text.remove_prefix(close == std::string_view::npos ? text.size() : close + 1);
    return value;
  }
  size_t end = 0;
  while (end < text.size() && !is_space(text[end]) && text[end] != ',' && text[end] != ';') ++end;
  const std::string_view value = text.substr(0, end);
  text.remove_prefix(end);
  return value;
}

// If `text` goes on with : or =, takes it and the space around it.
bool take_assignment(std::string_view& text) {
  std::string_view rest = text;
  skip_space(rest);
  if (rest.empty() || (rest.front() != '=' && rest.front() != ':')) return false;
  rest.remove_prefix(1);
  skip_space(rest);
  text = rest;
  return true;
}

Result<void> apply(Hints& hints, std::string_view name, std::string_view value) {
  auto setting = read_setting(name, value);
  if (!setting) return std::unexpected(std::move(setting.error()));
  hints.set(std::move(*setting));
  return {};
}

// fairlead.name=value, anywhere in the comment and as often as wanted. Prose that only mentions
// "fairlead.something" assigns nothing and is left alone.
Result<void> read_assignments(Hints& hints, std::string_view body) {
  constexpr std::string_view kPrefix = "fairlead.";
  for (size_t i = 0; i < body.size();) {
    const bool boundary = i == 0 || (!is_name_part(body[i - 1]) && body[i - 1] != '.');
    if (!boundary || !starts_with_word(body.substr(i), kPrefix)) {
      ++i;
      continue;
    }
    size_t end = i + kPrefix.size();
    while (end < body.size() && (is_name_part(body[end]) || body[end] == '.')) ++end;
    const std::string_view name = body.substr(i, end - i);
    std::string_view rest = body.substr(end);
    i = end;
    if (!take_assignment(rest)) continue;
    const std::string_view value = take_value(rest);
    i = body.size() - rest.size();
    if (auto applied = apply(hints, name, value); !applied) return applied;
  }
  return {};
}

Result<void> read_comment(Hints& hints, std::string_view comment) {
  std::string_view body = body_of(comment);
  if (starts_with_word(body, "no load balance") && body.size() == 15) {
    hints.route = Route{Route::Kind::kPrimary};
    return {};
  }
  if (constexpr std::string_view kWord = "fairlead"; starts_with_word(body, kWord)) {
    std::string_view rest = body.substr(kWord.size());
    skip_space(rest);
    if (rest.starts_with(':') && take_assignment(rest))
      return apply(hints, "fairlead.route", take_value(rest));
  }
  // Another proxy's word: what is not understood of it is not an error here.
  if (constexpr std::string_view kWord = "pgdog_role"; starts_with_word(body, kWord)) {
    std::string_view rest = body.substr(kWord.size());
    if (!take_assignment(rest)) return {};
    const std::string_view role = take_value(rest);
    if (role == "primary") hints.route = Route{Route::Kind::kPrimary};
    if (role == "replica") hints.route = Route{Route::Kind::kReplica};
    return {};
  }
  return read_assignments(hints, body);
}

}  // namespace

void Hints::set(Setting setting) {
  std::visit(
      [this]<class T>(T value) {
        if constexpr (std::is_same_v<T, Route>) route = std::move(value);
        if constexpr (std::is_same_v<T, ReadConsistency>) consistency = value;
        if constexpr (std::is_same_v<T, FloorToken>) min_lsn = value;
        if constexpr (std::is_same_v<T, Duration>) max_lag = value;
        if constexpr (std::is_same_v<T, Tags>) tags = std::move(value);
        if constexpr (std::is_same_v<T, Explain>) explain = value;
        if constexpr (std::is_same_v<T, TransactionReads>) transaction_reads = value;
      },
      std::move(setting));
}

void Hints::inherit(const Hints& outer) {
  if (!route) route = outer.route;
  if (!consistency) consistency = outer.consistency;
  if (!min_lsn) min_lsn = outer.min_lsn;
  if (!max_lag) max_lag = outer.max_lag;
  if (!tags) tags = outer.tags;
  if (!explain) explain = outer.explain;
  if (!transaction_reads) transaction_reads = outer.transaction_reads;
}

void Hints::add(const Hints& other) {
  const bool keeps_primary = route && route->kind == Route::Kind::kPrimary;
  if (other.route && !keeps_primary) route = other.route;
  if (other.consistency) consistency = std::max(consistency, other.consistency);
  if (other.min_lsn && !(min_lsn && min_lsn->lsn > other.min_lsn->lsn)) min_lsn = other.min_lsn;
  if (other.max_lag && !(max_lag && *max_lag < *other.max_lag)) max_lag = other.max_lag;
  if (other.tags) tags = other.tags;
  if (other.explain) explain = Explain{other.explain->on || (explain && explain->on)};
  if (other.transaction_reads) transaction_reads = other.transaction_reads;
}

Result<Hints> find_hints(std::string_view text, LexOptions options) {
  Hints hints;
  if (text.find("/*") == std::string_view::npos && text.find("--") == std::string_view::npos)
    return hints;
  Lexer lexer(text, options);
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    if (token.kind != TokenKind::kComment || !token.terminated) continue;
    if (auto read = read_comment(hints, token.in(text)); !read)
      return std::unexpected(std::move(read.error()));
  }
  return hints;
}

}  // namespace fairlead::sql
