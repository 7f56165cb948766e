#include "wire/error_fields.h"

#include <algorithm>

#include "base/assert.h"
#include "wire/body_reader.h"

namespace fairlead::wire {
namespace {

// Reads fields until the terminator, or until one is not complete. The reader has finished if and
// only if the body ended with its terminator.
std::vector<ErrorField> read_fields(BodyReader& reader) {
  std::vector<ErrorField> fields;
  while (const auto code = static_cast<char>(reader.u8())) {
    const std::string_view text = reader.c_string();
    if (!reader.ok()) break;
    fields.push_back({code, text});
  }
  return fields;
}

}  // namespace

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::kPanic:
      return "PANIC";
    case Severity::kFatal:
      return "FATAL";
    case Severity::kError:
      return "ERROR";
    case Severity::kWarning:
      return "WARNING";
    case Severity::kNotice:
      return "NOTICE";
    case Severity::kInfo:
      return "INFO";
    case Severity::kLog:
      return "LOG";
    case Severity::kDebug:
      return "DEBUG";
  }
  unreachable("a Severity without a name");
}

Result<ErrorFields> ErrorFields::decode(std::string_view body) {
  BodyReader reader(body);
  ErrorFields error{read_fields(reader)};
  if (!reader.finished())
    return fail(ErrorCode::kProtocolViolation,
                "malformed ErrorResponse or NoticeResponse message from the server");
  return error;
}

ErrorFields ErrorFields::decode_head(std::string_view head) {
  BodyReader reader(head);
  return {read_fields(reader)};
}

std::string_view ErrorFields::field(char code) const {
  const auto found = std::ranges::find(fields, code, &ErrorField::code);
  return found == fields.end() ? std::string_view{} : found->text;
}

std::string_view ErrorFields::severity() const {
  const std::string_view untranslated = field('V');
  return untranslated.empty() ? field('S') : untranslated;
}

bool ErrorFields::ends_connection() const {
  return severity() == to_string(Severity::kFatal) || severity() == to_string(Severity::kPanic);
}

}  // namespace fairlead::wire
