// The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS: Fairlead logging in to PostgreSQL,
// with a password or with the keys that a client's own login revealed (F10).
//
// Pure: one object for one attempt; the nonce comes in, printable (print_nonce()). Deals in SASL
// payloads, not in frames.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "auth/derived_keys.h"
#include "auth/scram_message.h"
#include "auth/scram_verifier.h"
#include "base/error.h"

namespace fairlead::auth {

/// libpq's channel_binding: what to do about PLUS.
enum class BindingPolicy : uint8_t { kDisable, kPrefer, kRequire };

class ScramClient {
 public:
  using Credentials = std::variant<SecretText, ScramLoginKeys>;

  struct First {
    std::string mechanism;
    std::string payload;

    bool operator==(const First&) const = default;
  };

  /// `derived`: where the keys of a password are kept; null: nowhere.
  ScramClient(Credentials credentials, std::string nonce, ChannelBinding binding,
              BindingPolicy policy, std::shared_ptr<DerivedKeys> derived = nullptr);

  /// Chooses among what the server offers: PLUS where both sides can. kInvalidAuthorization: the
  /// policy cannot be met. kFeatureNotSupported: no SCRAM-SHA-256 at all.
  Result<First> start(std::span<const std::string_view> offered);
  /// server-first-message in, client-final-message out. With a password this runs PBKDF2 with the
  /// server's iterations, up to kScramIterationsMax, unless the keys are kept. kConfig: the keys
  /// belong to another verifier.
  Result<std::string> on_server_first(std::string_view payload);
  /// Verifies that the server knew the verifier, too. Only then the login counts.
  Result<void> on_server_final(std::string_view payload);

 private:
  enum class State : uint8_t { kStart, kWaitFirst, kWaitFinal, kEnded };
  struct Challenge {
    std::string_view nonce;
    std::string salt;
    uint32_t iterations = 0;
  };

  Result<Challenge> read_challenge(std::string_view payload) const;
  Result<ScramLoginKeys> keys_for(Challenge challenge) const;

  Credentials credentials_;
  std::shared_ptr<DerivedKeys> derived_;
  std::string nonce_;
  ChannelBinding binding_;
  BindingPolicy policy_;
  std::string gs2_header_;
  bool plus_ = false;
  std::string auth_message_;
  ScramKey server_key_;
  State state_ = State::kStart;
};

}  // namespace fairlead::auth
