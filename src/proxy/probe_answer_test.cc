#include "proxy/probe_answer.h"

#include <gtest/gtest.h>

namespace fairlead::proxy {
namespace {

constexpr NodeIdentity kIdentity{.system_identifier = 7,
                                 .wal_page_size = 8192,
                                 .wal_segment_size = 16 << 20,
                                 .server_version = 150020,
                                 .postmaster_started_us = 1'795'469'453'407'158,
                                 .sees_receiver = true};

Lsn lsn(const char* text) { return Lsn::parse(text).value(); }

TEST(ReadIdentity, ReadsWhatTheServerSays) {
  const std::vector<Row> rows{
      {"7711482577408329754", "8192", "16777216", "150020", "1795469453407158", "t"}};
  const auto identity = read_identity(rows);
  ASSERT_TRUE(identity.has_value()) << describe(identity.error());
  EXPECT_EQ(identity->system_identifier, 7711482577408329754U);
  EXPECT_EQ(identity->wal_segment_size, 16U << 20);
  EXPECT_EQ(identity->server_version, 150020U);
  EXPECT_TRUE(identity->sees_receiver);
}

TEST(ReadIdentity, AnIdentifierAboveTheSignedRangeIsThatIdentifier) {
  const std::vector<Row> rows{{"-2", "8192", "16777216", "150020", "1", "f"}};
  EXPECT_EQ(read_identity(rows)->system_identifier, 0xFFFF'FFFF'FFFF'FFFEU);
}

TEST(ReadIdentity, AnythingElseIsAnError) {
  const Row good{"1", "8192", "16777216", "150020", "1", "t"};
  EXPECT_FALSE(read_identity({}).has_value());
  EXPECT_FALSE(read_identity(std::vector<Row>{good, good}).has_value());
  for (size_t i = 0; i < good.size(); ++i) {
    for (const std::optional<std::string>& bad :
         {std::optional<std::string>{}, std::optional<std::string>{""},
          std::optional<std::string>{"x"}, std::optional<std::string>{"1x"}}) {
      Row row = good;
      row[i] = bad;
      EXPECT_FALSE(read_identity(std::vector<Row>{row}).has_value()) << i;
    }
    EXPECT_FALSE(read_identity(std::vector<Row>{Row(good.begin(), good.begin() + i)}).has_value());
  }
  Row longer = good;
  longer.emplace_back("t");
  EXPECT_FALSE(read_identity(std::vector<Row>{longer}).has_value());
  EXPECT_FALSE(
      read_identity(std::vector<Row>{{"1", "0", "16777216", "150020", "1", "t"}}).has_value());
}

TEST(ReadObservation, APrimaryHasItsTimelineInHexadecimalAndNoReplayPosition) {
  const std::vector<Row> rows{{"f", "0/30405C8", "0/30405F0", "0000001A", "f", std::nullopt}};
  const auto seen = read_observation(rows, kIdentity);
  ASSERT_TRUE(seen.has_value());
  EXPECT_FALSE(seen->in_recovery);
  EXPECT_EQ(seen->timeline, 26U);
  EXPECT_EQ(seen->flush_lsn, lsn("0/30405C8"));
  EXPECT_EQ(seen->insert_lsn, lsn("0/30405F0"));
  EXPECT_EQ(seen->replay_lsn, Lsn{});
  EXPECT_EQ(seen->system_identifier, 7U);
  EXPECT_EQ(seen->postmaster_started_us, kIdentity.postmaster_started_us);
}

TEST(ReadObservation, AReplicaThatNeverStreamedHasNoReceivePosition) {
  const std::vector<Row> rows{{"t", std::nullopt, "0/3000000", "10", "f", std::nullopt}};
  const auto seen = read_observation(rows, kIdentity);
  ASSERT_TRUE(seen.has_value());
  EXPECT_TRUE(seen->in_recovery);
  EXPECT_EQ(seen->timeline, 10U);
  EXPECT_EQ(seen->receive_lsn, Lsn{});
  EXPECT_EQ(seen->replay_lsn, lsn("0/3000000"));
}

TEST(ReadObservation, OnlyAPrimaryHoldsWrites) {
  // The replica's copy of the configuration came from the primary.
  const auto replica = read_observation(
      std::vector<Row>{{"t", "0/3000000", "0/3000000", "10", "t", std::nullopt}}, kIdentity);
  const auto primary = read_observation(
      std::vector<Row>{{"f", "0/3000000", "0/3000000", "0000000A", "t", "0/2FFFF00"}}, kIdentity);
  EXPECT_FALSE(replica->holds_writes);
  EXPECT_TRUE(primary->holds_writes);
  EXPECT_EQ(primary->promoted_at, lsn("0/2FFFF00"));
}

TEST(ReadObservation, WhatAPrimaryMustKnowMayNotBeNull) {
  EXPECT_FALSE(read_observation(
                   std::vector<Row>{{"f", std::nullopt, "0/1", "1", "f", std::nullopt}}, kIdentity)
                   .has_value());
  EXPECT_FALSE(
      read_observation(std::vector<Row>{{"f", "0/1", "0/1", std::nullopt, "f", std::nullopt}},
                       kIdentity)
          .has_value());
  EXPECT_FALSE(
      read_observation(std::vector<Row>{{"t", "0/1", "0/1", std::nullopt, "f", std::nullopt}},
                       kIdentity)
          .has_value());
  EXPECT_FALSE(read_observation({}, kIdentity).has_value());
}

TEST(MicrosecondsOf, ReadsWhatExtractSaysAndNothingElse) {
  EXPECT_EQ(microseconds_of("1795769693.552321"), 1'795'769'693'552'321);
  EXPECT_EQ(microseconds_of("1795769693.000000"), 1'795'769'693'000'000);
  for (const char* bad : {"", ".", "1795769693", "1795769693.5", "1795769693.5523210", "x.552321",
                          "1795769693.55232x", "99999999999999999999.000000"})
    EXPECT_EQ(microseconds_of(bad), std::nullopt) << bad;
}

TEST(Reachable, APositionBehindAPageHeaderIsThePagesStart) {
  // D5: after pg_switch_wal() the insert position was 0/4000028 and flush and replay 0/4000000.
  EXPECT_EQ(reachable(lsn("0/4000028"), lsn("0/4000000"), kIdentity), lsn("0/4000000"));
  EXPECT_EQ(reachable(lsn("0/4002018"), lsn("0/4001000"), kIdentity), lsn("0/4002000"));
}

TEST(Reachable, EveryOtherPositionStaysAsItIs) {
  EXPECT_EQ(reachable(lsn("0/4002028"), lsn("0/4001000"), kIdentity), lsn("0/4002028"));
  EXPECT_EQ(reachable(lsn("0/4000018"), lsn("0/4000018"), kIdentity), lsn("0/4000018"));
  EXPECT_EQ(reachable(lsn("0/4002000"), lsn("0/4001000"), kIdentity), lsn("0/4002000"));
}

}  // namespace
}  // namespace fairlead::proxy
