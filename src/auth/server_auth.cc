#include "auth/server_auth.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace fairlead::auth {
namespace {

// Codes of the Authentication requests, from PostgreSQL's protocol.
constexpr uint32_t kOk = 0;
constexpr uint32_t kCleartextPassword = 3;
constexpr uint32_t kMd5Password = 5;
constexpr uint32_t kSasl = 10;
constexpr uint32_t kSaslContinue = 11;
constexpr uint32_t kSaslFinal = 12;

Error violation(std::string message, std::string detail = {}) {
  return Error{ErrorCode::kProtocolViolation, std::move(message), std::move(detail)};
}

std::string_view name_of_unsupported(uint32_t code) {
  switch (code) {
    case 2:
      return "Kerberos V5";
    case 6:
      return "SCM credentials";
    case 7:
    case 8:
      return "GSSAPI";
    case 9:
      return "SSPI";
    default:
      return "unknown";
  }
}

/// C strings up to an empty one, which ends the message.
std::optional<std::vector<std::string_view>> read_mechanisms(std::string_view rest) {
  std::vector<std::string_view> mechanisms;
  for (;;) {
    const size_t zero = rest.find('\0');
    if (zero == rest.npos) return std::nullopt;
    const std::string_view mechanism = rest.substr(0, zero);
    rest.remove_prefix(zero + 1);
    if (mechanism.empty()) break;
    mechanisms.push_back(mechanism);
  }
  if (!rest.empty() || mechanisms.empty()) return std::nullopt;
  return mechanisms;
}

}  // namespace

ServerAuthFsm::ServerAuthFsm(ServerAuthInput input) : input_(std::move(input)) {}

ServerAuthAction ServerAuthFsm::on_authentication(uint32_t code, std::string_view payload) {
  switch (code) {
    case kOk:
      return on_ok(payload);
    case kCleartextPassword:
      return on_cleartext(payload);
    case kMd5Password:
      return on_md5(payload);
    case kSasl:
      return on_sasl(payload);
    case kSaslContinue:
      return on_sasl_continue(payload);
    case kSaslFinal:
      return on_sasl_final(payload);
    default:
      return stop(Error{ErrorCode::kFeatureNotSupported,
                        fmt::format("the server asks user \"{}\" for an authentication that "
                                    "Fairlead does not support",
                                    input_.user),
                        fmt::format("Request {} ({}).", code, name_of_unsupported(code)),
                        "Let pg_hba.conf ask Fairlead's address for scram-sha-256."});
  }
}

ServerAuthAction ServerAuthFsm::on_ok(std::string_view payload) {
  if (!payload.empty()) return stop(violation("malformed AuthenticationOk message"));
  switch (state_) {
    case State::kStart:
      if (auto error = refusal(ServerAuthMethod::kTrust, "no authentication"))
        return stop(std::move(*error));
      break;
    case State::kPasswordSent:
    case State::kProven:
      break;
    case State::kWaitFirst:
    case State::kWaitFinal:
      // SCRAM is mutual: a server that skips its own proof need not know the password.
      return stop(Error{ErrorCode::kInvalidAuthorization,
                        "the server ended the SCRAM exchange before it proved itself",
                        "Somebody may pose as the server."});
    case State::kEnded:
      return stop(violation("the server sent AuthenticationOk out of turn"));
  }
  state_ = State::kEnded;
  return Done{};
}

ServerAuthAction ServerAuthFsm::on_cleartext(std::string_view payload) {
  if (state_ != State::kStart || !payload.empty())
    return stop(violation("the server asked for a cleartext password out of turn"));
  const ServerAuthMethod method = input_.allowed.has(ServerAuthMethod::kCleartextAnywhere)
                                      ? ServerAuthMethod::kCleartextAnywhere
                                      : ServerAuthMethod::kCleartext;
  if (auto error = refusal(method, "a cleartext password")) return stop(std::move(*error));
  if (method == ServerAuthMethod::kCleartext &&
      input_.transport == ServerTransport::kPlainNetwork) {
    return stop(Error{ErrorCode::kInvalidAuthorization,
                      fmt::format("the server asks user \"{}\" for a cleartext password over a "
                                  "connection that others can read",
                                  input_.user),
                      {},
                      "Use TLS to the server, or scram-sha-256 in its pg_hba.conf."});
  }
  auto* password = std::get_if<PlainPassword>(&input_.credentials);
  if (password == nullptr) return stop(missing("a cleartext password"));
  state_ = State::kPasswordSent;
  return SendPassword{std::move(password->text)};
}

