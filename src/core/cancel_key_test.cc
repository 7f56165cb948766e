#include "core/cancel_key.h"

#include <gtest/gtest.h>

#include <set>

namespace fairlead::core {
namespace {

constexpr SessionAddress kAddress{WorkerId{3}, SessionSlot{77}};

std::array<std::byte, 32> random_bytes() {
  std::array<std::byte, 32> bytes;
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 + 1);
  return bytes;
}

TEST(CancelKey, AProcessIdLeadsBackToItsSession) {
  for (uint32_t worker : {0u, 1u, 63u})
    for (uint32_t slot : {0u, 1u, 12345u, kSessionSlotsMax - 1}) {
      SessionAddress address{WorkerId{static_cast<uint16_t>(worker)}, SessionSlot{slot}};
      uint32_t process_id = to_process_id(address);
      EXPECT_GT(process_id, 0u);
      EXPECT_LE(process_id, 0x7fffffffu) << "drivers read it as a signed number";
      EXPECT_EQ(from_process_id(process_id), address);
    }
}

TEST(CancelKey, NumbersThatAreNoSessionAreRefused) {
  EXPECT_EQ(from_process_id(0), std::nullopt);
  EXPECT_EQ(from_process_id(1u << 25), std::nullopt);
  EXPECT_EQ(from_process_id(0x80000001), std::nullopt);
  EXPECT_EQ(from_process_id(0xffffffff), std::nullopt);
}

TEST(CancelKey, TheSecretHasFourBytesBeforeProtocol32AndThirtyTwoFromThenOn) {  // F2
  EXPECT_EQ(CancelKey(kAddress, 0, random_bytes()).secret().size(), 4u);
  EXPECT_EQ(CancelKey(kAddress, 2, random_bytes()).secret().size(), 32u);
}

TEST(CancelKey, WhatTheClientWasGivenMatches) {  // F40
  for (uint32_t minor : {0u, 2u}) {
    CancelKey key(kAddress, minor, random_bytes());
    EXPECT_EQ(from_process_id(key.process_id()), kAddress);
    EXPECT_TRUE(key.matches({key.process_id(), key.secret()}));
  }
}

TEST(CancelKey, EveryFlippedBitFails) {
  for (uint32_t minor : {0u, 2u}) {
    CancelKey key(kAddress, minor, random_bytes());
    for (uint32_t bit = 0; bit < 32; ++bit)
      EXPECT_FALSE(key.matches({key.process_id() ^ (1u << bit), key.secret()})) << bit;
    for (size_t bit = 0; bit < key.secret().size() * 8; ++bit) {
      std::string forged(key.secret());
      forged[bit / 8] = static_cast<char>(forged[bit / 8] ^ (1 << bit % 8));
      EXPECT_FALSE(key.matches({key.process_id(), forged})) << bit;
    }
  }
}

TEST(CancelKey, ASecretOfAnotherLengthFails) {
  CancelKey key(kAddress, 2, random_bytes());
  EXPECT_FALSE(key.matches({key.process_id(), std::string(key.secret()) + "x"}));
  EXPECT_FALSE(key.matches({key.process_id(), key.secret().substr(0, 4)}));
  EXPECT_FALSE(key.matches({key.process_id(), ""}));
  EXPECT_FALSE(CancelKey().matches({0, ""}));
  EXPECT_FALSE(CancelKey().matches({0, std::string(4, '\0')}));
}

}  // namespace
}  // namespace fairlead::core
