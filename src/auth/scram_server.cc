#include "auth/scram_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fairlead::auth {

ScramServer::ScramServer(ScramVerifier verifier, std::string nonce, ChannelBinding binding)
    : verifier_(std::move(verifier)), nonce_(std::move(nonce)), binding_(std::move(binding)) {}

void ScramServer::use_keys_of(const ScramVerifier& verifier) {
  verifier_.stored_key = verifier.stored_key;
  verifier_.server_key = verifier.server_key;
}

ScramServer ScramServer::mock(const MockKey& key, std::string_view user, std::string nonce,
                              ChannelBinding binding) {
  // The keys are zero and fit no proof; doomed_ holds even against one who finds a fitting one.
  ScramVerifier verifier;
  verifier.salt = mock_salt(key, user);
  ScramServer server(std::move(verifier), std::move(nonce), std::move(binding));
  server.doomed_ = true;
  return server;
}

std::vector<std::string> ScramServer::mechanisms() const {
  if (!binding_.available()) return {std::string(kScramSha256)};
  return {std::string(kScramSha256Plus), std::string(kScramSha256)};
}

Result<std::string> ScramServer::on_client_first(std::string_view mechanism,
                                                 std::string_view payload) {
  if (std::exchange(state_, State::kEnded) != State::kStart)
    return malformed_scram("The exchange has begun already.");
  if (payload.size() > kScramClientMessageBytesMax)
    return malformed_scram("The client-first-message is too long.");
  if (auto chosen = check_mechanism(mechanism); !chosen) return std::unexpected(chosen.error());

  std::string_view bare = payload;
  if (auto header = read_gs2_header(bare); !header) return std::unexpected(header.error());
  gs2_header_ = payload.substr(0, payload.size() - bare.size());

  if (bare.starts_with("m=")) {
    return fail(ErrorCode::kFeatureNotSupported, "client requires an unsupported SCRAM extension");
  }
  AttributeReader reader(bare);
  if (auto name = reader.take('n'); !name) return std::unexpected(name.error());
  const auto client_nonce = reader.take('r');
  if (!client_nonce) return std::unexpected(client_nonce.error());
  if (!is_nonce(*client_nonce)) return malformed_scram("The nonce is not printable.");
  if (auto rest = reader.skip_extensions(); !rest) return std::unexpected(rest.error());

  nonce_.insert(0, *client_nonce);
  std::string server_first =
      fmt::format("r={},s={},i={}", nonce_, base64_encode(verifier_.salt), verifier_.iterations);
  auth_message_ = fmt::format("{},{},", bare, server_first);
  state_ = State::kChallenged;
  return server_first;
}

Result<void> ScramServer::check_mechanism(std::string_view mechanism) {
  plus_ = mechanism == kScramSha256Plus && binding_.available();
  if (plus_ || mechanism == kScramSha256) return {};
  return fail(ErrorCode::kProtocolViolation,
              "client selected an invalid SASL authentication mechanism",
              "The mechanism was not among those offered.");
}

/// Takes the header (channel binding flag and authorisation identity) off the front of `rest`.
Result<void> ScramServer::read_gs2_header(std::string_view& rest) {
  const std::string_view flag = rest.substr(0, rest.find(','));
  if (flag.size() == rest.size()) return malformed_scram("The channel-binding flag has no end.");

  if (flag.starts_with("p=")) {
    if (!plus_)
      return malformed_scram("The mechanism has no channel binding, but the message brings one.");
    if (flag.substr(2) != kBindingType)
      return fail(ErrorCode::kProtocolViolation, "unsupported SCRAM channel-binding type");
  } else if (flag == "n" || flag == "y") {
    if (plus_)
      return malformed_scram("The mechanism has channel binding, but the message brings none.");
    // The client could bind and saw no PLUS on the list that had it: somebody took it out (F11).
    if (flag == "y" && binding_.available()) {
      return fail(ErrorCode::kInvalidAuthorization, "SCRAM channel binding negotiation error",
                  "The client supports SCRAM channel binding but thinks the server does not. "
                  "However, this server does support channel binding.");
    }
  } else {
    return malformed_scram("Unexpected channel-binding flag.");
  }
  rest.remove_prefix(flag.size() + 1);

  if (rest.starts_with("a=")) {
    return fail(ErrorCode::kFeatureNotSupported,
                "client uses authorization identity, but it is not supported");
  }
  if (!rest.starts_with(",")) return malformed_scram("Unexpected attribute before the user name.");
  rest.remove_prefix(1);
  return {};
}

Result<ScramServer::Finished> ScramServer::on_client_final(std::string_view payload) {
  if (std::exchange(state_, State::kEnded) != State::kChallenged)
    return malformed_scram("The exchange is not at its final message.");
  if (payload.size() > kScramClientMessageBytesMax)
    return malformed_scram("The client-final-message is too long.");

  // The proof is the last attribute; a value in base64 cannot hold ",p=".
  const size_t proof_at = payload.rfind(",p=");
  if (proof_at == payload.npos) return malformed_scram("The client-final-message has no proof.");
  const std::string_view without_proof = payload.substr(0, proof_at);

  AttributeReader reader(without_proof);
  const auto binding = reader.take('c');
  if (!binding) return std::unexpected(binding.error());
  if (auto same = check_binding(*binding); !same) return std::unexpected(same.error());
  const auto nonce = reader.take('r');
  if (!nonce) return std::unexpected(nonce.error());
  if (*nonce != nonce_) {
    return fail(ErrorCode::kProtocolViolation, "invalid SCRAM response", "Nonce does not match.");
  }
  if (auto rest = reader.skip_extensions(); !rest) return std::unexpected(rest.error());
  return check_proof(payload.substr(proof_at + 3), without_proof);
}

Result<void> ScramServer::check_binding(std::string_view encoded) const {
  // The client repeats its header, so that nobody on the way could have changed it, and with PLUS
  // the certificate that it sees.
  const std::string expected =
      base64_encode(plus_ ? gs2_header_ + binding_.end_point : gs2_header_);
  if (equal_in_constant_time(encoded, expected)) return {};
  if (plus_) return fail(ErrorCode::kInvalidAuthorization, "SCRAM channel binding check failed");
  return fail(ErrorCode::kProtocolViolation,
              "unexpected SCRAM channel-binding attribute in client-final-message");
}

Result<ScramServer::Finished> ScramServer::check_proof(std::string_view encoded,
                                                       std::string_view without_proof) const {
  Result<std::string> bytes = base64_decode(encoded);
  ScramKey proof;
  if (!bytes || bytes->size() != proof.bytes.size())
    return malformed_scram("Malformed proof in client-final-message.");
  std::ranges::copy(*bytes, proof.bytes.begin());

  const std::string message = auth_message_ + std::string(without_proof);
  const ScramKey signature = hmac_sha256(verifier_.stored_key.view(), message);
  const ScramKey client_key = exclusive_or(proof, signature);
  const bool proven = stored_key_of(client_key) == verifier_.stored_key;
  if (!proven || doomed_)
    return fail(ErrorCode::kInvalidPassword, "password authentication failed");

  const ScramKey server_signature = hmac_sha256(verifier_.server_key.view(), message);
  return Finished{.server_final = "v=" + base64_encode(server_signature.view()),
                  .keys = ScramLoginKeys{.client_key = client_key,
                                         .server_key = verifier_.server_key,
                                         .salt = verifier_.salt,
                                         .iterations = verifier_.iterations}};
}

}  // namespace fairlead::auth
