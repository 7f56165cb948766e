// ErrorResponse and NoticeResponse: a list of fields, each a letter and a text.
//
// Decisions about an error use its SQLSTATE and the routine that raised it, never its message,
// which is translated (A5). When an error is forwarded, its bytes go on verbatim (F27); this view
// is only for reading it.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"

namespace fairlead::wire {

enum class Severity : uint8_t {
  kPanic,
  kFatal,  // The connection ends after it.
  kError,
  kWarning,
  kNotice,
  kInfo,
  kLog,
  kDebug,
};

/// As PostgreSQL writes it in fields S and V: "FATAL", "ERROR", …
std::string_view to_string(Severity severity);

struct ErrorField {
  char code = 0;
  std::string_view text = {};

  bool operator==(const ErrorField&) const = default;
};

/// Views point into the frame and die with it.
struct ErrorFields {
  std::vector<ErrorField> fields =
      {};  // All of them, in their order, also those that nobody knows.

  static Result<ErrorFields> decode(std::string_view body);
  /// The fields that are complete in the head of a streamed message (a kFirst piece's body()).
  /// Severity and SQLSTATE come first in what PostgreSQL sends, so they are among them.
  static ErrorFields decode_head(std::string_view head);

  /// The first field of that code; empty if there is none.
  std::string_view field(char code) const;
  std::string_view sqlstate() const { return field('C'); }
  /// Field V, which is never translated; from servers before 9.6, field S.
  std::string_view severity() const;
  std::string_view message() const { return field('M'); }
  std::string_view detail() const { return field('D'); }
  std::string_view hint() const { return field('H'); }
  std::string_view routine() const { return field('R'); }
  /// FATAL or PANIC: the server closes the connection after this message.
  bool ends_connection() const;
  bool operator==(const ErrorFields&) const = default;
};

}  // namespace fairlead::wire