ServerAuthAction ServerAuthFsm::on_md5(std::string_view payload) {
  Md5Salt salt;
  if (state_ != State::kStart || payload.size() != salt.size())
    return stop(violation("the server asked for an md5 password out of turn"));
  if (auto error = refusal(ServerAuthMethod::kMd5, "md5")) return stop(std::move(*error));
  std::ranges::copy(payload, salt.begin());

  Result<Md5Secret> secret = std::unexpected(missing("md5"));
  if (const auto* stored = std::get_if<Md5Secret>(&input_.credentials)) {
    secret = *stored;
  } else if (const auto* password = std::get_if<PlainPassword>(&input_.credentials)) {
    secret = Md5Secret::derive(password->text.view(), input_.user);
  }
  if (!secret) return stop(std::move(secret.error()));
  Result<SecretText> response = md5_response(*secret, salt);
  if (!response) return stop(std::move(response.error()));
  state_ = State::kPasswordSent;
  return SendPassword{std::move(*response)};
}

ServerAuthAction ServerAuthFsm::on_sasl(std::string_view payload) {
  const auto mechanisms = read_mechanisms(payload);
  if (state_ != State::kStart || !mechanisms)
    return stop(violation("the server offered SASL out of turn or in a malformed message"));
  if (auto error = refusal(ServerAuthMethod::kScramSha256, "scram-sha-256"))
    return stop(std::move(*error));

  if (auto* password = std::get_if<PlainPassword>(&input_.credentials)) {
    scram_.emplace(std::move(password->text), print_nonce(input_.nonce), input_.binding,
                   input_.binding_policy);
  } else if (auto* keys = std::get_if<ScramLoginKeys>(&input_.credentials)) {
    scram_.emplace(std::move(*keys), print_nonce(input_.nonce), input_.binding,
                   input_.binding_policy);
  } else {
    return stop(missing("scram-sha-256"));
  }
  Result<ScramClient::First> first = scram_->start(*mechanisms);
  if (!first) return stop(std::move(first.error()));
  state_ = State::kWaitFirst;
  return SendSaslInitial{std::move(first->mechanism), std::move(first->payload)};
}

ServerAuthAction ServerAuthFsm::on_sasl_continue(std::string_view payload) {
  if (state_ != State::kWaitFirst) return stop(violation("the server continued SASL out of turn"));
  Result<std::string> reply = scram_->on_server_first(payload);
  if (!reply) return stop(std::move(reply.error()));
  state_ = State::kWaitFinal;
  return SendSaslResponse{std::move(*reply)};
}

ServerAuthAction ServerAuthFsm::on_sasl_final(std::string_view payload) {
  if (state_ != State::kWaitFinal) return stop(violation("the server ended SASL out of turn"));
  if (auto proven = scram_->on_server_final(payload); !proven)
    return stop(std::move(proven.error()));
  state_ = State::kProven;
  return WaitForServer{};
}

/// Why `method` must not be used with this server, if so.
std::optional<Error> ServerAuthFsm::refusal(ServerAuthMethod method, std::string_view name) const {
  if (!input_.allowed.has(method)) {
    return Error{ErrorCode::kInvalidAuthorization,
                 fmt::format("the server asks user \"{}\" for {}, which is not allowed towards "
                             "servers",
                             input_.user, name),
                 "A server that asks for less than SCRAM may not be the one that it seems.",
                 "Let the server ask for scram-sha-256, or allow this method in the "
                 "configuration."};
  }
  if (input_.binding_policy == BindingPolicy::kRequire &&
      method != ServerAuthMethod::kScramSha256) {
    return Error{ErrorCode::kInvalidAuthorization,
                 fmt::format("channel binding is required, but the server asks user \"{}\" for {}",
                             input_.user, name),
                 {},
                 "Only SCRAM-SHA-256-PLUS over TLS binds the login to the connection."};
  }
  return std::nullopt;
}

Error ServerAuthFsm::missing(std::string_view name) const {
  const bool none = std::holds_alternative<std::monostate>(input_.credentials);
  return Error{
      ErrorCode::kInvalidAuthorization,
      fmt::format("no credentials to log in to the server as user \"{}\"", input_.user),
      fmt::format("The server asks for {}; {}.", name,
                  none ? "nothing is known of this user"
                       : "what is known of this user cannot "
                         "answer that"),
      "Give the user's plain password in the users file; or use the auth method scram-sha-256 for "
      "clients, with exactly the server's verifiers, so that keys are learnt from each login."};
}

ServerAuthAction ServerAuthFsm::stop(Error error) {
  state_ = State::kEnded;
  scram_.reset();
  return Fail{std::move(error)};
}

}  // namespace fairlead::auth
