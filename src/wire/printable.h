// Foreign bytes made fit for an error message or a log line.
//
// User and database names, SQL and server messages come from the network in any encoding. Printed
// as they are, they could end a log line and forge the next one, drive the terminal of whoever
// reads it, or make our own ErrorResponse invalid.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead::wire {

/// `text` as valid UTF-8 in one line, at most `max` bytes of it. Control characters (also U+0080 to
/// U+009F), line and paragraph separators, characters that turn the direction of writing, and bytes
/// that are not UTF-8 become \xNN per byte. What is cut off is shown as "..." within `max`.
std::string printable(std::string_view text, size_t max = 100);

/// The length of the longest valid UTF-8 beginning of `text`: all of it when it is valid
/// throughout.
size_t utf8_prefix(std::string_view text);

}  // namespace fairlead::wire
