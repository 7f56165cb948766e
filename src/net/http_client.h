// One GET of a small answer over HTTP or HTTPS: how Fairlead asks a cluster manager. The only
// includer of Beast.
//
// One connection for each question, closed afterwards: a few bytes every few seconds are not worth
// keeping one open, and a manager that was restarted is met as it is. No redirects: an address that
// moves is for a person to look at, and credentials are sent nowhere else.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "net/loop.h"
#include "net/tls.h"

namespace fairlead::net {

struct HttpGet {
  std::string host;  // A name or an address; an IPv6 address without its brackets.
  uint16_t port = 0;
  std::string target;                         // "/cluster"
  std::string authorization = {};             // The whole value of the header; empty: none is sent.
  std::shared_ptr<const TlsClient> tls = {};  // Null: plain HTTP.
  Duration timeout = std::chrono::seconds(5);  // For all of it, from the look-up of the name on.
  size_t body_max = size_t{1} << 20;           // A larger answer is an error.
};

struct HttpAnswer {
  unsigned status = 0;
  std::string date;  // The header; empty when it was not sent.
  std::string body;
};

/// Any status is an answer. Errors are kConnectionFailure (nobody there, TLS refused, too late) or
/// kProtocolViolation (no HTTP, cut off before its announced end, too large); messages say what was
/// asked of whom, and never the authorization.
Task<Result<HttpAnswer>> http_get(Loop& loop, HttpGet request);

}  // namespace fairlead::net
