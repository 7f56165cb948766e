#include "auth/scram_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace fairlead::auth {

ScramClient::ScramClient(Credentials credentials, std::string nonce, ChannelBinding binding,
                         BindingPolicy policy, std::shared_ptr<DerivedKeys> derived)
    : credentials_(std::move(credentials)),
      derived_(std::move(derived)),
      nonce_(std::move(nonce)),
      binding_(std::move(binding)),
      policy_(policy) {}

Result<ScramClient::First> ScramClient::start(std::span<const std::string_view> offered) {
  if (std::exchange(state_, State::kEnded) != State::kStart)
    return malformed_scram("The exchange has begun already.");
  const bool plus_offered = std::ranges::find(offered, kScramSha256Plus) != offered.end();
  const bool could_bind = binding_.available() && policy_ != BindingPolicy::kDisable;
  plus_ = plus_offered && could_bind;
  if (!plus_ && policy_ == BindingPolicy::kRequire) {
    return fail(ErrorCode::kInvalidAuthorization, "channel binding is required, but cannot be used",
                plus_offered ? "The connection has no TLS certificate to bind to."
                             : "The server does not offer SCRAM-SHA-256-PLUS.",
                "Use TLS to the server, and a server that holds SCRAM verifiers.");
  }
  if (!plus_ && std::ranges::find(offered, kScramSha256) == offered.end()) {
    return fail(ErrorCode::kFeatureNotSupported,
                "the server offers no SASL mechanism that Fairlead supports",
                "Fairlead supports SCRAM-SHA-256 and SCRAM-SHA-256-PLUS.");
  }
  // "y" tells the server that we could have bound: one that had offered PLUS then knows that
  // somebody removed it from the list, and refuses (F11).
  gs2_header_ = plus_ ? fmt::format("p={},,", kBindingType) : could_bind ? "y,," : "n,,";
  const std::string bare = fmt::format("n=,r={}", nonce_);
  auth_message_ = bare + ",";
  state_ = State::kWaitFirst;
  return First{.mechanism = std::string(plus_ ? kScramSha256Plus : kScramSha256),
               .payload = gs2_header_ + bare};
}

Result<std::string> ScramClient::on_server_first(std::string_view payload) {
  if (std::exchange(state_, State::kEnded) != State::kWaitFirst)
    return malformed_scram("The server sent a challenge out of turn.");
  Result<Challenge> challenge = read_challenge(payload);
  if (!challenge) return std::unexpected(challenge.error());

  std::string reply = fmt::format(
      "c={},r={}", base64_encode(plus_ ? gs2_header_ + binding_.end_point : gs2_header_),
      challenge->nonce);
  const Result<ScramLoginKeys> keys = keys_for(std::move(*challenge));
  if (!keys) return std::unexpected(keys.error());

  auth_message_ += fmt::format("{},{}", payload, reply);
  const ScramKey signature = hmac_sha256(stored_key_of(keys->client_key).view(), auth_message_);
  const ScramKey proof = exclusive_or(keys->client_key, signature);
  server_key_ = keys->server_key;
  state_ = State::kWaitFinal;
  return reply + ",p=" + base64_encode(proof.view());
}

Result<ScramClient::Challenge> ScramClient::read_challenge(std::string_view payload) const {
  if (payload.size() > kScramServerMessageBytesMax)
    return malformed_scram("The server-first-message is too long.");
  AttributeReader reader(payload);
  const auto nonce = reader.take('r');
  if (!nonce) return std::unexpected(nonce.error());
  // The server must add to our nonce, else an old exchange could be replayed to us.
  if (!is_nonce(*nonce) || !nonce->starts_with(nonce_) || nonce->size() == nonce_.size())
    return fail(ErrorCode::kProtocolViolation, "invalid SCRAM response (nonce mismatch)");
  const auto salt = reader.take('s');
  if (!salt) return std::unexpected(salt.error());
  Result<std::string> salt_bytes = base64_decode(*salt);
  if (!salt_bytes || salt_bytes->empty() || salt_bytes->size() > kScramSaltBytesMax)
    return malformed_scram("Invalid salt.");
  const auto iterations = reader.take('i');
  if (!iterations) return std::unexpected(iterations.error());
  if (auto rest = reader.skip_extensions(); !rest) return std::unexpected(rest.error());

  Challenge challenge{.nonce = *nonce, .salt = std::move(*salt_bytes)};
  const char* const end = iterations->data() + iterations->size();
  const auto [stop, error] = std::from_chars(iterations->data(), end, challenge.iterations);
  if (error != std::errc{} || stop != end || challenge.iterations == 0)
    return malformed_scram("Invalid iteration count.");
  return challenge;
}

Result<ScramLoginKeys> ScramClient::keys_for(Challenge challenge) const {
  if (const auto* password = std::get_if<SecretText>(&credentials_)) {
    if (challenge.iterations > kScramIterationsMax) {
      return fail(ErrorCode::kLimitExceeded, "the server asks for too many SCRAM iterations",
                  fmt::format("It asks for {}; Fairlead computes at most {}.", challenge.iterations,
                              kScramIterationsMax),
                  "Lower scram_iterations on the server and set the password again.");
    }
    if (derived_ != nullptr)
      return derived_->find_or_derive(*password, std::move(challenge.salt), challenge.iterations);
    return ScramLoginKeys::derive(password->view(), std::move(challenge.salt),
                                  challenge.iterations);
  }
  const auto& keys = std::get<ScramLoginKeys>(credentials_);
  if (keys.iterations != challenge.iterations || keys.salt != challenge.salt) {
    return fail(ErrorCode::kConfig,
                "the SCRAM verifier that Fairlead knows differs from the server's",
                "Keys learnt from a client log in only where salt and iterations are identical.",
                "Give Fairlead exactly the server's pg_authid.rolpassword (all nodes of a cluster "
                "share it), or the plain password.");
  }
  return keys;
}

Result<void> ScramClient::on_server_final(std::string_view payload) {
  if (std::exchange(state_, State::kEnded) != State::kWaitFinal)
    return malformed_scram("The server sent its final message out of turn.");
  if (payload.size() > kScramServerMessageBytesMax)
    return malformed_scram("The server-final-message is too long.");
  AttributeReader reader(payload);
  if (payload.starts_with("e="))
    return fail(ErrorCode::kInvalidPassword, "the server refused the SCRAM exchange");
  const auto signature = reader.take('v');
  if (!signature) return std::unexpected(signature.error());
  if (auto rest = reader.skip_extensions(); !rest) return std::unexpected(rest.error());
  const ScramKey expected = hmac_sha256(server_key_.view(), auth_message_);
  if (!equal_in_constant_time(*signature, base64_encode(expected.view()))) {
    return fail(ErrorCode::kInvalidAuthorization, "the server's SCRAM signature is wrong",
                "It does not know the password, or somebody stands between.");
  }
  return {};
}

}  // namespace fairlead::auth
