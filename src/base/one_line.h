// The last guard of the log: whatever is in a message, it ends no line and drives no terminal.
//
// Whoever writes a foreign name shows it with wire::printable(), which knows encodings; this only
// makes sure that a place which forgot to cannot be used to forge what an operator reads.
#pragma once

#include <string>
#include <string_view>

namespace fairlead {

/// `text` with each control byte, those below 0x20 and 0x7f, as \xNN.
std::string one_line(std::string_view text);

}  // namespace fairlead
