// From an accepted connection to a client that is known: TLS, version negotiation, authentication
// (F1-F4, F10-F14).
//
// Ends in an identity for a session, in a cancel request, or in nothing because the client left or
// was refused. Bounded in bytes (a stranger may send one start-up packet and a few passwords) and
// in time (client_login_timeout).
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "auth/plain_verifiers.h"
#include "auth/server_auth.h"
#include "net/stream.h"
#include "proxy/shared.h"
#include "wire/startup.h"

namespace fairlead::proxy {

struct ClientIdentity {
  std::string user;
  std::string database;  // As the client asked for it.
  uint16_t protocol_minor = 0;
  wire::Replication replication = wire::Replication::kNone;
  std::vector<std::pair<std::string, std::string>>
      settings;                         // Start-up parameters and options, in their order.
  auth::ServerCredentials credentials;  // What the login taught (F10).
  std::string early;  // What the client sent behind its login without waiting for the answer.
};

struct CancelWish {
  uint32_t pid = 0;
  std::string secret;
};

/// nullopt: there is nobody to serve; everything that had to be said was said.
using LoginOutcome = std::optional<std::variant<ClientIdentity, CancelWish>>;

/// `refusal`: why nobody else can be served; told to the client once it can read it, in answer to
/// its start-up packet. Its CancelRequest is received all the same. `plain_verifiers` are the
/// loop's.
net::Task<LoginOutcome> receive_client(net::Loop& loop, net::Stream& stream,
                                       auth::PlainVerifiers& plain_verifiers, SettingsPtr settings,
                                       std::optional<Error> refusal);

/// Sends a FATAL error; the caller closes the connection then.
net::Task<void> send_fatal(net::Stream& stream, Error error);

}  // namespace fairlead::proxy
