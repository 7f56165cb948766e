// What a client can make a session remember behind a statement that runs (F20).
#include <gtest/gtest.h>

#include "core/messages_testing.h"
#include "core/session_fixture.h"

namespace fairlead::core {
namespace {

/// The beginning of a segment whose statement runs for long.
std::string long_running() { return executing("SELECT pg_sleep(1000000)") + flush(); }

/// Messages that no server is needed for.
std::string closes(size_t count) {
  std::string out;
  while (count-- > 0) wire::append_close(out, wire::NameKind::kStatement, "");
  return out;
}

TEST(SessionRoom, ClosesBehindAStatementThatRunsAreNotRememberedWithoutEnd) {  // F20
  ScriptedSession world(10'000);
  world.client(long_running());
  std::string early;
  wire::append_parse_complete(early);
  wire::append_bind_complete(early);
  world.server(early);
  world.take_seen();
  world.take_sent();

  constexpr size_t kCloses = 3 * ResponseQueue::kSizeMax;
  EXPECT_EQ(world.client(closes(kCloses) + sync()), Pause::kTurn);
  const size_t unused = world.unused();
  EXPECT_GT(unused, closes(ResponseQueue::kSizeMax).size());
  EXPECT_EQ(types_of(world.take_sent()), "H") << "the server may hold its answer back";
  EXPECT_EQ(world.client(""), Pause::kTurn);
  EXPECT_EQ(world.unused(), unused);
  EXPECT_EQ(world.take_sent(), "") << "one Flush is enough";

  const uint32_t wakes = world.wakes;
  std::string done;
  wire::append_command_complete(done, "SELECT 1");
  world.server(done);
  EXPECT_GT(world.wakes, wakes);
  EXPECT_EQ(world.client(""), Pause::kInput);
  EXPECT_EQ(world.unused(), 0u);
  done.clear();
  wire::append_ready_for_query(done, wire::TxStatus::kIdle);
  world.server(done);
  EXPECT_EQ(types_of(world.take_seen()), "C" + std::string(kCloses, '3') + "Z");
  EXPECT_EQ(world.session().state().statements.unconfirmed(), 0u);
}

TEST(SessionRoom, ASegmentThatIsLongerThanThatIsCarriedOut) {  // F20, F23
  ScriptedSession world(10'000);
  std::string request;
  constexpr size_t kExecutes = 2 * ResponseQueue::kSizeMax;
  wire::append_parse(request, "", "SELECT 1");
  wire::append_bind(request, "p", "");
  for (size_t i = 0; i < kExecutes; ++i) wire::append_execute(request, "p");
  wire::append_sync(request);
  Pause pause = world.client(request);
  size_t completed = 0;
  for (int rounds = 0; rounds < 10 && pause == Pause::kTurn; ++rounds) {
    std::string out;
    for (const char type : types_of(world.take_sent())) {
      if (type == 'P') wire::append_parse_complete(out);
      if (type == 'B') wire::append_bind_complete(out);
      if (type == 'E') wire::append_command_complete(out, "SELECT 0"), ++completed;
    }
    world.server(out);
    pause = world.client("");
  }
  EXPECT_EQ(pause, Pause::kInput);
  EXPECT_GT(completed, kExecutes / 2);
}

}  // namespace
}  // namespace fairlead::core
