// Authentication of one client by Fairlead: a pure state machine from the request to the verdict.
//
// It knows no frames: it answers with the Authentication requests to send, and takes the bodies of
// password messages ('p'). All randomness comes in. Nobody outside learns whether a user exists:
// unknown users, users without a usable secret and wrong passwords take the same steps and end in
// the same error (F12).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "auth/md5.h"
#include "auth/plain_verifiers.h"
#include "auth/scram_server.h"
#include "auth/secret.h"
#include "base/error.h"

namespace fairlead::auth {

/// `cert` is not here: the TLS handshake decides it, and no message is exchanged.
enum class ClientAuthMethod : uint8_t { kTrust, kScramSha256, kMd5 };

struct SendSasl {
  std::vector<std::string> mechanisms;
  bool operator==(const SendSasl&) const = default;
};
struct SendSaslContinue {
  std::string payload;
  bool operator==(const SendSaslContinue&) const = default;
};
struct SendSaslFinal {
  std::string payload;
  bool operator==(const SendSaslFinal&) const = default;
};
struct SendMd5 {
  Md5Salt salt{};
  bool operator==(const SendMd5&) const = default;
};
/// What the login taught about how to log in to servers as this user: nothing (trust), the plain
/// password or md5 secret that was on file, or the keys from the client's proof (F10).
struct Accepted {
  std::variant<std::monostate, PlainPassword, Md5Secret, ScramLoginKeys> learnt;
  bool operator==(const Accepted&) const = default;
};
/// Send the error and close. `for_operator` is for the log only: it may tell why.
struct Rejected {
  Error error;
  std::string for_operator;
  bool operator==(const Rejected&) const = default;
};

using ClientAuthAction =
    std::variant<SendSasl, SendSaslContinue, SendSaslFinal, SendMd5, Accepted, Rejected>;
/// To be carried out in this order. Accepted and Rejected come last and end the machine.
using ClientAuthActions = std::vector<ClientAuthAction>;

struct ClientAuthInput {
  std::string user;
  ClientAuthMethod method = ClientAuthMethod::kScramSha256;
  std::optional<Secret> secret;  // nullopt: no such user.
  ChannelBinding binding;        // Of Fairlead's own certificate; empty without TLS.
  RawNonce nonce{};
  Md5Salt md5_salt{};
  MockKey mock_key{};
  /// Of this thread; outlives the machine. Not null where a secret is plain.
  PlainVerifiers* plain_verifiers = nullptr;
};

/// Which secrets serve which method (as in PostgreSQL and PgBouncer):
///   scram-sha-256: verifier, plain. An md5 secret cannot: mock exchange, the log says why.
///   md5:           md5, plain; a verifier is better, so SCRAM is used. Unknown users get md5.
/// A plain secret under SCRAM costs one PBKDF2 at the first proof, and none before or after it
/// (plain_verifiers.h). That one takes milliseconds which an unknown user's does not: refusals have
/// to be sent at a time that does not tell (F12).
class ClientAuthFsm {
 public:
  explicit ClientAuthFsm(ClientAuthInput input);

  /// Once, first.
  ClientAuthActions on_start();
  /// The body of one 'p' message: SASLInitialResponse, SASLResponse or PasswordMessage, by turn.
  ClientAuthActions on_password_message(std::string_view body);

 private:
  enum class State : uint8_t { kStart, kSaslInitial, kSaslResponse, kMd5, kEnded };

  ClientAuthActions start_scram();
  ClientAuthActions start_md5();
  ClientAuthActions on_sasl_initial(std::string_view body);
  ClientAuthActions on_sasl_response(std::string_view body);
  ClientAuthActions on_md5_response(std::string_view body);
  std::string shown_user() const;
  ClientAuthActions reject(Error error);
  ClientAuthActions reject_password();

  ClientAuthInput input_;
  State state_ = State::kStart;
  std::optional<ScramServer> scram_;
  std::optional<Md5Secret> md5_;
  bool doomed_ = false;  // No password can succeed; for_operator_ says why.
  std::string for_operator_;
};

}  // namespace fairlead::auth
