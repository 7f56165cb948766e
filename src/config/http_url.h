// Where an HTTP service is: Patroni's REST API, as patroni_urls has it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fairlead::config {

/// "http://db1:8008", "https://[::1]:8008", "http://lb/patroni-main".
struct HttpUrl {
  bool tls = false;
  std::string host;  // An IPv6 address without its brackets.
  uint16_t port = 8008;
  std::string path;  // Without a slash at its end: "" or "/patroni-main".

  bool operator==(const HttpUrl&) const = default;

  /// Without a port it is Patroni's, 8008. A "/patroni" at the end, as in the api_url that Patroni
  /// prints, is left out. Errors: no http or https; no host; a user or a password, which belong
  /// into keys of their own (no message repeats those); parameters.
  static Result<HttpUrl> parse(std::string_view text);
  std::string to_string() const;
};

}  // namespace fairlead::config
