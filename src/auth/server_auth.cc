#include "auth/server_auth.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "auth/violation.h"
#include "wire/printable.h"

namespace fairlead::auth {
namespace {

// Codes of the Authentication requests, from PostgreSQL's protocol.
constexpr uint32_t kOk = 0;
constexpr uint32_t kCleartextPassword = 3;
constexpr uint32_t kMd5Password = 5;
constexpr uint32_t kSasl = 10;
constexpr uint32_t kSaslContinue = 11;
constexpr uint32_t kSaslFinal = 12;

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

ServerCredentials to_server_credentials(const Secret& secret) {
  if (const auto* plain = std::get_if<PlainPassword>(&secret)) return *plain;
  if (const auto* md5 = std::get_if<Md5Secret>(&secret)) return *md5;
  return std::monostate{};
}

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
      return stop(Error{
          ErrorCode::kFeatureNotSupported,
          fmt::format("{} for an authentication that Fairlead does not support", server_asks()),
          fmt::format("Request {} ({}).", code, name_of_unsupported(code)),
          "Let pg_hba.conf ask Fairlead's address for scram-sha-256."});
  }
}

ServerAuthAction ServerAuthFsm::on_ok(std::string_view payload) {
  if (!payload.empty()) return stop(violation("malformed AuthenticationOk message"));
  switch (state_) {
    case State::kStart:
      if (auto error = refusal(ServerAuthMethod::kTrust, "trust")) return stop(std::move(*error));
      break;
    case State::kPasswordSent:
    case State::kProven:
      break;
    case State::kWaitFirst:
    case State::kWaitFinal:
      return stop(unproven());
    case State::kDone:
    case State::kFailed:
      return stop(violation("the server sent AuthenticationOk out of turn"));
  }
  state_ = State::kDone;
  return Done{};
}

Result<void> ServerAuthFsm::check_done() const {
  if (state_ == State::kDone) return {};
  if (state_ == State::kWaitFirst || state_ == State::kWaitFinal)
    return std::unexpected(unproven());
  return std::unexpected(violation(
      fmt::format("the server {} began a session without AuthenticationOk", input_.server),
      "Somebody may pose as the server."));
}

ServerAuthAction ServerAuthFsm::on_cleartext(std::string_view payload) {
  if (state_ != State::kStart || !payload.empty())
    return stop(violation("the server asked for a cleartext password out of turn"));
  const ServerAuthMethod method = input_.allowed.has(ServerAuthMethod::kCleartextAnywhere)
                                      ? ServerAuthMethod::kCleartextAnywhere
                                      : ServerAuthMethod::kCleartext;
  if (auto error = refusal(method, "password")) return stop(std::move(*error));
  if (method == ServerAuthMethod::kCleartext &&
      input_.transport == ServerTransport::kPlainNetwork) {
    return stop(Error{ErrorCode::kInvalidAuthorization,
                      server_asks() + " for a cleartext password over a connection that others can "
                                      "read",
                      {},
                      "Use TLS to the server, or scram-sha-256 in its pg_hba.conf. Only with "
                      "tls_mode = \"disable\" would the password travel so."});
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
  const bool is_all_there_is = std::holds_alternative<Md5Secret>(input_.credentials);
  if (is_all_there_is) input_.allowed = input_.allowed.with(ServerAuthMethod::kMd5);
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
                   input_.binding_policy, std::move(input_.derived));
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

std::string ServerAuthFsm::server_asks() const {
  return fmt::format("the server {} asks user \"{}\"", input_.server, wire::printable(input_.user));
}

// SCRAM is mutual: a server that skips its own proof need not know the password.
Error ServerAuthFsm::unproven() const {
  return Error{
      ErrorCode::kInvalidAuthorization,
      fmt::format("the server {} ended the SCRAM exchange before it proved itself", input_.server),
      "Somebody may pose as the server."};
}

/// Why `method`, which pg_hba.conf calls `word`, must not be used with this server, if so (F14).
std::optional<Error> ServerAuthFsm::refusal(ServerAuthMethod method, std::string_view word) const {
  const bool gives_secrets_away =
      method != ServerAuthMethod::kTrust && method != ServerAuthMethod::kScramSha256;
  if (!input_.allowed.has(method)) {
    return Error{
        ErrorCode::kInvalidAuthorization,
        fmt::format("{} for the method \"{}\", which server_auth does not allow", server_asks(),
                    word),
        gives_secrets_away
            ? "Whoever answers in the place of the server would learn what logs in."
            : "A server that asks for less than it should may not be the one that it seems.",
        fmt::format("{}dd \"{}\" to server_auth in its [cluster.NAME] of the configuration.",
                    method == ServerAuthMethod::kScramSha256
                        ? "A"
                        : "Let the server's pg_hba.conf ask for scram-sha-256; or a",
                    word)};
  }
  if (input_.binding_policy == BindingPolicy::kRequire &&
      method != ServerAuthMethod::kScramSha256) {
    return Error{ErrorCode::kInvalidAuthorization,
                 fmt::format("channel binding is required, but {} for \"{}\"", server_asks(), word),
                 {},
                 "Only SCRAM-SHA-256-PLUS over TLS binds the login to the connection."};
  }
  return std::nullopt;
}

Error ServerAuthFsm::missing(std::string_view name) const {
  const bool none = std::holds_alternative<std::monostate>(input_.credentials);
  return Error{ErrorCode::kInvalidAuthorization,
               fmt::format("no credentials to log in to the server as user \"{}\"",
                           wire::printable(input_.user)),
               fmt::format("The server asks for {}; {}.", name,
                           none ? "nothing is known of this user"
                                : "what is known of this user cannot "
                                  "answer that"),
               std::string(input_.way_out)};
}

ServerAuthAction ServerAuthFsm::stop(Error error) {
  state_ = State::kFailed;
  scram_.reset();
  return Fail{std::move(error)};
}

}  // namespace fairlead::auth
