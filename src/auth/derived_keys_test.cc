#include "auth/derived_keys.h"

#include <gtest/gtest.h>

namespace fairlead::auth {
namespace {

const SecretText kPencil{"pencil"};

TEST(DerivedKeys, AreThoseOfThePasswordTheSaltAndTheIterations) {
  DerivedKeys derived;
  EXPECT_EQ(derived.find_or_derive(kPencil, "salt", 2),
            ScramLoginKeys::derive("pencil", "salt", 2));
}

TEST(DerivedKeys, AreDerivedOnce) {
  DerivedKeys derived;
  for (int i = 0; i < 3; ++i) derived.find_or_derive(kPencil, "salt", 2);
  EXPECT_EQ(derived.derived_total(), 1u);
}

TEST(DerivedKeys, AreDerivedAnewWhereAnyOfThemIsAnotherOne) {
  DerivedKeys derived;
  derived.find_or_derive(kPencil, "salt", 2);
  EXPECT_EQ(derived.find_or_derive(SecretText("pen"), "salt", 2),
            ScramLoginKeys::derive("pen", "salt", 2));
  EXPECT_EQ(derived.find_or_derive(SecretText("pen"), "sugar", 2),
            ScramLoginKeys::derive("pen", "sugar", 2));
  EXPECT_EQ(derived.find_or_derive(SecretText("pen"), "sugar", 3),
            ScramLoginKeys::derive("pen", "sugar", 3));
  EXPECT_EQ(derived.derived_total(), 4u);
}

}  // namespace
}  // namespace fairlead::auth
