#include "core/pins.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <string_view>

namespace fairlead::core {
namespace {

TEST(PinReasons, HaveOneNameAndOneSentenceEach) {
  std::set<std::string_view> names;
  for (uint8_t i = 0; i < kPinReasonCount; ++i) {
    names.insert(name_of(static_cast<PinReason>(i)));
    EXPECT_GT(sentence_of(static_cast<PinReason>(i)).size(), 20u);
  }
  EXPECT_EQ(names.size(), kPinReasonCount);
  EXPECT_EQ(to_string({PinReason::kTempObject, PinReason::kListen}), "listen, temp_object");
  EXPECT_EQ(to_string(PinReasons{}), "");
}

TEST(PinState, ReusesTheServerWhenNothingHappened) {
  EXPECT_EQ(PinState().at_boundary(), ReleaseAction::kReuse);
}

TEST(PinState, ChecksAfterAStatementThatMayPinAndKeepsOnlyWhatIsThere) {
  PinState pins;
  pins.may_create({PinReason::kTempObject, PinReason::kAdvisoryLock});
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kCheck);
  EXPECT_EQ(pins.suspects(), (PinReasons{PinReason::kTempObject, PinReason::kAdvisoryLock}));
  pins.on_check({PinReason::kAdvisoryLock});
  EXPECT_EQ(pins.reasons(), PinReasons{PinReason::kAdvisoryLock});
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kKeep);
}

TEST(PinState, DoesNotPinForALockThatWasNotTaken) {
  PinState pins;
  pins.may_create({PinReason::kAdvisoryLock});
  pins.on_check({});
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kReuse);
  EXPECT_TRUE(pins.reasons().empty());
}

TEST(PinState, EndsThePinWhenItsCauseEnds) {
  PinState pins;
  pins.may_create({PinReason::kListen});
  pins.on_check({PinReason::kListen});
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kKeep);
  pins.may_release({PinReason::kListen});
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kCheck);
  pins.on_check({PinReason::kListen});  // UNLISTEN of another channel.
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kKeep);
  pins.may_release({PinReason::kListen});
  pins.on_check({});
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kReuse);
}

TEST(PinState, DoesNotCheckWhileItIsPinnedForCertain) {
  PinState pins;
  pins.may_create({PinReason::kListen});
  pins.on_check({PinReason::kListen});
  pins.may_create({PinReason::kTempObject});
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kKeep);
  pins.may_release({PinReason::kListen});
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kCheck);
  EXPECT_EQ(pins.suspects(), (PinReasons{PinReason::kListen, PinReason::kTempObject}));
  pins.on_check({PinReason::kTempObject});
  EXPECT_EQ(to_string(pins.reasons()), "temp_object");
}

TEST(PinState, AnswersOnlyWhatWasAsked) {
  PinState pins;
  pins.may_create({PinReason::kListen});
  pins.on_check(kVerifiablePins);
  EXPECT_EQ(pins.reasons(), PinReasons{PinReason::kListen});
}

// C4.
TEST(PinState, ChecksAndThenCleansAfterUnseenSideEffects) {
  PinState pins;
  pins.on_opaque();
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kCheck);
  EXPECT_EQ(pins.suspects(), kVerifiablePins);
  pins.on_check({});
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kReset);
  pins.on_server_left();
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kReuse);
}

TEST(PinState, KeepsAServerThatIsDirtyAndPinnedAndCleansItLater) {
  PinState pins;
  pins.on_opaque();
  pins.on_check({PinReason::kTempObject});
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kKeep);
  pins.may_release({PinReason::kTempObject});
  pins.on_check({});
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kReset);
}

TEST(PinState, HoldsWhatTheServerCannotBeAskedAboutUntilToldOtherwise) {
  PinState pins;
  pins.pin(PinReason::kSequence);
  pins.may_release({PinReason::kSequence});
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kKeep);
  pins.on_opaque();
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kKeep);
  pins.unpin(PinReason::kSequence);
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kCheck);
}

TEST(PinState, LosesEverythingButALibraryWithDiscardAll) {
  PinState pins;
  pins.on_opaque();
  pins.on_check({PinReason::kListen});
  pins.pin(PinReason::kSessionState);
  pins.pin(PinReason::kLibrary);
  pins.on_discard_all();
  EXPECT_EQ(to_string(pins.reasons()), "library");
  EXPECT_FALSE(pins.dirty());
  pins.on_server_left();
  EXPECT_TRUE(pins.reasons().empty());
}

TEST(PinState, ChecksWhatStandsBehindADiscardAll) {  // C16
  PinState pins;
  pins.may_create({PinReason::kTempObject});
  pins.on_check({PinReason::kTempObject});
  pins.may_create({PinReason::kListen});  // Sent behind it.
  pins.on_discard_all_amid();
  EXPECT_TRUE(pins.reasons().empty());
  EXPECT_EQ(pins.suspects(), PinReasons{PinReason::kListen});
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kCheck);
}

TEST(PinState, KeepsSessionPoolingAcrossServers) {
  PinState pins;
  pins.pin(PinReason::kSessionPooling);
  pins.on_discard_all();
  pins.on_server_left();
  EXPECT_EQ(pins.at_boundary(), ReleaseAction::kKeep);
}

TEST(CheckQuery, AsksOnlyForTheSuspects) {
  EXPECT_EQ(check_query({}), "SELECT false,false,false,false,false,NULL");
  const std::string one = check_query({PinReason::kListen});
  EXPECT_NE(one.find("pg_listening_channels"), std::string::npos);
  EXPECT_EQ(one.find("pg_locks"), std::string::npos);
}

TEST(CheckQuery, CountsStatementsWhereSomeMayHaveBeenDropped) {  // C12e
  EXPECT_NE(check_query({PinReason::kSqlPrepare}).find("count(*)"), std::string::npos);
  EXPECT_EQ(check_query({PinReason::kListen}).find("count(*)"), std::string::npos);
}

TEST(ParseCheckRow, ReadsEveryColumnAndRefusesEverythingElse) {
  using Row = std::array<std::string_view, 6>;
  const auto found = [](PinReasons reasons) {
    return PinCheck{.found = reasons, .statements = {}};
  };
  EXPECT_EQ(parse_check_row(Row{"f", "f", "f", "f", "f", ""}), found({}));
  EXPECT_EQ(parse_check_row(Row{"t", "t", "t", "t", "t", ""}), found(kVerifiablePins));
  EXPECT_EQ(parse_check_row(Row{"f", "f", "t", "f", "f", ""}), found({PinReason::kAdvisoryLock}));
  EXPECT_EQ(parse_check_row(Row{"f", "f", "f", "f", "f", "17"})->statements, 17u);
  EXPECT_FALSE(parse_check_row(Row{"f", "f", "", "f", "f", ""}));
  EXPECT_FALSE(parse_check_row(Row{"f", "f", "true", "f", "f", ""}));
  EXPECT_FALSE(parse_check_row(Row{"f", "f", "f", "f", "f", "f"}));
  EXPECT_FALSE(parse_check_row(Row{"f", "f", "f", "f", "f", "1 "}));
  const Row row{"f", "f", "f", "f", "f", ""};
  for (size_t count = 0; count < row.size(); ++count)
    EXPECT_FALSE(parse_check_row(std::span(row).first(count))) << count;
  EXPECT_FALSE(parse_check_row(std::array<std::string_view, 7>{"f", "f", "f", "f", "f", "", ""}));
}

}  // namespace
}  // namespace fairlead::core
