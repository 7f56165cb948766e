// SASLprep (RFC 4013) as PostgreSQL applies it to passwords before it derives SCRAM keys.
//
// What PostgreSQL does, and so what this does: pure ASCII stays as it is; a password that is not
// valid UTF-8, or that SASLprep refuses (prohibited or unassigned characters, mixed directions,
// nothing left), is used raw instead of being an error. The tables are libidn's: Unicode 3.2, the
// version that RFC 3454 is bound to, with newer characters refused, and so used raw, on both sides.
#pragma once

#include <string_view>

#include "auth/crypto.h"

namespace fairlead::auth {

/// Longest password in bytes; longer ones are used raw here and refused by those who read them.
/// PgBouncer takes 2048, and the tokens that clouds use as passwords come near that.
inline constexpr size_t kPasswordBytesMax = 4096;

SecretText saslprep(std::string_view password);

}  // namespace fairlead::auth
