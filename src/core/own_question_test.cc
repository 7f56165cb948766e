#include "core/own_question.h"

#include <gtest/gtest.h>

#include "core/messages_testing.h"
#include "core/session_fixture.h"
#include "wire/message_type.h"

namespace fairlead::core {
namespace {

using Kind = wire::Piece::Kind;

std::string notice_of(size_t size) {
  std::string out;
  wire::append_notice(out, wire::Severity::kNotice, std::string(size, 'x'), "");
  return out;
}

/// What check_query() is answered with: nothing is held but the channel.
std::string listens() {
  const std::vector<std::optional<std::string_view>> row{"t", "f", "f", "f", "f", std::nullopt};
  std::string out;
  wire::append_text_data_row(out, row);
  wire::append_command_complete(out, "SELECT 1");
  wire::append_ready_for_query(out, wire::TxStatus::kIdle);
  return out;
}

TEST(OwnQuestion, TheRestOfAMessageThatBeganBeforeItIsNotItsAnswer) {  // F26, F32
  OwnQuestion question(OwnQuestion::Kind::kDiscardAll);
  question.take({.kind = Kind::kMiddle, .type = wire::backend::kErrorResponse, .bytes = "abc"});
  question.take({.kind = Kind::kLast, .type = wire::backend::kErrorResponse, .bytes = "d"});
  EXPECT_FALSE(question.failed());

  std::string error;
  wire::append_error(error, wire::Severity::kError, Error{ErrorCode::kInternal, "no"});
  const std::string_view bytes = error;
  question.take(
      {.kind = Kind::kFirst, .type = wire::backend::kErrorResponse, .bytes = bytes.substr(0, 9)});
  question.take(
      {.kind = Kind::kLast, .type = wire::backend::kErrorResponse, .bytes = bytes.substr(9)});
  EXPECT_TRUE(question.failed());
}

TEST(OwnQuestion, ANotificationThatComesInPiecesToAClientThatHasLeftIsDropped) {  // C25, F26
  ScriptedSession world;
  world.client(query("LISTEN a"));
  world.server_completes("LISTEN", wire::TxStatus::kIdle);
  world.server(listens());
  ASSERT_TRUE(world.session().has_server()) << "it listens";
  world.take_seen();
  world.session().on_client_gone();

  const std::string notification("A\0\0\0\x10\0\0\0\1a\0hello\0", 17);
  for (const size_t cut : {size_t{5}, size_t{9}, size_t{13}, size_t{16}}) {
    world.server(std::string_view(notification).substr(0, cut));
    world.server(std::string_view(notification).substr(cut));
  }
  EXPECT_EQ(world.take_seen(), "");
  world.server_completes("DISCARD ALL", wire::TxStatus::kIdle);
  EXPECT_FALSE(world.session().has_server());
}

TEST(OwnQuestion, NothingOfOursComesAmidAMessageToAClientThatWaits) {  // F26, F32
  ScriptedSession world;
  world.client(query("LISTEN a"));
  world.server_completes("LISTEN", wire::TxStatus::kIdle);
  world.server(listens());
  world.take_seen();

  const std::string notice = notice_of(size_t{1} << 20);
  world.server(std::string_view(notice).substr(0, 100'000));
  EXPECT_EQ(world.client(query("SHOW fairlead.version")), Pause::kTurn);
  const uint32_t wakes = world.wakes;
  world.server(std::string_view(notice).substr(100'000));
  EXPECT_EQ(world.wakes, wakes + 1);
  EXPECT_EQ(world.client(""), Pause::kInput);
  EXPECT_EQ(types_of(world.take_seen()), "NTDCZ");
}

TEST(OwnQuestion, TheRestOfAMessageThatBeganBeforeTheLeaseIsNotTheClients) {  // F26
  ScriptedSession world;
  const std::string notice = notice_of(size_t{1} << 20);
  world.server(std::string_view(notice).substr(0, 100'000));
  world.client(query("SELECT 1"));
  world.server(std::string_view(notice).substr(100'000));
  world.server_completes("SELECT 1", wire::TxStatus::kIdle);
  EXPECT_EQ(types_of(world.take_seen()), "CZ");
}

}  // namespace
}  // namespace fairlead::core
