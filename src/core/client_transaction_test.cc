#include "core/client_transaction.h"

#include <gtest/gtest.h>

#include "sql/classify.h"

namespace fairlead::core {
namespace {

using Stage = ClientTransaction::Stage;

/// The tag with which a statement is taken; "" if it needs a server.
std::string take(ClientTransaction& transaction, std::string_view sql) {
  const sql::QueryFacts facts = sql::classify(sql);
  const auto tag = transaction.tag_of(facts, true);
  if (tag) transaction.take(facts, {});
  return std::string(tag.value_or(""));
}

TEST(ClientTransaction, TakesBeginAndWhatChangesIt) {  // B7, B30
  ClientTransaction transaction;
  EXPECT_EQ(take(transaction, "START TRANSACTION"), "START TRANSACTION");
  EXPECT_TRUE(transaction.is_deferred());
  EXPECT_EQ(transaction.sql(false), "BEGIN");
  EXPECT_EQ(take(transaction, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"), "SET");
  EXPECT_EQ(take(transaction, "SET TRANSACTION READ WRITE, NOT DEFERRABLE"), "SET");
  EXPECT_EQ(transaction.sql(false),
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE NOT DEFERRABLE");
  EXPECT_EQ(take(transaction, "COMMIT"), "COMMIT");
  EXPECT_EQ(transaction.stage(), Stage::kNone);
}

TEST(ClientTransaction, LeavesTheRestToAServer) {
  ClientTransaction transaction;
  for (const char* sql : {"COMMIT", "SET TRANSACTION READ ONLY", "BEGIN; SELECT 1", "SELECT 1",
                          "SAVEPOINT s", "PREPARE TRANSACTION 'g'"})
    EXPECT_EQ(take(transaction, sql), "") << sql;
  EXPECT_EQ(take(transaction, "BEGIN"), "BEGIN");
  for (const char* sql :
       {"BEGIN", "COMMIT AND CHAIN", "ROLLBACK TO s", "SET TRANSACTION SNAPSHOT '1'",
        "SET LOCAL work_mem = 1", "SAVEPOINT s", "COMMIT; SELECT 1"})
    EXPECT_EQ(take(transaction, sql), "") << sql;
  EXPECT_TRUE(transaction.is_deferred());
}

TEST(ClientTransaction, ATransactionThatFailedHereTakesItsEndOnly) {  // B11, B13, B36
  ClientTransaction transaction;
  take(transaction, "BEGIN");
  transaction.fail();
  for (const char* sql : {"SELECT 1", "SET TRANSACTION READ ONLY", "BEGIN", "COMMIT AND CHAIN"})
    EXPECT_EQ(take(transaction, sql), "") << sql;
  EXPECT_EQ(take(transaction, "COMMIT"), "ROLLBACK");
  EXPECT_EQ(transaction.stage(), Stage::kNone);
}

TEST(ClientTransaction, LeavesAReplicaOnlyAfterItHasReadThere) {  // B31, B35
  ClientTransaction transaction;
  take(transaction, "BEGIN");
  transaction.on_routed(true);
  transaction.on_begun(true);
  EXPECT_TRUE(transaction.is_untouched());
  EXPECT_FALSE(transaction.can_upgrade());
  transaction.on_sent();
  EXPECT_TRUE(transaction.can_upgrade());
  EXPECT_FALSE(transaction.is_untouched());
  transaction.defer_again(true);
  EXPECT_FALSE(transaction.may_use_replica());
  transaction.on_routed(false);
  transaction.on_begun(false);
  transaction.on_sent();
  EXPECT_FALSE(transaction.can_upgrade());
  transaction.on_end();
  EXPECT_TRUE(transaction.may_use_replica());
}

TEST(ClientTransaction, OneThatFoundNoReplicaStaysOnThePrimary) {
  ClientTransaction transaction;
  take(transaction, "BEGIN");
  transaction.on_routed(true);
  transaction.on_begun(false);
  transaction.on_sent();
  EXPECT_FALSE(transaction.can_upgrade());
}

RequestPlan plan_of(std::string_view sql) {
  RequestPlan plan;
  plan.end = RequestEnd::kQuery;
  auto facts = std::make_shared<const sql::QueryFacts>(sql::classify(sql));
  plan.decision = {facts->access, facts->reason, facts->may_write};
  plan.pins = facts->pins;
  plan.changes_session = !facts->variables.empty() || !facts->transaction.empty();
  plan.executions.push_back({.facts = std::move(facts), .set_config = {}});
  return plan;
}

TEST(ClientTransaction, WhatLeavesSomethingBehindCannotMove) {  // B31
  EXPECT_TRUE(is_movable_read(plan_of("SELECT 1")));
  for (const char* sql :
       {"INSERT INTO t VALUES (1)", "SET LOCAL work_mem = 1", "SAVEPOINT s", "LOCK TABLE t",
        "DECLARE c CURSOR FOR SELECT 1", "SELECT pg_advisory_xact_lock(1)", "SELECT 1 FOR UPDATE",
        "SELECT pg_export_snapshot()", "COMMIT"})
    EXPECT_FALSE(is_movable_read(plan_of(sql))) << sql;
  RequestPlan portal = plan_of("SELECT 1");
  portal.keeps_portal = true;
  EXPECT_FALSE(is_movable_read(portal));
  RequestPlan open = plan_of("SELECT 1");
  open.end = RequestEnd::kFlush;
  EXPECT_FALSE(is_movable_read(open));
}

TEST(ClientTransaction, EndsWhereItIs) {
  EXPECT_TRUE(ends_transaction(plan_of("COMMIT")));
  EXPECT_TRUE(ends_transaction(plan_of("ROLLBACK")));
  for (const char* sql :
       {"COMMIT AND CHAIN", "ROLLBACK TO s", "COMMIT; SELECT 1", "COMMIT PREPARED 'g'"})
    EXPECT_FALSE(ends_transaction(plan_of(sql))) << sql;
}

TEST(RequestPlan, KnowsWhichTextsEndInATransactionThatTheyHaveBegun) {  // E20, B12
  for (const char* sql : {"BEGIN", "BEGIN; INSERT INTO t VALUES (1)", "COMMIT; BEGIN; SELECT 1",
                          "BEGIN; SAVEPOINT s; ROLLBACK TO s", "BEGIN; COMMIT AND CHAIN"})
    EXPECT_TRUE(ends_inside_transaction(sql::classify(sql))) << sql;
  for (const char* sql : {"SELECT 1", "COMMIT", "BEGIN; COMMIT", "BEGIN; ROLLBACK; SELECT 1",
                          "BEGIN; PREPARE TRANSACTION 'x'", "SAVEPOINT s"})
    EXPECT_FALSE(ends_inside_transaction(sql::classify(sql))) << sql;
}

TEST(ClientTransaction, OnlyReadCommittedCanMove) {  // B33
  EXPECT_TRUE(is_read_committed("read committed"));
  EXPECT_TRUE(is_read_committed(sql::Isolation::kReadUncommitted));
  EXPECT_FALSE(is_read_committed("repeatable read"));
  EXPECT_FALSE(is_read_committed(sql::Isolation::kSerializable));
}

}  // namespace
}  // namespace fairlead::core
