#include "sim/sim_sql.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace fairlead::sim {
namespace {

using Kind = SimStatement::Kind;

std::string_view trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

/// The rest behind `prefix`, in any case; npos-like empty optional by the bool.
bool strip(std::string_view& text, std::string_view prefix) {
  if (lower(text.substr(0, prefix.size())) != prefix) return false;
  text = trim(text.substr(prefix.size()));
  return true;
}

/// "a"."b" and a.b are the same name.
std::string plain_name(std::string_view text) {
  std::string name;
  for (const char c : text)
    if (c != '"') name += c;
  return lower(name);
}

std::string unquote(std::string_view text) {
  if (text.size() >= 2 && text.front() == '\'' && text.back() == '\'')
    text = text.substr(1, text.size() - 2);
  return std::string(text);
}

SimStatement read_set(std::string_view rest, Kind kind) {
  size_t at = rest.find('=');
  size_t width = 1;
  if (at == std::string_view::npos) {
    at = lower(rest).find(" to ");
    width = 4;
  }
  if (at == std::string_view::npos) return {.kind = Kind::kSyntaxError};
  return {.kind = kind,
          .name = plain_name(trim(rest.substr(0, at))),
          .text = unquote(trim(rest.substr(at + width)))};
}

SimStatement read_prepare(std::string_view rest) {
  const size_t as = lower(rest).find(" as ");
  if (as == std::string_view::npos) return {.kind = Kind::kSyntaxError};
  return {.kind = Kind::kPrepare,
          .name = plain_name(trim(rest.substr(0, as))),
          .text = std::string(trim(rest.substr(as + 4)))};
}

struct Simple {
  std::string_view sql;
  Kind kind;
  std::string_view tag;
};
constexpr std::array kSimple{
    Simple{"select 1/0", Kind::kFail, ""},
    Simple{"select $1", Kind::kSelectParameter, ""},
    Simple{"insert into t values (1)", Kind::kInsert, ""},
    Simple{"begin", Kind::kBegin, "BEGIN"},
    Simple{"start transaction", Kind::kBegin, "START TRANSACTION"},
    Simple{"begin read only", Kind::kBeginReadOnly, "BEGIN"},
    Simple{"set transaction read only", Kind::kSetReadOnly, "SET"},
    Simple{"commit", Kind::kCommit, ""},
    Simple{"rollback", Kind::kRollback, ""},
    Simple{"reset all", Kind::kResetAll, ""},
    Simple{"reset role", Kind::kNothing, "RESET"},
    Simple{"reset session authorization", Kind::kNothing, "RESET"},
    Simple{"discard all", Kind::kDiscardAll, ""},
    Simple{"discard sequences", Kind::kNothing, "DISCARD SEQUENCES"},
    Simple{"copy t from stdin", Kind::kCopyIn, ""},
    Simple{"copy numbers from stdin", Kind::kCopyInBad, ""},
    Simple{"copy t to stdout", Kind::kCopyOut, ""},
    Simple{"listen a", Kind::kListen, ""},
    Simple{"unlisten *", Kind::kUnlisten, ""},
    Simple{"deallocate all", Kind::kDeallocateAll, ""},
    Simple{"do ''", Kind::kNothing, "DO"},
};

}  // namespace

SimStatement read_statement(std::string_view sql) {
  std::string_view rest = trim(sql);
  if (rest.empty()) return {};
  const std::string whole = lower(rest);
  for (const Simple& simple : kSimple)
    if (whole == simple.sql) return {.kind = simple.kind, .tag = std::string(simple.tag)};
  if (whole.starts_with("select exists(") || whole.starts_with("select false,"))
    return {.kind = Kind::kPinCheck, .text = whole};
  if (whole.starts_with("select pg_catalog.setseed("))
    return {.kind = Kind::kNothing, .tag = "SELECT 1"};
  if (strip(rest, "select '"))
    return {.kind = Kind::kSelect, .text = std::string(rest.substr(0, rest.size() - 1))};
  if (strip(rest, "show ")) return {.kind = Kind::kShow, .name = plain_name(rest)};
  if (strip(rest, "set local ")) return read_set(rest, Kind::kSetLocal);
  if (strip(rest, "set ")) return read_set(rest, Kind::kSet);
  if (strip(rest, "reset ")) return {.kind = Kind::kReset, .name = plain_name(rest)};
  if (strip(rest, "savepoint ")) return {.kind = Kind::kSavepoint, .name = plain_name(rest)};
  if (strip(rest, "rollback to ")) return {.kind = Kind::kRollbackTo, .name = plain_name(rest)};
  if (strip(rest, "prepare ")) return read_prepare(rest);
  if (strip(rest, "execute ")) return {.kind = Kind::kExecute, .name = plain_name(rest)};
  if (strip(rest, "deallocate ")) return {.kind = Kind::kDeallocate, .name = plain_name(rest)};
  return {.kind = Kind::kSyntaxError};
}

std::vector<SimStatement> read_statements(std::string_view sql) {
  std::vector<SimStatement> statements;
  while (!sql.empty()) {
    const size_t end = std::min(sql.find(';'), sql.size());
    if (!trim(sql.substr(0, end)).empty()) statements.push_back(read_statement(sql.substr(0, end)));
    sql.remove_prefix(std::min(end + 1, sql.size()));
  }
  return statements;
}

}  // namespace fairlead::sim
