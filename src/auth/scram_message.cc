#include "auth/scram_message.h"

#include <fmt/format.h>

#include <algorithm>

#include "auth/crypto.h"
#include "base/ascii.h"

namespace fairlead::auth {
Result<std::string_view> AttributeReader::take(char name) {
  if (finished_ || rest_.size() < 2 || rest_[0] != name || rest_[1] != '=')
    return malformed_scram(fmt::format("Attribute \"{}\" was expected.", name));
  const size_t comma = rest_.find(',');
  const std::string_view value = rest_.substr(2, comma == rest_.npos ? comma : comma - 2);
  finished_ = comma == rest_.npos;
  rest_ = finished_ ? std::string_view{} : rest_.substr(comma + 1);
  return value;
}

Result<void> AttributeReader::skip_extensions() {
  while (!finished_) {
    // "m" announces an extension that must be understood; and none is.
    if (rest_.empty() || !is_letter(rest_[0]) || rest_[0] == 'm')
      return malformed_scram("An extension cannot be read.");
    if (auto value = take(rest_[0]); !value) return std::unexpected(value.error());
  }
  return {};
}

std::string print_nonce(const RawNonce& nonce) {
  return base64_encode({nonce.data(), nonce.size()});
}

bool is_nonce(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return c >= 0x21 && c <= 0x7E && c != ','; });
}

std::unexpected<Error> malformed_scram(std::string detail) {
  return fail(ErrorCode::kProtocolViolation, "malformed SCRAM message", std::move(detail));
}

}  // namespace fairlead::auth
