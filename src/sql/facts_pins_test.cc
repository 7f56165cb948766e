// What classify() tells of what a server keeps for a client (C13-C20).
#include <gtest/gtest.h>

#include <initializer_list>

#include "sql/classify.h"

namespace fairlead::sql {
namespace {

PinEvents pins(std::initializer_list<PinEvent> events) {
  PinEvents all;
  for (const PinEvent event : events) all.add(event);
  return all;
}

TEST(FactsOfPins, TellWhatMayBeginOrEndAPin) {  // C13-C20
  using enum PinEvent;
  EXPECT_EQ(classify("LISTEN a").pins, pins({kListen}));
  EXPECT_EQ(classify("UNLISTEN a").pins, pins({kUnlisten}));
  EXPECT_EQ(classify("UNLISTEN *").pins, pins({kUnlistenAll}));
  EXPECT_EQ(classify("DECLARE c CURSOR WITH HOLD FOR SELECT 1").pins, pins({kHoldCursor}));
  EXPECT_EQ(classify("DECLARE c CURSOR FOR SELECT 1").pins, pins({}));
  EXPECT_EQ(classify("CLOSE c").pins, pins({kCloseCursor}));
  EXPECT_EQ(classify("CLOSE ALL").pins, pins({kCloseAllCursors}));
  EXPECT_EQ(classify("SELECT pg_try_advisory_lock(1)").pins, pins({kAdvisoryLock}));
  EXPECT_EQ(classify("SELECT pg_advisory_xact_lock(1)").pins, pins({}));
  EXPECT_EQ(classify("SELECT pg_advisory_unlock(1)").pins, pins({kAdvisoryUnlock}));
  EXPECT_EQ(classify("SELECT pg_advisory_unlock_all()").pins, pins({kAdvisoryUnlockAll}));
  EXPECT_EQ(classify("CREATE TEMP TABLE a (b int)").pins, pins({kTempObject}));
  EXPECT_EQ(classify("CREATE TEMP TABLE a (b int) ON COMMIT DROP").pins,
            pins({kTempObject, kTempDropsOnCommit}));
  EXPECT_EQ(classify("CREATE TEMP TABLE a ON COMMIT DROP AS SELECT 1").pins,
            pins({kTempObject, kTempDropsOnCommit}));
  EXPECT_EQ(classify("CREATE TEMP TABLE a () ON COMMIT DROP; CREATE TEMP TABLE b ()").pins,
            pins({kTempObject}));
  EXPECT_EQ(classify("SELECT 1 INTO TEMP a").pins, pins({kTempObject}));
  EXPECT_EQ(classify("SELECT 1 INTO pg_temp.a").pins, pins({kTempObject}));
  EXPECT_EQ(classify("CREATE TABLE pg_temp.a AS SELECT 1").pins, pins({kTempObject}));
  EXPECT_EQ(classify("CREATE TABLE pg_temp.a (b int)").pins, pins({kTempObject}));
  EXPECT_EQ(classify("DROP TABLE a").pins, pins({kDrop}));
  EXPECT_EQ(classify("DISCARD TEMP").pins, pins({kDrop}));
  EXPECT_EQ(classify("SELECT nextval('s')").pins, pins({kSequenceValue}));
  EXPECT_EQ(classify("SELECT currval('s'), lastval()").pins, pins({kSequenceRead}));
  EXPECT_EQ(classify("LOAD 'x'").pins, pins({kLoad}));
  EXPECT_EQ(classify("DEALLOCATE a").pins, pins({kDeallocate}));
  EXPECT_EQ(classify("DEALLOCATE ALL").pins, pins({kDeallocate}));
}

TEST(FactsOfPins, TellsWhetherTheValueOfASequenceIsOfAnEarlierUnit) {  // C18
  const auto asks = [](const char* text) { return classify(text).reads_earlier_sequence; };
  EXPECT_TRUE(asks("SELECT currval('s')"));
  EXPECT_TRUE(asks("SELECT lastval()"));
  EXPECT_TRUE(asks("INSERT INTO t VALUES (currval('s'))"));
  EXPECT_TRUE(asks("SELECT lastval(); INSERT INTO t DEFAULT VALUES"));
  EXPECT_TRUE(asks("SELECT 1; SELECT lastval()"));
  EXPECT_TRUE(asks("SET search_path = a; SELECT lastval()"));
  EXPECT_FALSE(asks("INSERT INTO t DEFAULT VALUES; SELECT lastval()"));
  EXPECT_FALSE(asks("SELECT nextval('s'); SELECT currval('s')"));
  EXPECT_FALSE(asks("INSERT INTO t VALUES (nextval('s'), currval('s'))"));
  EXPECT_FALSE(asks("EXPLAIN SELECT lastval()"));
  EXPECT_FALSE(asks("SELECT nextval('s')"));
}

TEST(FactsOfPins, ASeedIsAChangeThatTheNextClientMustNotSee) {  // C19
  for (const char* text : {"SELECT setseed(0.5)", "SET seed TO 0.5", "SET SESSION seed = 0.5"})
    EXPECT_TRUE(classify(text).opaque_side_effects) << text;
  EXPECT_FALSE(classify("SELECT random()").opaque_side_effects);
  EXPECT_FALSE(classify("EXPLAIN SELECT setseed(0.5)").opaque_side_effects);
}

TEST(FactsOfPins, OfAPlainExplainPinNothing) {
  EXPECT_EQ(classify("EXPLAIN SELECT pg_advisory_lock(1)").pins, PinEvents{});
  EXPECT_TRUE(
      classify("EXPLAIN ANALYZE SELECT pg_advisory_lock(1)").pins.has(PinEvent::kAdvisoryLock));
  EXPECT_FALSE(classify("EXPLAIN SELECT set_config('a.b', 'c', false)").calls_set_config);
}

}  // namespace
}  // namespace fairlead::sql
