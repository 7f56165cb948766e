#include "auth/derived_keys.h"

#include <utility>

namespace fairlead::auth {

const ScramLoginKeys& DerivedKeys::find_or_derive(const SecretText& password, std::string salt,
                                                  uint32_t iterations) {
  if (keys_.iterations == iterations && keys_.salt == salt && password_ == password) return keys_;
  ++derived_total_;
  keys_ = ScramLoginKeys::derive(password.view(), std::move(salt), iterations);
  password_ = password;
  return keys_;
}

}  // namespace fairlead::auth
