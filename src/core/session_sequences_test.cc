// currval() and lastval() on a server that others have used (C18): when a session has it forget
// their numbers, and when it does not, because nobody asks.
#include <gtest/gtest.h>

#include "core/foreign_sequences.h"
#include "core/session_fixture.h"

namespace fairlead::core {
namespace {

using wire::TxStatus;

constexpr std::string_view kInsert = "INSERT INTO t DEFAULT VALUES";
constexpr std::string_view kLast = "SELECT lastval()";

/// The texts of the Queries in `sent`, in order.
std::vector<std::string> queries_in(std::string_view sent) {
  std::vector<std::string> texts;
  while (sent.size() > wire::kFrameHeaderSize) {
    const size_t size = 1 + load_u32(sent.data() + 1);
    if (sent.front() == 'Q')
      texts.emplace_back(sent.substr(wire::kFrameHeaderSize, size - wire::kFrameHeaderSize - 1));
    sent.remove_prefix(size);
  }
  return texts;
}

using Texts = std::vector<std::string>;
const std::string kDiscard(kDiscardSequences);
const std::string kAsk(kAskForSequenceLocks);

class SessionSequences : public testing::Test {
 protected:
  SessionSequences() { world.primary().sequences_used = true; }

  Texts sent() { return queries_in(world.take_sent()); }
  void completes(std::string_view tag, TxStatus status) { world.server_completes(tag, status); }
  void answers(std::string_view value, TxStatus status) {
    std::string out;
    wire::append_text_data_row(out, std::vector{std::optional(value)});
    wire::append_command_complete(out, "SELECT 1");
    wire::append_ready_for_query(out, status);
    world.server(out);
  }
  /// BEGIN and its first statement, of which the server is told without any ado.
  void begin_with(std::string_view statement, std::string_view tag) {
    world.query("BEGIN");
    world.query(statement);
    EXPECT_EQ(sent(), Texts{"BEGIN"});
    completes("BEGIN", TxStatus::kInTransaction);
    world.client("");
    EXPECT_EQ(sent(), Texts{std::string(statement)});
    completes(tag, TxStatus::kInTransaction);
    world.take_seen();
  }

