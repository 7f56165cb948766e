// The lexer and what is built on it, over any bytes: tokens cover the text in order, and where
// PostgreSQL's own scanner (libpg_query) accepts the text, both find the same tokens. The shape
// cache rests on that.
#include <pg_query.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "sql/hints.h"
#include "sql/lexer.h"
#include "sql/nesting.h"
#include "sql/shape.h"

namespace fairlead::sql {
namespace {

struct Span {
  uint64_t begin = 0;
  uint64_t end = 0;
};

uint64_t varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (unsigned shift = 0; !bytes.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) break;
  }
  return value;
}

// One ScanToken of pg_query.proto: 1 is the start, 2 the end; all of its fields are numbers.
Span scan_token(std::string_view message) {
  Span span;
  while (!message.empty()) {
    const uint64_t tag = varint(message);
    const uint64_t value = varint(message);
    if (tag == (1 << 3)) span.begin = value;
    if (tag == (2 << 3)) span.end = value;
  }
  return span;
}

// The tokens of PostgreSQL's scanner. False: it does not accept the text.
bool reference_tokens(const std::string& text, std::vector<Span>& tokens) {
  PgQueryScanResult result = pg_query_scan(text.c_str());
  const bool accepted = result.error == nullptr;
  if (accepted) {
    std::string_view bytes(result.pbuf.data, result.pbuf.len);
    while (!bytes.empty()) {
      const uint64_t tag = varint(bytes);
      const uint64_t value = varint(bytes);
      if (tag != ((2 << 3) | 2)) continue;  // ScanResult.version, or the next token.
      tokens.push_back(scan_token(bytes.substr(0, value)));
      bytes.remove_prefix(value);
    }
  }
  pg_query_free_scan_result(result);
  return accepted;
}

void check_against_postgres(const std::string& text) {
  std::vector<Span> reference;
  if (!reference_tokens(text, reference)) return;
  Lexer lexer(text);
  size_t i = 0;
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    require(i < reference.size(), "PostgreSQL sees the same number of tokens");
    require(reference[i].begin == token.begin, "tokens begin where PostgreSQL's do");
    // N'x' is the word NCHAR and a string to PostgreSQL.
    if (token.kind == TokenKind::kString && (text[token.begin] | 0x20) == 'n') ++i;
    // A literal that goes on behind a comment and a newline is one to PostgreSQL; libpg_query,
    // which hands comments out, ends it there, and may read what follows in another way.
    if (i + 1 < reference.size() && reference[i + 1].begin < token.end) return;
    // libpg_query reports a wrong end for U&'x' and U&"x"; the next token's begin tells as much.
    const bool unicode = token.in(text).size() > 2 && text[token.begin + 1] == '&';
    require(i < reference.size() && (unicode || reference[i].end == token.end),
            "tokens end where PostgreSQL's do");
    ++i;
  }
  require(i == reference.size(), "PostgreSQL sees no further token");
}

void check_cover(std::string_view text, LexOptions options) {
  Lexer lexer(text, options);
  size_t end = 0;
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    require(token.begin >= end && token.end > token.begin && token.end <= text.size(),
            "tokens follow each other inside the text");
    end = token.end;
  }
}

}  // namespace
}  // namespace fairlead::sql

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fairlead::sql;
  // A copy of the exact size, so that the sanitizer sees a read behind it.
  const std::vector<char> exact(data, data + size);
  const std::string_view text(exact.data(), exact.size());
  Shape shape;
  for (const bool standard : {true, false}) {
    const LexOptions options{.standard_conforming_strings = standard};
    check_cover(text, options);
    for (const auto policy : {LiteralPolicy::kKeepInUtility, LiteralPolicy::kDropAll})
      make_shape(text, options, policy, shape);
    (void)find_hints(text, options);
    (void)nesting_bound(text, options, 1000);
  }
  if (text.find('\0') == std::string_view::npos) check_against_postgres(std::string(text));
  return 0;
}
