// Fairlead's login to one PostgreSQL server: a pure state machine from the server's Authentication
// requests to the answers.
//
// It knows no frames: the driver takes code and payload out of each AuthenticationXxx message ('R')
// and frames the answers. An ErrorResponse of the server is the driver's to report. Its purpose
// beyond the protocol is to give no secret away (F14): what a server may ask for is a closed set.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "auth/derived_keys.h"
#include "auth/md5.h"
#include "auth/scram_client.h"
#include "auth/secret.h"
#include "base/error.h"

namespace fairlead::auth {

/// In pg_hba.conf's words: trust, scram-sha-256, md5, password.
enum class ServerAuthMethod : uint8_t {
  kTrust = 1,  // The server asks for nothing.
  kScramSha256 = 2,
  kMd5 = 4,
  kCleartext = 8,           // Over a protected transport.
  kCleartextAnywhere = 16,  // Over plain TCP to another machine, too.
};

/// What a server may ask for, like libpq's require_auth. By default only what a server (or whoever
/// poses as one) can learn nothing from: nothing and SCRAM. md5 and cleartext are for the
/// configuration to add (F14). An md5 secret answers md5 all the same: it serves nothing else, and
/// whoever stored it has said so.
class AllowedServerAuth {
 public:
  constexpr AllowedServerAuth() = default;
  static constexpr AllowedServerAuth nothing() {
    return AllowedServerAuth()
        .without(ServerAuthMethod::kTrust)
        .without(ServerAuthMethod::kScramSha256);
  }
  constexpr AllowedServerAuth with(ServerAuthMethod method) const {
    AllowedServerAuth result = *this;
    result.bits_ |= static_cast<uint8_t>(method);
    return result;
  }
  constexpr AllowedServerAuth without(ServerAuthMethod method) const {
    AllowedServerAuth result = *this;
    result.bits_ &= static_cast<uint8_t>(~static_cast<unsigned>(method));
    return result;
  }
  constexpr bool has(ServerAuthMethod method) const {
    return (bits_ & static_cast<uint8_t>(method)) != 0;
  }
  bool operator==(const AllowedServerAuth&) const = default;

 private:
  uint8_t bits_ = static_cast<uint8_t>(ServerAuthMethod::kTrust) |
                  static_cast<uint8_t>(ServerAuthMethod::kScramSha256);
};

/// Protected: TLS, or no network at all (a Unix socket, loopback).
enum class ServerTransport : uint8_t { kProtected, kPlainNetwork };

/// monostate: none are known.
using ServerCredentials = std::variant<std::monostate, PlainPassword, Md5Secret, ScramLoginKeys>;

/// What a secret on file is at servers. monostate: nothing; a verifier proves logins, and makes
/// none.
ServerCredentials to_server_credentials(const Secret& secret);

/// What to do when a client's own user cannot be logged in to a server.
inline constexpr std::string_view kGiveUsersCredentials =
    "Give the user's plain password in the users file; or use the auth method scram-sha-256 for "
    "clients, with exactly the server's verifiers, so that keys are learnt from each login.";

struct ServerAuthInput {
  std::string server;  // For errors: "db1:5432".
  std::string user;
  ServerCredentials credentials;
  std::shared_ptr<DerivedKeys> derived;              // Of a plain password; null: kept nowhere.
  std::string_view way_out = kGiveUsersCredentials;  // Where they are not enough; a constant.
  AllowedServerAuth allowed;
  ServerTransport transport = ServerTransport::kPlainNetwork;
  ChannelBinding binding;  // Of the server's certificate (F11).
  BindingPolicy binding_policy = BindingPolicy::kPrefer;
  RawNonce nonce{};
};

/// PasswordMessage; the driver adds the terminating zero.
struct SendPassword {
  SecretText text;
  bool operator==(const SendPassword&) const = default;
};
struct SendSaslInitial {
  std::string mechanism;
  std::string payload;
  bool operator==(const SendSaslInitial&) const = default;
};
struct SendSaslResponse {
  std::string payload;
  bool operator==(const SendSaslResponse&) const = default;
};
/// Nothing to send; the next message of the server decides.
struct WaitForServer {
  bool operator==(const WaitForServer&) const = default;
};
struct Done {
  bool operator==(const Done&) const = default;
};
/// Close the connection.
struct Fail {
  Error error;
  bool operator==(const Fail&) const = default;
};

using ServerAuthAction =
    std::variant<SendPassword, SendSaslInitial, SendSaslResponse, WaitForServer, Done, Fail>;

class ServerAuthFsm {
 public:
  explicit ServerAuthFsm(ServerAuthInput input);

  /// `payload` is what follows the code in the body of the message. Done and Fail end the machine;
  /// whatever comes later is a protocol violation.
  ServerAuthAction on_authentication(uint32_t code, std::string_view payload);

  /// Before the server is believed that the session has begun, in whatever message it says so: an
  /// error until Done. After AuthenticationOk come ParameterStatus, BackendKeyData and
  /// ReadyForQuery, and none of them stands for it.
  Result<void> check_done() const;

 private:
  enum class State : uint8_t {
    kStart,
    kPasswordSent,
    kWaitFirst,
    kWaitFinal,
    kProven,
    kDone,
    kFailed
  };

  ServerAuthAction on_ok(std::string_view payload);
  ServerAuthAction on_cleartext(std::string_view payload);
  ServerAuthAction on_md5(std::string_view payload);
  ServerAuthAction on_sasl(std::string_view payload);
  ServerAuthAction on_sasl_continue(std::string_view payload);
  ServerAuthAction on_sasl_final(std::string_view payload);

  std::string server_asks() const;
  Error unproven() const;
  std::optional<Error> refusal(ServerAuthMethod method, std::string_view word) const;
  Error missing(std::string_view name) const;
  ServerAuthAction stop(Error error);

  ServerAuthInput input_;
  State state_ = State::kStart;
  std::optional<ScramClient> scram_;
};

}  // namespace fairlead::auth
