// Arbitrary bytes as a users file: never a crash, and every error says on which line.
#include <cstdlib>
#include <string_view>

#include "auth/users_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto file = fairlead::auth::parse_users_file(input);
  if (!file && file.error().message.find(", line ") == std::string::npos) std::abort();
  return 0;
}
