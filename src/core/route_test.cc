#include "core/route.h"

#include <gtest/gtest.h>

#include "sql/classify.h"

namespace fairlead::core {
namespace {

using sql::Access;
using sql::Reason;

const sql::Decision kRead{Access::kRead, Reason::kRead, false};
const sql::Decision kWrite{Access::kPrimary, Reason::kWrite, true};

TEST(Route, ThePortComesFirst) {
  RouteInput input{
      .port = Port::kPrimary, .hint = sql::Route{sql::Route::Kind::kReplica}, .decision = kRead};
  EXPECT_EQ(decide_route(input), (Route{Target::kPrimary, Reason::kPortPrimary}));
  input.port = Port::kRead;
  input.decision = kWrite;  // The replica itself refuses it, as a standby does.
  EXPECT_EQ(decide_route(input), (Route{Target::kReplica, Reason::kPortReplica, true}));
}

TEST(Route, WhoKeepsAServerKeepsOneOfThePrimary) {  // C22
  const sql::TransactionModes modes{.read_only = true};
  for (const auto& hint : {std::optional<sql::Route>(), {{sql::Route::Kind::kReplica}}}) {
    EXPECT_EQ(decide_route({.pinned = true, .hint = hint, .decision = kRead}),
              (Route{Target::kPrimary, Reason::kPinned}));
  }
  EXPECT_EQ(decide_route({.pinned = true, .decision = kRead, .opens = &modes}).target,
            Target::kPrimary);
  EXPECT_EQ(decide_route({.port = Port::kRead, .pinned = true, .decision = kRead}).target,
            Target::kReplica);
}

TEST(Route, AHintNeverSendsAWriteToAReplica) {  // A7
  for (const auto kind : {sql::Route::Kind::kReplica, sql::Route::Kind::kNode}) {
    const RouteInput input{.hint = sql::Route{kind, "host:1"}, .decision = kWrite};
    EXPECT_EQ(decide_route(input), (Route{Target::kPrimary, Reason::kWrite}));
  }
}

TEST(Route, AHintSendsAReadWhereItSays) {
  RouteInput input{.hint = sql::Route{sql::Route::Kind::kPrimary}, .decision = kRead};
  EXPECT_EQ(decide_route(input), (Route{Target::kPrimary, Reason::kHint}));
  input.hint = sql::Route{sql::Route::Kind::kNode, "host:1"};
  EXPECT_EQ(decide_route(input), (Route{Target::kReplica, Reason::kHint, true, "host:1"}));
}

TEST(Route, PlainBeginGoesToThePrimaryAndReadOnlyToAReplica) {  // B2, B3
  sql::TransactionModes modes;
  RouteInput input{.decision = {Access::kPrimary, Reason::kTransaction, true}, .opens = &modes};
  EXPECT_EQ(decide_route(input).target, Target::kPrimary);
  modes.read_only = true;
  EXPECT_EQ(decide_route(input), (Route{Target::kReplica, Reason::kTransactionReadOnly}));
  modes.read_only = std::nullopt;
  input.default_read_only = true;  // B18
  EXPECT_EQ(decide_route(input).target, Target::kReplica);
  modes.read_only = false;  // B5
  EXPECT_EQ(decide_route(input).target, Target::kPrimary);
}

TEST(Route, AReadOnlyTransactionIsOnThePrimaryForWhatOnlyThatAnswers) {  // B3, B30
  const sql::TransactionModes modes{.read_only = true};
  const auto route = [&](const char* sql) {
    const sql::QueryFacts facts = sql::classify(sql);
    RouteInput input{.decision = sql::decide(facts, nullptr), .opens = &modes};
    input.decision.opaque |= facts.opaque_side_effects;
    return decide_route(input);
  };
  for (const char* sql : {"SELECT pg_advisory_xact_lock(1)",
                          "SELECT 1; SELECT pg_advisory_xact_lock(1)",
                          "LISTEN c",
                          "NOTIFY c",
                          "LOCK TABLE t",
                          "SELECT currval('s')",
                          "SELECT pg_is_in_recovery()",
                          "SELECT txid_current()",
                          "SELECT pg_current_xact_id()",
                          "COPY (SELECT 1) TO '/tmp/x'",
                          "SELECT 1; COPY t TO PROGRAM 'cat'",
                          "CHECKPOINT",
                          "ANALYZE t",
                          "CLUSTER t",
                          "LOAD 'x'",
                          "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
                          "PREPARE p AS SELECT 1",
                          "DO ''",
                          "nonsense",
                          "PREPARE TRANSACTION 'g'",
                          "SET TRANSACTION READ WRITE",
                          "SELECT 1 FROM pg_temp.t"})
    EXPECT_EQ(route(sql).target, Target::kPrimary) << sql;
  for (const char* sql : {"SELECT 1", "DECLARE c CURSOR FOR SELECT 1", "SET LOCAL x = 1",
                          "SAVEPOINT a", "SELECT relname FROM pg_class", "INSERT INTO t VALUES (1)",
                          "SELECT 1 FOR UPDATE", "COPY t TO STDOUT", "EXPLAIN SELECT 1"})
    EXPECT_EQ(route(sql), (Route{Target::kReplica, Reason::kTransactionReadOnly})) << sql;
}

TEST(Route, InAReadOnlyTransactionTheCatalogDecidesToo) {  // B3, A54, A56, G1
  const sql::TransactionModes modes{.read_only = true};
  const auto target = [&](Reason reason, bool opaque = false) {
    const bool primary_only = !sql::is_same_on_replica(reason);
    const sql::Decision decision{Access::kPrimary, reason, true, opaque, primary_only};
    return decide_route({.decision = decision, .opens = &modes}).target;
  };
  for (const Reason reason : {Reason::kPrimaryRelation, Reason::kUnknownRelation,
                              Reason::kPrimaryList, Reason::kCatalogLoading})
    EXPECT_EQ(target(reason), Target::kPrimary) << sql::reason_name(reason);
  for (const Reason reason : {Reason::kVolatileFunction, Reason::kUnsafeView})
    EXPECT_EQ(target(reason), Target::kReplica) << sql::reason_name(reason);
  EXPECT_EQ(target(Reason::kVolatileFunction, true), Target::kPrimary);  // C22
}

TEST(Route, WhatGoesOnBehindAReadOnlyTransactionIsWhatItIs) {  // B3, B10
  const sql::TransactionModes modes{.read_only = true};
  RouteInput input{.decision = kWrite, .opens = &modes, .leaves_transaction = true};
  EXPECT_EQ(decide_route(input), (Route{Target::kPrimary, Reason::kWrite}));
  input.decision = kRead;
  EXPECT_EQ(decide_route(input), (Route{Target::kReplica, Reason::kTransactionReadOnly}));
}

TEST(Route, AReadBehindABeginLeavesThePrimaryOnlyIfAllowedUntilAWrite) {  // B2, B31
  sql::TransactionModes modes;
  RouteInput input{.decision = kRead, .opens = &modes};
  EXPECT_EQ(decide_route(input), (Route{Target::kPrimary, Reason::kTransaction}));
  input.reads_until_write = true;
  EXPECT_EQ(decide_route(input), (Route{Target::kReplica, Reason::kUntilWrite}));
  input.decision = kWrite;
  EXPECT_EQ(decide_route(input), (Route{Target::kPrimary, Reason::kWrite}));
  input.decision = kRead;
  input.hint = sql::Route{sql::Route::Kind::kPrimary};
  EXPECT_EQ(decide_route(input), (Route{Target::kPrimary, Reason::kHint}));
  input.hint = std::nullopt;
  modes.isolation = sql::Isolation::kSerializable;  // B4
  EXPECT_EQ(decide_route(input), (Route{Target::kPrimary, Reason::kSerializable}));
}

TEST(Route, SerializableAlwaysGoesToThePrimary) {  // B4
  sql::TransactionModes modes{
      .read_only = true, .isolation = sql::Isolation::kSerializable, .deferrable = true};
  EXPECT_EQ(decide_route({.decision = kWrite, .opens = &modes}),
            (Route{Target::kPrimary, Reason::kSerializable}));
  EXPECT_EQ(decide_route({.decision = kRead, .default_serializable = true}),
            (Route{Target::kPrimary, Reason::kSerializable}));
}

TEST(Route, OnlyAProvenReadLeavesThePrimary) {  // G1
  EXPECT_EQ(decide_route({.decision = kRead}), (Route{Target::kReplica, Reason::kRead}));
  EXPECT_EQ(decide_route({.decision = kWrite}), (Route{Target::kPrimary, Reason::kWrite}));
  EXPECT_EQ(decide_route({}), (Route{Target::kPrimary, Reason::kCatalogLoading}));
}

}  // namespace
}  // namespace fairlead::core
