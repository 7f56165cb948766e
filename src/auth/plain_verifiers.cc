#include "auth/plain_verifiers.h"

#include <utility>

namespace fairlead::auth {

const ScramVerifier& PlainVerifiers::find_or_derive(std::string_view user,
                                                    const PlainPassword& secret,
                                                    const MockKey& key) {
  std::string salt = mock_salt(key, user);
  const auto known = known_.find(user);
  if (known != known_.end() && known->second.verifier.salt == salt &&
      known->second.secret == secret)
    return known->second.verifier;
  ++derived_total_;
  Known& entry = known_[std::string(user)];
  entry = {.secret = secret,
           .verifier =
               ScramVerifier::derive(secret.text.view(), std::move(salt), kScramIterationsDefault)};
  return entry.verifier;
}

void PlainVerifiers::forget_all_but(const UsersFile& users) {
  std::erase_if(known_, [&](const auto& entry) { return users.find(entry.first) == nullptr; });
}

}  // namespace fairlead::auth
