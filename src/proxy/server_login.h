// Opens one connection to PostgreSQL and logs in: TCP, TLS as sslmode says, start-up,
// authentication, and everything the server reports up to its first ReadyForQuery.
//
// Used by pools, probes and replication alike, so that a probe takes the same path as clients (E7).
// Runs on the loop that it is given; the decisions of authentication are auth/server_auth.h's.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "auth/server_auth.h"
#include "config/units.h"
#include "net/dial.h"
#include "net/tls.h"
#include "wire/startup.h"

namespace fairlead::proxy {

struct ServerEndpoint {
  std::string host;
  uint16_t port = 0;
  std::shared_ptr<const net::TlsClient> tls;
  Duration timeout{};    // For all of it, from the first packet to ReadyForQuery.
  Duration keepalive{};  // Of the connection, from then on: net::Stream::keep_alive().
  auth::AllowedServerAuth allowed_auth{};  // F14

  std::string name() const { return config::NodeAddress{host, port}.to_string(); }
};

/// For how long TCP may hear nothing of a peer that it has sent something to: no longer than
/// keepalive takes with one that it has sent nothing.
constexpr Duration unheard_max(Duration keepalive) { return 2 * keepalive; }

/// What a server is asked right after its login, by the connection itself.
enum class LoginQuestion : uint8_t {
  kNone,   // A walsender answers no SQL.
  kRole,   // Whether it is a standby, if it does not report that: before PostgreSQL 14 (E4).
  kStart,  // The same, and if it does report it, when it was started.
};

struct ServerLogin {
  std::string user;
  std::string database;
  auth::ServerCredentials credentials;
  std::shared_ptr<auth::DerivedKeys> derived;                   // As in auth::ServerAuthInput.
  std::string_view way_out = auth::kGiveUsersCredentials;       // As in auth::ServerAuthInput.
  std::vector<std::pair<std::string, std::string>> parameters;  // Further start-up parameters.
  LoginQuestion question = LoginQuestion::kRole;
  /// Of the protocol's version 3. What a server may send depends on it: for whoever is handed the
  /// server's own messages it is theirs (F1).
  uint16_t protocol_minor = wire::kNewestMinor;
};

using ParameterList = std::vector<std::pair<std::string, std::string>>;

struct LoggedIn {
  std::unique_ptr<net::Stream> stream;
  ParameterList reported;  // ParameterStatus, in the server's order (C1). in_hot_standby is among
                           // them, asked for if it was not reported, but for a walsender (E4).
  uint32_t backend_pid = 0;
  std::string cancel_secret;
  /// Microseconds since 1970 by the server's clock, with LoginQuestion::kStart from PostgreSQL 14
  /// on.
  std::optional<int64_t> postmaster_started_us;
};

struct LoginFailure {
  Error error;
  std::string server_error;  // The server's own ErrorResponse, whole frame, verbatim (F27); empty
                             // when it sent none.
  std::string sqlstate;      // Of server_error, else of error.
  bool refused = false;      // Nobody listens there.
  bool timed_out = false;    // Nobody answers there.
  bool not_asked = false;    // Nothing was sent, for want of what this side needs to do so.

  bool has_answered() const { return !refused && !timed_out && !not_asked; }
};

net::Task<std::expected<LoggedIn, LoginFailure>> log_in(net::Loop& loop, ServerEndpoint endpoint,
                                                        ServerLogin login);

/// Only TCP and TLS, as for a CancelRequest, which has no login.
net::Task<std::expected<std::unique_ptr<net::Stream>, LoginFailure>> connect_server(
    net::Loop& loop, ServerEndpoint endpoint);

}  // namespace fairlead::proxy
