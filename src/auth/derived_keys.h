// The keys with which a plain password logs in to servers that ask for SCRAM: derived at the first
// login, and kept for the next ones.
//
// PBKDF2 is meant to be slow: milliseconds of the worker's time, for each of the hundred servers
// that a pool opens behind a failover. All nodes of a cluster have the same verifier of a user, so
// that one derivation does for all of them. Only the last is kept: whatever salts servers send,
// nothing grows.
//
// Not for several threads: each worker has its own.
#pragma once

#include <cstdint>
#include <string>

#include "auth/crypto.h"
#include "auth/scram_verifier.h"

namespace fairlead::auth {

class DerivedKeys {
 public:
  /// Derived anew where password, salt or iterations are not those of last time. The caller has
  /// bounded the iterations. Valid until the next call.
  const ScramLoginKeys& find_or_derive(const SecretText& password, std::string salt,
                                       uint32_t iterations);

  /// How often PBKDF2 has run.
  uint64_t derived_total() const { return derived_total_; }

 private:
  SecretText password_;
  ScramLoginKeys keys_;  // Zero iterations: none yet.
  uint64_t derived_total_ = 0;
};

}  // namespace fairlead::auth
