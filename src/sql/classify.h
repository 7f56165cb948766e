// From a text to its facts, by PostgreSQL's own grammar (libpg_query 15, A1). This is the slow
// path, 5-100 us a text: go through ShapeCache.
//
// classify() never fails: what it does not understand is Access::kPrimary with a reason (A2, A3,
// G1). It judges the text alone. What stands behind its names, the functions of operators, views
// and row-security policies, is the catalog's to tell: functions.h, decide() (A41, A45, A50).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/facts.h"
#include "sql/lexer.h"

namespace fairlead::sql {

/// Longer texts are not parsed: 256 KiB cost about 10 ms, during which the worker serves nobody
/// else.
inline constexpr size_t kClassifyBytesMax = 256 * 1024;
/// Bound on the parse tree's depth (nesting.h), which libpg_query walks by recursion. Measured: at
/// most 200 bytes of stack a level, so 8000 levels take 1.6 MiB of a thread's 8.
inline constexpr size_t kClassifyNestingMax = 8000;

/// All statements of `text`, as one unit. The text must be what the server will get, without a
/// terminating zero.
QueryFacts classify(std::string_view text, LexOptions options = {});

/// Whether classify() would hand the text to the parser at all: not when it is too large, too
/// deeply nested, or would be read differently by the server.
bool may_parse(std::string_view text, LexOptions options);

/// One call of set_config() with what can be known of its arguments.
struct SetConfigCall {
  enum class Kind : uint8_t { kLiteral, kParameter, kUnknown };
  struct Argument {
    Kind kind = Kind::kUnknown;
    std::string text = {};   // kLiteral. NULL is kUnknown.
    uint32_t parameter = 0;  // kParameter: 1 for $1.
    bool operator==(const Argument&) const = default;
  };
  Argument name;
  Argument value;
  Argument is_local;     // A literal is "true" or "false".
  size_t statement = 0;  // Which of the text's statements calls it, from 0.
  /// The statement does nothing but make its calls, once each and in their order. Of any other one
  /// only the server knows which were made: for no row, behind a CASE, beyond a LIMIT there is
  /// none.
  bool is_certain = false;

  bool operator==(const SetConfigCall&) const = default;
};

/// Every set_config() call of the text. Parses it anew, because a shape has lost the literals. A
/// call whose arguments are computed has kUnknown parts; the session's state is unknown after it. A
/// text that cannot be parsed gives one call of which nothing is known.
std::vector<SetConfigCall> extract_set_config(std::string_view text, LexOptions options = {});

}  // namespace fairlead::sql
