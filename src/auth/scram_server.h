// The server's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677) in PostgreSQL's
// dialect: the user comes from the startup packet, and the name inside the SCRAM message is
// ignored.
//
// Pure: one object for one attempt; the nonce comes in, printable (print_nonce()). Deals in SASL
// payloads, not in frames.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/scram_message.h"
#include "auth/scram_verifier.h"
#include "base/error.h"

namespace fairlead::auth {

class ScramServer {
 public:
  struct Finished {
    std::string server_final;  // To be sent before AuthenticationOk.
    ScramLoginKeys keys;       // What the client's proof revealed (F10).
  };

  /// An attempt that succeeds for whoever knows the password behind `verifier`.
  ScramServer(ScramVerifier verifier, std::string nonce, ChannelBinding binding);
  /// The same for a verifier of which only salt and iterations are known yet; its keys, before
  /// on_client_final().
  void use_keys_of(const ScramVerifier& verifier);
  /// An attempt that takes the same steps and always ends in kInvalidPassword: for users that do
  /// not exist, or have no secret that serves SCRAM (F12).
  static ScramServer mock(const MockKey& key, std::string_view user, std::string nonce,
                          ChannelBinding binding);

  /// The mechanisms to offer, best first: PLUS only with something to bind to (F11).
  std::vector<std::string> mechanisms() const;

  /// client-first-message in, server-first-message out. Every failure ends the attempt.
  Result<std::string> on_client_first(std::string_view mechanism, std::string_view payload);
  /// kInvalidPassword: the proof is wrong, whatever the reason.
  Result<Finished> on_client_final(std::string_view payload);

 private:
  enum class State : uint8_t { kStart, kChallenged, kEnded };

  Result<void> check_mechanism(std::string_view mechanism);
  Result<void> read_gs2_header(std::string_view& rest);
  Result<void> check_binding(std::string_view encoded) const;
  Result<Finished> check_proof(std::string_view encoded, std::string_view without_proof) const;

  ScramVerifier verifier_;
  std::string nonce_;  // Ours at first; after client-first the client's and ours.
  ChannelBinding binding_;
  std::string gs2_header_;
  std::string auth_message_;  // client-first-bare, then server-first; a comma after each.
  bool doomed_ = false;
  bool plus_ = false;
  State state_ = State::kStart;
};

}  // namespace fairlead::auth
