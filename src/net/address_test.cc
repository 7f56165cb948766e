#include "net/address.h"

#include <gtest/gtest.h>

namespace fairlead::net {
namespace {

TEST(Address, IsReadInEachFormThatTheLookUpOfNamesTakes) {
  EXPECT_EQ(Address::parse("127.0.0.1")->host(), "127.0.0.1");
  EXPECT_EQ(Address::parse("127.1")->host(), "127.0.0.1");
  EXPECT_EQ(Address::parse("::1")->host(), "::1");
  EXPECT_EQ(Address::parse("2001:db8:0::7")->host(), "2001:db8::7");
  EXPECT_FALSE(Address::parse("localhost"));
  EXPECT_FALSE(Address::parse(""));
  EXPECT_FALSE(Address::parse("127.0.0.1:5432"));
}

TEST(Address, HasAPortInBothFamilies) {
  for (const char* text : {"127.0.0.1", "::1"}) {
    Address address = *Address::parse(text);
    EXPECT_EQ(address.port(), 0);
    address.set_port(5432);
    EXPECT_EQ(address.port(), 5432);
    EXPECT_EQ(address.host(), text);
    EXPECT_FALSE(address == *Address::parse(text));
  }
}

TEST(Address, OfWhatIsNoSocketThereIsNone) {
  EXPECT_FALSE(Address::local(-1));
  EXPECT_FALSE(Address::peer(-1));
}

}  // namespace
}  // namespace fairlead::net
