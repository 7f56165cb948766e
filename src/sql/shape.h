// The shape of a text: what is left when literals, comments and layout are gone. Texts of one shape
// have one classification, so libpg_query is paid once per shape.
//
// "SELECT *  FROM T WHERE id = 7 -- x" becomes "select * from t where id = ?". Literals are ?, runs
// of white space and comments one space, unquoted words lower case; quoted identifiers and
// parameters stay as they are; a ? in an operator is doubled, so that it cannot be taken for a
// literal. Commands other than SELECT, INSERT, UPDATE, DELETE, MERGE, WITH, VALUES, TABLE and (
// keep their literals, because those carry meaning (SET, PREPARE, COPY, DO); this is decided anew
// after each top-level semicolon. One pass; no allocation once `text` has grown. A shape with kept
// literals must not be shown or stored outside the cache (F54): ask for LiteralPolicy::kDropAll
// there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sql/lexer.h"

namespace fairlead::sql {

enum class LiteralPolicy : uint8_t {
  kKeepInUtility,  // For the cache.
  kDropAll,        // For ledgers, logs and metrics: no literal survives (F54).
};

/// Reusable: keep one per thread and hand it to make_shape() again and again.
class Shape {
 public:
  std::string_view text() const { return std::string_view(buffer_).substr(0, size_); }

  bool has_comment = false;  // Hints may be in it (hints.h).
  bool has_utility = false;  // Some statement keeps its literals, or would under kKeepInUtility.
  bool has_dropped_literal = false;  // Otherwise the same text is likely to come again.
  /// A backslash in a plain string while standard_conforming_strings is off: such a text means
  /// something else elsewhere, and libpg_query would read it wrongly.
  bool ambiguous_strings = false;
  bool terminated = true;  // False: a literal or comment has no end.

 private:
  friend class ShapeWriter;
  std::string
      buffer_;  // Its size is what has been used at most; growing it is the only allocation.
  size_t size_ = 0;
};

/// Takes memory of up to three times the text: the caller bounds the text.
void make_shape(std::string_view text, LexOptions options, LiteralPolicy policy, Shape& out);

}  // namespace fairlead::sql
