#include "auth/client_auth.h"

#include <fmt/format.h>

#include <utility>

#include "auth/violation.h"
#include "base/assert.h"
#include "base/bytes.h"
#include "wire/printable.h"

namespace fairlead::auth {
namespace {

struct SaslInitial {
  std::string_view mechanism;
  std::string_view payload;
};

/// SASLInitialResponse: a C string, the length of the data in four bytes, the data.
std::optional<SaslInitial> read_sasl_initial(std::string_view body) {
  const size_t zero = body.find('\0');
  if (zero == body.npos || body.size() - zero - 1 < 4) return std::nullopt;
  const std::string_view payload = body.substr(zero + 5);
  // 0xFFFFFFFF stands for "no data": no SCRAM client begins so.
  if (load_u32(body.data() + zero + 1) != payload.size()) return std::nullopt;
  return SaslInitial{body.substr(0, zero), payload};
}

}  // namespace

ClientAuthFsm::ClientAuthFsm(ClientAuthInput input) : input_(std::move(input)) {}

ClientAuthActions ClientAuthFsm::on_start() {
  if (state_ != State::kStart) return reject(violation("authentication has begun already"));
  switch (input_.method) {
    case ClientAuthMethod::kTrust:
      state_ = State::kEnded;
      return {Accepted{}};
    case ClientAuthMethod::kScramSha256:
      return start_scram();
    case ClientAuthMethod::kMd5: {
      const bool has_verifier =
          input_.secret && std::holds_alternative<ScramVerifier>(*input_.secret);
      return has_verifier ? start_scram() : start_md5();
    }
  }
  unreachable("every method of client authentication is handled");
}

ClientAuthActions ClientAuthFsm::start_scram() {
  if (!input_.secret) {
    for_operator_ = fmt::format("user \"{}\" is unknown", shown_user());
  } else if (const auto* verifier = std::get_if<ScramVerifier>(&*input_.secret)) {
    scram_.emplace(*verifier, print_nonce(input_.nonce), input_.binding);
  } else if (std::holds_alternative<PlainPassword>(*input_.secret)) {
    // The salt of a mock exchange: neither a new salt at each login nor a lasting one tells a plain
    // secret from an unknown user. Its keys are derived for a proof only: who has shown none must
    // not make us work.
    ScramVerifier unfinished;
    unfinished.salt = mock_salt(input_.mock_key, input_.user);
    scram_.emplace(std::move(unfinished), print_nonce(input_.nonce), input_.binding);
  } else if (std::holds_alternative<Md5Secret>(*input_.secret)) {
    for_operator_ = fmt::format(
        "user \"{}\" has an md5 secret, which cannot serve scram-sha-256: store a SCRAM verifier "
        "or a plain password",
        shown_user());
  } else {
    for_operator_ = fmt::format("user \"{}\" has no password", shown_user());
  }
  doomed_ = !scram_;
  if (doomed_)
    scram_.emplace(
        ScramServer::mock(input_.mock_key, input_.user, print_nonce(input_.nonce), input_.binding));
  state_ = State::kSaslInitial;
  return {SendSasl{scram_->mechanisms()}};
}

ClientAuthActions ClientAuthFsm::start_md5() {
  std::string_view password;
  if (!input_.secret) {
    for_operator_ = fmt::format("user \"{}\" is unknown", shown_user());
  } else if (const auto* md5 = std::get_if<Md5Secret>(&*input_.secret)) {
    md5_ = *md5;
  } else if (const auto* plain = std::get_if<PlainPassword>(&*input_.secret)) {
    password = plain->text.view();
  } else {
    for_operator_ = fmt::format("user \"{}\" has no password", shown_user());
  }
  doomed_ = !md5_ && password.empty();
  if (!md5_) {
    // Doomed attempts compute and compare the same (F12), and are refused whatever comes.
    Result<Md5Secret> derived = Md5Secret::derive(password, input_.user);
    if (!derived) return reject(derived.error());
    md5_ = std::move(*derived);
  }
  state_ = State::kMd5;
  return {SendMd5{input_.md5_salt}};
}

ClientAuthActions ClientAuthFsm::on_password_message(std::string_view body) {
  switch (state_) {
    case State::kSaslInitial:
      return on_sasl_initial(body);
    case State::kSaslResponse:
      return on_sasl_response(body);
    case State::kMd5:
      return on_md5_response(body);
    case State::kStart:
    case State::kEnded:
      break;
  }
  return reject(violation("a password message came out of turn"));
}

ClientAuthActions ClientAuthFsm::on_sasl_initial(std::string_view body) {
  const std::optional<SaslInitial> initial = read_sasl_initial(body);
  if (!initial) return reject(violation("malformed SASLInitialResponse message"));
  Result<std::string> challenge = scram_->on_client_first(initial->mechanism, initial->payload);
  if (!challenge) return reject(std::move(challenge.error()));
  state_ = State::kSaslResponse;
  return {SendSaslContinue{std::move(*challenge)}};
}

ClientAuthActions ClientAuthFsm::on_sasl_response(std::string_view body) {
  if (const auto* plain = input_.secret ? std::get_if<PlainPassword>(&*input_.secret) : nullptr) {
    require(input_.plain_verifiers != nullptr, "plain secrets come with where verifiers are kept");
    scram_->use_keys_of(
        input_.plain_verifiers->find_or_derive(input_.user, *plain, input_.mock_key));
  }
  Result<ScramServer::Finished> finished = scram_->on_client_final(body);
  if (!finished) {
    return finished.error().code == ErrorCode::kInvalidPassword
               ? reject_password()
               : reject(std::move(finished.error()));
  }
  state_ = State::kEnded;
  Accepted accepted;
  if (auto* plain = std::get_if<PlainPassword>(&*input_.secret)) {
    accepted.learnt = std::move(*plain);  // Serves every server; keys for our own salt serve none.
  } else {
    accepted.learnt = std::move(finished->keys);
  }
  return {SendSaslFinal{std::move(finished->server_final)}, std::move(accepted)};
}

ClientAuthActions ClientAuthFsm::on_md5_response(std::string_view body) {
  if (body.empty() || body.back() != '\0')
    return reject(violation("malformed PasswordMessage message"));
  body.remove_suffix(1);
  const Result<SecretText> expected = md5_response(*md5_, input_.md5_salt);
  if (!expected) return reject(expected.error());
  const bool proven = equal_in_constant_time(body, expected->view());
  if (!proven || doomed_) return reject_password();

  state_ = State::kEnded;
  Accepted accepted;
  if (auto* plain = std::get_if<PlainPassword>(&*input_.secret)) {
    accepted.learnt = std::move(*plain);
  } else {
    accepted.learnt = std::move(*md5_);
  }
  return {std::move(accepted)};
}

// The name is a stranger's: it goes into the log and into an ErrorResponse.
std::string ClientAuthFsm::shown_user() const { return wire::printable(input_.user); }

ClientAuthActions ClientAuthFsm::reject(Error error) {
  state_ = State::kEnded;
  return {Rejected{std::move(error), for_operator_}};
}

ClientAuthActions ClientAuthFsm::reject_password() {
  if (!doomed_)
    for_operator_ = fmt::format("the password of user \"{}\" does not match", shown_user());
  return reject(Error{
      .code = ErrorCode::kInvalidPassword,
      .message = fmt::format("password authentication failed for user \"{}\"", shown_user())});
}

}  // namespace fairlead::auth
