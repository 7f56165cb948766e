// Feeds arbitrary messages to both sides of SCRAM and to both state machines around them. Besides
// "no crash": nobody logs in without the password, and a server without the verifier is never
// believed.
#include <cstdlib>
#include <string_view>

#include "auth/client_auth.h"
#include "auth/server_auth.h"

namespace {

using namespace fairlead;
using namespace fairlead::auth;

void check(bool condition) {
  if (!condition) std::abort();
}

/// Takes the next line (or what is left) as one message.
std::string_view next_message(std::string_view& rest) {
  const size_t end = rest.find('\n');
  const std::string_view message = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return message;
}

void attack_fairlead(std::string_view input) {
  static const ScramVerifier verifier = ScramVerifier::derive("pencil", "salt", 2);
  const ChannelBinding binding{!input.empty() && (input[0] & 1) != 0 ? "hash" : ""};
  ScramServer server(verifier, "servernonce", binding);
  std::string_view rest = input;
  const std::string_view mechanism = next_message(rest);
  const std::string_view first = next_message(rest);
  if (server.on_client_first(mechanism, first)) check(!server.on_client_final(next_message(rest)));

  rest = input;
  ClientAuthFsm fsm(ClientAuthInput{.user = "ann",
                                    .method = ClientAuthMethod::kScramSha256,
                                    .secret = verifier,
                                    .binding = binding});
  fsm.on_start();
  for (int i = 0; i < 3; ++i) {
    for (const ClientAuthAction& action : fsm.on_password_message(next_message(rest)))
      check(!std::holds_alternative<Accepted>(action));
  }
}

void attack_as_server(std::string_view input) {
  std::string_view rest = input;
  ServerAuthFsm fsm(ServerAuthInput{
      .server = "db1:5432",
      .user = "ann",
      // Keys with a salt that the corpus holds, so that the fuzzer gets beyond the challenge; and
      // no PBKDF2, which it would only slow down.
      .credentials =
          ScramLoginKeys{
              .client_key = {}, .server_key = sha256("unknown"), .salt = "salt", .iterations = 2},
      .derived = nullptr,
      .allowed = AllowedServerAuth().without(ServerAuthMethod::kTrust),
      .binding = {}});
  for (int i = 0; i < 4 && !rest.empty(); ++i) {
    const auto code = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    check(!std::holds_alternative<Done>(fsm.on_authentication(code, next_message(rest))));
    check(!fsm.check_done());
  }
}

void parse_verifier(std::string_view input) {
  // What can be read is printed as it was.
  if (const auto verifier = ScramVerifier::parse(input))
    check(ScramVerifier::parse(verifier->to_string()).value() == *verifier);
  if (const auto bytes = base64_decode(input)) check(base64_encode(*bytes) == input);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  attack_fairlead(input);
  attack_as_server(input);
  parse_verifier(input);
  return 0;
}
