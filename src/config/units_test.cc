#include "config/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::config {
namespace {

using testing::HasSubstr;
using namespace std::chrono_literals;

TEST(Duration, IsReadInEveryUnit) {
  EXPECT_EQ(parse_duration("250us"), Duration(250us));
  EXPECT_EQ(parse_duration("100ms"), Duration(100ms));
  EXPECT_EQ(parse_duration("5s"), Duration(5s));
  EXPECT_EQ(parse_duration("10min"), Duration(10min));
  EXPECT_EQ(parse_duration("10m"), Duration(10min));
  EXPECT_EQ(parse_duration("1h"), Duration(1h));
  EXPECT_EQ(parse_duration("7d"), Duration(168h));
  EXPECT_EQ(parse_duration("0s"), Duration(0));
}

TEST(Duration, WithoutAUnitIsAnErrorThatSaysSo) {
  const auto duration = parse_duration("5");
  ASSERT_FALSE(duration);
  EXPECT_THAT(duration.error().message, HasSubstr("the unit is missing"));
  EXPECT_THAT(duration.error().hint, HasSubstr("us, ms, s, min, h or d"));
}

TEST(Duration, RefusesWhatItWouldHaveToGuess) {
  for (const auto* text :
       {"", "s", "5 s", " 5s", "5s ", "1.5s", "-5s", "+5s", "1h30min", "5S", "5sec", "0x5s",
        "9223372036854775807d", "36601d", "99999999999999999999s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  EXPECT_TRUE(parse_duration("36600d"));
}

TEST(Duration, IsPrintedInTheLargestUnitThatDividesIt) {
  EXPECT_EQ(to_string(Duration(0)), "0s");
  EXPECT_EQ(to_string(Duration(1500us)), "1500us");
  EXPECT_EQ(to_string(Duration(90s)), "90s");
  EXPECT_EQ(to_string(Duration(600s)), "10min");
  EXPECT_EQ(to_string(Duration(48h)), "2d");
}

TEST(Duration, IsReadBackAsItWasPrinted) {
  for (int64_t us = 1; us < 40'000'000'000'000; us = us * 7 + 3) {
    EXPECT_EQ(parse_duration(to_string(Duration(us))), Duration(us));
  }
}

TEST(Size, IsReadInPowersOf1024) {
  EXPECT_EQ(Bytes::parse("0B"), Bytes{0});
  EXPECT_EQ(Bytes::parse("512B"), Bytes{512});
  EXPECT_EQ(Bytes::parse("64KiB"), Bytes{65536});
  EXPECT_EQ(Bytes::parse("64MiB"), Bytes{67108864});
  EXPECT_EQ(Bytes::parse("2GiB"), Bytes{2147483648});
}

TEST(Size, RefusesUnitsThatMeanTwoThings) {
  for (const auto* text :
       {"64MB", "64kB", "64M", "64", "64mib", "1.5MiB", "-1B", "", "9999999999GiB"}) {
    EXPECT_FALSE(Bytes::parse(text)) << text;
  }
}

TEST(Size, IsReadBackAsItWasPrinted) {
  for (uint64_t count = 1; count < (uint64_t{1} << 60); count = count * 6 + 2) {
    EXPECT_EQ(Bytes::parse(Bytes{count}.to_string()), Bytes{count});
  }
}

TEST(NodeAddress, IsHostAndPort) {
  EXPECT_EQ(NodeAddress::parse("db1:6000"), (NodeAddress{"db1", 6000}));
  EXPECT_EQ(NodeAddress::parse("10.0.0.1:5433"), (NodeAddress{"10.0.0.1", 5433}));
  EXPECT_EQ(NodeAddress::parse("a-b_c.example.com"), (NodeAddress{"a-b_c.example.com", 5432}));
}

TEST(NodeAddress, HoldsAnIpv6AddressWithoutItsBrackets) {
  EXPECT_EQ(NodeAddress::parse("[::1]:5433"), (NodeAddress{"::1", 5433}));
  EXPECT_EQ(NodeAddress::parse("[fe80::1%eth0]"), (NodeAddress{"fe80::1%eth0", 5432}));
  EXPECT_EQ((NodeAddress{"::1", 5433}.to_string()), "[::1]:5433");
}

TEST(NodeAddress, IsReadBackAsItWasPrinted) {
  for (const auto* text : {"db1:1", "10.0.0.1:65535", "[::1]:5432"}) {
    ASSERT_TRUE(NodeAddress::parse(text)) << text;
    EXPECT_EQ(NodeAddress::parse(text)->to_string(), text);
  }
}

TEST(Loopback, IsThisMachineAndNoNameThatLooksLikeIt) {
  for (const std::string_view host : {"localhost", "127.0.0.1", "127.8.9.10", "::1"})
    EXPECT_TRUE(is_loopback(host)) << host;
  for (const std::string_view host :
       {"", "127.example.com", "10.0.0.1", "localhost.example.com", "::2", "0.0.0.0"})
    EXPECT_FALSE(is_loopback(host)) << host;
}

TEST(NodeAddress, RefusesWhatIsNone) {
  for (const auto* text : {"",
                           ":5432",
                           "db1:",
                           "db1:0",
                           "db1:65536",
                           "db1:-1",
                           "db1:5432x",
                           "::1",
                           "::1:5432",
                           "[::1",
                           "[::1]5432",
                           "[::1]:",
                           "[]:5432",
                           "[db1]:5432",
                           "db 1:5432",
                           "db1\n:5432",
                           "db1;drop:5432",
                           "/var/run/postgresql",
                           "a%eth0:5432",
                           "db1:54:32"}) {
    EXPECT_FALSE(NodeAddress::parse(text)) << text;
  }
}

}  // namespace
}  // namespace fairlead::config
