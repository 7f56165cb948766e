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
  std::string body;
  CancelKey(kAddress, 0, random_bytes()).append_body(body);
  EXPECT_EQ(body.size(), 8u);
}

TEST(CancelKey, WhatTheClientWasGivenMatches) {  // F40
  for (uint32_t minor : {0u, 2u}) {
    CancelKey key(kAddress, minor, random_bytes());
    std::string body;
    key.append_body(body);
    auto claim = CancelClaim::decode(body);
    ASSERT_TRUE(claim);
    EXPECT_EQ(from_process_id(claim->process_id), kAddress);
    EXPECT_TRUE(key.matches(*claim));
  }
}

TEST(CancelKey, EveryFlippedBitFails) {
  for (uint32_t minor : {0u, 2u}) {
    CancelKey key(kAddress, minor, random_bytes());
    std::string body;
    key.append_body(body);
    for (size_t bit = 0; bit < body.size() * 8; ++bit) {
      std::string forged = body;
      forged[bit / 8] = static_cast<char>(forged[bit / 8] ^ (1 << bit % 8));
      EXPECT_FALSE(key.matches(*CancelClaim::decode(forged))) << bit;
    }
  }
}

TEST(CancelKey, ASecretOfAnotherLengthFails) {
  CancelKey key(kAddress, 2, random_bytes());
  std::string body;
  key.append_body(body);
  EXPECT_FALSE(key.matches(*CancelClaim::decode(body + "x")));
  EXPECT_FALSE(key.matches(*CancelClaim::decode(body.substr(0, 8))));
  EXPECT_FALSE(CancelKey().matches(*CancelClaim::decode(std::string(8, '\0'))));
}

TEST(CancelClaim, EveryTruncationAndEveryOverlongSecretIsAnError) {
  for (size_t size = 0; size < 300; ++size)
    EXPECT_EQ(CancelClaim::decode(std::string(size, 'x')).has_value(), size >= 8 && size <= 260)
        << size;
}

}  // namespace
}  // namespace fairlead::core