  ScriptedSession world;
};

TEST_F(SessionSequences, WhoNeverAsksSendsNothingMore) {  // C18
  world.query(kInsert);
  EXPECT_EQ(sent(), Texts{std::string(kInsert)});
  completes("INSERT 0 1", TxStatus::kIdle);
  begin_with(kInsert, "INSERT 0 1");
  world.query("COMMIT");
  EXPECT_EQ(sent(), Texts{"COMMIT"});
}

TEST_F(SessionSequences, WhoAsksAtOnceFindsNothingOfOthers) {  // C18
  const std::string both = std::string(kInsert) + ";" + std::string(kLast);
  world.query(both);
  EXPECT_EQ(sent(), Texts{kDiscard});
  completes(kDiscard, TxStatus::kIdle);
  EXPECT_EQ(world.take_seen(), "");
  world.client("");
  EXPECT_EQ(sent(), Texts{both});
  EXPECT_TRUE(world.primary().sequences_used) << "by this client";
}

TEST_F(SessionSequences, AServerThatNobodyHasUsedForgetsNothing) {  // C18
  world.primary().sequences_used = false;
  const std::string both = std::string(kInsert) + ";" + std::string(kLast);
  world.query(both);
  EXPECT_EQ(sent(), Texts{both});
}

TEST_F(SessionSequences, TheFirstQuestionEverAmidATransactionLeavesItItsNumbers) {  // C18
  begin_with(kInsert, "INSERT 0 1");
  world.query(kLast);
  EXPECT_EQ(sent(), Texts{kAsk});
  answers("t", TxStatus::kInTransaction);
  EXPECT_EQ(world.take_seen(), "");
  world.client("");
  EXPECT_EQ(sent(), Texts{std::string(kLast)});
  answers("7", TxStatus::kInTransaction);
  world.query(kLast);
  EXPECT_EQ(sent(), Texts{std::string(kLast)}) << "it is asked once";
}

TEST_F(SessionSequences, TheAnswerToOurQuestionIsNoRowOfTheClients) {  // C18, F32
  begin_with(kInsert, "INSERT 0 1");
  world.query("SELECT n FROM t");
  sent();
  answers("5", TxStatus::kInTransaction);
  EXPECT_EQ(types_of(world.take_seen()), "DCZ");
  world.query(kLast);
  EXPECT_EQ(sent(), Texts{kAsk});
  answers("t", TxStatus::kInTransaction);
  EXPECT_EQ(world.take_seen(), "");
  world.client("");
  EXPECT_EQ(sent(), Texts{std::string(kLast)});
}

TEST_F(SessionSequences, ATransactionThatHasTakenNoNumberIsToldNone) {  // C18
  begin_with("DELETE FROM t", "DELETE 1");
  world.query(kLast);
  EXPECT_EQ(sent(), Texts{kAsk});
  answers("f", TxStatus::kInTransaction);
  world.client("");
  EXPECT_EQ(sent(), Texts{kDiscard});
  completes(kDiscard, TxStatus::kInTransaction);
  world.client("");
  EXPECT_EQ(sent(), Texts{std::string(kLast)});
}

TEST_F(SessionSequences, AfterTheFirstQuestionTransactionsBeginWithoutTheNumbersOfOthers) {  // C18
  begin_with(kInsert, "INSERT 0 1");
  world.query(kLast);
  answers("t", TxStatus::kInTransaction);
  world.client("");
  answers("7", TxStatus::kInTransaction);
  world.query("COMMIT");
  completes("COMMIT", TxStatus::kIdle);
  world.take_sent();
  world.query("BEGIN");
  world.query(kInsert);
  EXPECT_EQ(sent(), Texts{kDiscard});
  completes(kDiscard, TxStatus::kIdle);
  world.client("");
  EXPECT_EQ(sent(), Texts{"BEGIN"});
  completes("BEGIN", TxStatus::kInTransaction);
  world.client("");
  completes("INSERT 0 1", TxStatus::kInTransaction);
  world.take_sent();
  world.query(kLast);
  EXPECT_EQ(sent(), Texts{std::string(kLast)});
  completes("SELECT 1", TxStatus::kInTransaction);
  world.query("COMMIT");
  completes("COMMIT", TxStatus::kIdle);
  world.take_sent();
  world.query(kInsert);
  EXPECT_EQ(sent(), Texts{std::string(kInsert)}) << "alone it does not ask";
}

TEST_F(SessionSequences, ATransactionMayBeginAmidAText) {  // C18
  world.session().environment().known->expect_sequence_reads();
  world.query("BEGIN; INSERT INTO t DEFAULT VALUES");
  EXPECT_EQ(sent(), Texts{kDiscard});
}

TEST_F(SessionSequences, WhatAFunctionAsksForCountsAsAsked) {  // C18
  const sql::FunctionRow rows[] = {
      {.name = "currval", .language = "internal", .is_builtin = true, .oid = 1575},
      {.name = "link", .language = "sql", .oid = 20001, .source = "SELECT currval('s')"}};
  const auto catalog = sql::FunctionCatalog::build(rows, 1);
  world.session().environment().catalog = catalog.get();
  world.query("SELECT link()");
  EXPECT_EQ(sent(), Texts{kDiscard});
  completes(kDiscard, TxStatus::kIdle);
  world.client("");
  EXPECT_EQ(sent(), Texts{"SELECT link()"});
  completes("SELECT 1", TxStatus::kIdle);
  world.query("BEGIN");
  world.query(kInsert);
  EXPECT_EQ(sent(), Texts{kDiscard}) << "a trigger may, later in the transaction";
}

TEST_F(SessionSequences, AQuestionWaitsForTheAnswersBeforeIt) {  // C18
  begin_with(kInsert, "INSERT 0 1");
  world.query(kInsert);
  EXPECT_EQ(world.query(kLast), Pause::kTurn);
  EXPECT_EQ(sent(), Texts{std::string(kInsert)});
  completes("INSERT 0 1", TxStatus::kInTransaction);
  world.client("");
  EXPECT_EQ(sent(), Texts{kAsk});
}

TEST_F(SessionSequences, AFailedTransactionIsNotAsked) {  // C18
  begin_with(kInsert, "INSERT 0 1");
  world.query("SELECT 1/0");
  world.server_fails("22012", "division by zero", TxStatus::kFailed);
  world.take_sent();
  world.query(kLast);
  EXPECT_EQ(sent(), Texts{std::string(kLast)});
}

TEST_F(SessionSequences, AmidAPipelineTheQuestionIsRefused) {  // C18
  std::string out;
  wire::append_parse(out, "", kInsert);
  wire::append_bind(out, "", "");
  wire::append_execute(out, "");
  wire::append_flush(out);
  world.client(out);
  EXPECT_EQ(types_of(world.take_sent()), "PBEH");
  out.clear();
  wire::append_parse(out, "", kLast);
  wire::append_bind(out, "", "");
  wire::append_execute(out, "");
  wire::append_sync(out);
  world.client(out);
  EXPECT_EQ(types_of(world.take_sent()), "PBBS") << "it is not executed";
}

TEST_F(SessionSequences, WhatCannotBeLookedIntoMayAsk) {  // C4, C18
  world.query("DO 'begin end'");
  EXPECT_EQ(sent(), Texts{kDiscard});
}

TEST_F(SessionSequences, ACancelBeforeTheQuestionIsAnsweredHitsNobody) {  // C18, F41
  begin_with(kInsert, "INSERT 0 1");
  world.query(kLast);
  world.session().on_cancel();
  EXPECT_EQ(world.cancels, 0u);
}

TEST_F(SessionSequences, WhoseNumbersCannotBeForgottenGetsNoServer) {  // C18
  world.query(std::string(kInsert) + ";" + std::string(kLast));
  world.server_fails("57014", "canceling statement due to statement timeout", TxStatus::kIdle);
  EXPECT_EQ(types_of(world.take_seen()), "EZ");
  EXPECT_FALSE(world.session().has_server());
  EXPECT_FALSE(world.session().ended());
}

TEST_F(SessionSequences, AQuestionThatFailsAmidATransactionEndsItForAll) {  // C18, E25
  begin_with(kInsert, "INSERT 0 1");
  world.query(kLast);
  world.server_fails("57014", "canceling statement due to statement timeout", TxStatus::kFailed);
  EXPECT_TRUE(world.session().ended());
}

TEST_F(SessionSequences, ALostServerTakesItsTransactionWithIt) {  // C18, E20
  begin_with(kInsert, "INSERT 0 1");
  world.query(kLast);
  EXPECT_EQ(sent(), Texts{kAsk});
  world.server_dies();
  world.client("");
  EXPECT_EQ(sent(), Texts{}) << "it is not executed outside of its transaction";
  EXPECT_EQ(types_of(world.take_seen()), "EZ");
}

TEST_F(SessionSequences, WhoKeepsItsServerFindsNothingOfOthersThere) {  // C18, C22
  world.query("LISTEN a");
  EXPECT_EQ(sent(), Texts{"LISTEN a"});
  completes("LISTEN", TxStatus::kIdle);
  sent();
  world.server_answers({"t", "f", "f", "f", "f", std::nullopt});
  EXPECT_EQ(sent(), Texts{kDiscard});
  completes(kDiscard, TxStatus::kIdle);
  world.client("");
  world.query(kLast);
  EXPECT_EQ(sent(), Texts{std::string(kLast)});
}

}  // namespace
}  // namespace fairlead::core
