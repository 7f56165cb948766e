// Verifiers of the plain secrets that SCRAM is asked for: each is derived at the first proof that
// needs it, and kept.
//
// PBKDF2 is meant to be slow. Deriving at each login, a stranger could spend the worker's time with
// every attempt; deriving all at the start, ten thousand users would take half a minute. So the
// cost is bounded by the number of users whose secret is plain, whatever strangers do.
//
// Not for several threads: each worker has its own. Grows with the users that are asked for, who
// are all in users_file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "auth/scram_verifier.h"
#include "auth/secret.h"
#include "auth/users_file.h"

namespace fairlead::auth {

class PlainVerifiers {
 public:
  /// With the salt of a mock exchange (F12) and PostgreSQL's iterations. Derived anew where secret
  /// or key are not those of last time, so that a login which began before a reload leaves nothing
  /// wrong behind. Valid until the next call.
  const ScramVerifier& find_or_derive(std::string_view user, const PlainPassword& secret,
                                      const MockKey& key);

  /// After a reload: drops what is kept of users who are gone.
  void forget_all_but(const UsersFile& users);

  /// How often PBKDF2 has run.
  uint64_t derived_total() const { return derived_total_; }

 private:
  struct Known {
    PlainPassword secret;
    ScramVerifier verifier;
  };

  std::map<std::string, Known, std::less<>> known_;
  uint64_t derived_total_ = 0;
};

}  // namespace fairlead::auth
