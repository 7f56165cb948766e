#include "core/observation.h"

#include <gmock/gmock.h>

namespace fairlead::core {
namespace {

using sql::Access;
using sql::Decision;
using sql::Reason;

const WouldBe kReplica{.route = {.target = Target::kReplica, .reason = Reason::kRead}};
const WouldBe kWriteRoute{.route = {.target = Target::kPrimary, .reason = Reason::kWrite}};
const WouldBe kBeginRoute{.route = {.target = Target::kPrimary, .reason = Reason::kTransaction}};
const WouldBe kReadOnlyRoute{
    .route = {.target = Target::kReplica, .reason = Reason::kTransactionReadOnly}};
const WouldBe kUntilWriteRoute{.route = {.target = Target::kReplica, .reason = Reason::kUntilWrite},
                               .until_write = true};
constexpr Decision kRead{Access::kRead, Reason::kRead, false};
constexpr Decision kWrite{Access::kPrimary, Reason::kWrite, true};
constexpr Decision kControl{Access::kRead, Reason::kRead, false};  // As COMMIT is classified.

/// A client and its database's book.
struct World {
  ObservedClient client;
  ObservationBook book{Time{}};

  Observation send(const ObservedRequest& request, Foreseen foreseen = Foreseen::kMoves) {
    const Observation seen = client.judge(request, foreseen);
    book.record(seen, "shape");
    return seen;
  }
  Observation read(bool in_transaction = false) {
    return send(
        {.would = kReplica, .own = kRead, .in_transaction = in_transaction, .stays_movable = true});
  }
  Observation write(bool in_transaction = false) {
    return send({.would = kWriteRoute, .own = kWrite, .in_transaction = in_transaction});
  }
  Observation begin(const WouldBe& would = kBeginRoute, Foreseen foreseen = Foreseen::kMoves) {
    return send({.would = would, .own = kControl, .opens = true, .controls = true}, foreseen);
  }
  Observation commit() {
    return send({.would = kBeginRoute,
                 .own = kControl,
                 .controls = true,
                 .in_transaction = true,
                 .stays_movable = true});
  }
  uint64_t statements(Foreseen outcome) const {
    return book.totals().statements_by[static_cast<size_t>(outcome)];
  }
  uint64_t reads(Foreseen outcome) const {
    return book.totals().reads_by[static_cast<size_t>(outcome)];
  }
};

}  // namespace

TEST(Observation, AReadMovesAndAWriteStays) {
  World world;
  EXPECT_EQ(world.read(),
            (Observation{.foreseen = Foreseen::kMoves, .reason = Reason::kRead, .is_read = true}));
  EXPECT_EQ(world.write(), (Observation{.foreseen = Foreseen::kStays, .reason = Reason::kWrite}));
  EXPECT_EQ(world.book.totals().statements, 2u);
  EXPECT_EQ(world.book.totals().reads, 1u);
}

TEST(Observation, AReadThatWouldWaitIsNotCountedAsMoving) {
  World world;
  world.send({.would = kReplica, .own = kRead}, Foreseen::kWaits);
  EXPECT_EQ(world.reads(Foreseen::kWaits), 1u);
  EXPECT_EQ(world.reads(Foreseen::kMoves), 0u);
}

TEST(Observation, AQueryThatIsNotProvenIsAReadThatStays) {
  World world;
  const WouldBe would{.route = {.target = Target::kPrimary, .reason = Reason::kVolatileFunction}};
  const Observation seen =
      world.send({.would = would, .own = {Access::kPrimary, Reason::kVolatileFunction, true}});
  EXPECT_TRUE(seen.is_read);
  EXPECT_EQ(seen.foreseen, Foreseen::kStays);
}

TEST(Observation, ReadsInAPlainTransactionStayWithIt) {
  World world;
  world.begin();
  const Observation seen = world.read(true);
  EXPECT_EQ(seen.foreseen, Foreseen::kStays);
  EXPECT_EQ(seen.reason, Reason::kInTransaction);
  world.commit();
  EXPECT_EQ(world.book.totals().transactions, 1u);
  EXPECT_EQ(world.book.totals().transactions_moving, 0u);
  EXPECT_EQ(world.book.totals().transactions_only_reading, 1u);
}

TEST(Observation, ATransactionThatWritesDoesNotOnlyRead) {
  World world;
  world.begin();
  world.read(true);
  world.write(true);
  world.write(true);
  world.commit();
  EXPECT_EQ(world.book.totals().transactions_only_reading, 0u);
  world.begin();
  world.commit();
  EXPECT_EQ(world.book.totals().transactions, 2u);
  EXPECT_EQ(world.book.totals().transactions_only_reading, 1u) << "nothing was written in it";
}

TEST(Observation, AReadOnlyTransactionMovesAsAWhole) {
  World world;
  world.begin(kReadOnlyRoute);
  EXPECT_EQ(world.read(true).foreseen, Foreseen::kMoves);
  EXPECT_EQ(world.read(true).reason, Reason::kTransactionReadOnly);
  world.commit();
  EXPECT_EQ(world.statements(Foreseen::kMoves), 4u);
  EXPECT_EQ(world.book.totals().transactions_moving, 1u);
  EXPECT_EQ(world.book.totals().transactions_only_reading, 0u);
}

TEST(Observation, AReadOnlyTransactionWithoutAReplicaStaysAsAWhole) {
  World world;
  world.begin(kReadOnlyRoute, Foreseen::kNoReplica);
  EXPECT_EQ(world.read(true).foreseen, Foreseen::kNoReplica);
  EXPECT_EQ(world.book.totals().transactions_moving, 0u);
}

TEST(Observation, ATransactionUntilItsWriteMovesUpToIt) {
  World world;
  EXPECT_EQ(world.send({.would = kUntilWriteRoute, .own = kRead, .opens = true}).foreseen,
            Foreseen::kMoves);
  EXPECT_EQ(world.read(true).reason, Reason::kUntilWrite);
  const Observation upgraded = world.write(true);
  EXPECT_EQ(upgraded.foreseen, Foreseen::kStays);
  EXPECT_EQ(upgraded.reason, Reason::kUpgrade);
  EXPECT_EQ(world.read(true).reason, Reason::kInTransaction);
  world.commit();
  EXPECT_EQ(world.reads(Foreseen::kMoves), 2u);
  EXPECT_EQ(world.reads(Foreseen::kStays), 1u);
  EXPECT_EQ(world.book.totals().transactions_moving, 1u);
  EXPECT_EQ(world.book.totals().transactions_only_reading, 0u);
}

TEST(Observation, ATransactionUntilItsWriteMayEndOnItsReplica) {
  World world;
  world.send({.would = kUntilWriteRoute, .own = kRead, .opens = true});
  EXPECT_EQ(world.commit().foreseen, Foreseen::kMoves);
  EXPECT_EQ(world.statements(Foreseen::kStays), 0u);
}

TEST(Observation, TheFirstStatementOfADeferredTransactionOpensIt) {
  World world;
  for (int i = 0; i < 2; ++i) {
    world.send({.would = kBeginRoute, .own = kRead, .opens = true});
    world.commit();
  }
  world.send({.would = kWriteRoute, .own = kWrite, .opens = true});
  world.commit();
  EXPECT_EQ(world.book.totals().transactions, 3u);
  EXPECT_EQ(world.book.totals().transactions_only_reading, 2u);
}

TEST(Observation, ATransactionThatBeganUnseenMayHaveWritten) {
  World world;
  world.read(true);  // BEGIN; INSERT ... in one message came before.
  EXPECT_EQ(world.book.totals().transactions, 1u);
  EXPECT_EQ(world.book.totals().transactions_only_reading, 0u);
}

TEST(Observation, APinnedClientStaysForItsPin) {
  World world;
  const Observation seen = world.send({.would = kReplica, .own = kRead, .pinned = true});
  EXPECT_EQ(seen.foreseen, Foreseen::kStays);
  EXPECT_EQ(seen.reason, Reason::kPinned);
  EXPECT_TRUE(seen.is_read);
}

TEST(Observation, ForesightIsNeededOnlyForWhatChoosesAReplicaItself) {
  EXPECT_TRUE(ObservedClient::needs_foresight({.would = kReplica, .own = kRead}));
  EXPECT_FALSE(ObservedClient::needs_foresight({.would = kWriteRoute, .own = kWrite}));
  EXPECT_FALSE(
      ObservedClient::needs_foresight({.would = kReplica, .own = kRead, .in_transaction = true}));
  EXPECT_FALSE(ObservedClient::needs_foresight({.would = kReplica, .own = kRead, .pinned = true}));
}

TEST(ObservationBook, CountsByShapeAndOutcome) {
  ObservationBook book{Time{}};
  const Observation moves{.foreseen = Foreseen::kMoves, .is_read = true};
  const Observation waits{.foreseen = Foreseen::kWaits, .is_read = true};
  book.record(moves, "select ?");
  book.record(moves, "select ?");
  book.record(waits, "select ?");
  std::vector<std::pair<Foreseen, uint64_t>> counts;
  for (const ObservedShape& shape : book.shapes()) counts.emplace_back(shape.foreseen, shape.count);
  EXPECT_THAT(counts, testing::UnorderedElementsAre(std::pair(Foreseen::kMoves, 2u),
                                                    std::pair(Foreseen::kWaits, 1u)));
}

TEST(ObservationBook, IsBoundedAndLosesNoStatement) {
  ObservationBook book{Time{}};
  const Observation moves{.foreseen = Foreseen::kMoves};
  for (size_t i = 0; i < 3 * kObservedShapesMax; ++i) book.record(moves, std::to_string(i));
  const auto shapes = book.shapes();
  EXPECT_EQ(shapes.size(), kObservedShapesMax + 1);
  uint64_t sum = 0;
  uint64_t others = 0;
  for (const ObservedShape& shape : shapes) {
    sum += shape.count;
    if (shape.shape == kOtherShapes) others = shape.count;
  }
  EXPECT_EQ(sum, 3 * kObservedShapesMax);
  EXPECT_EQ(others, 2 * kObservedShapesMax);
}

TEST(ObservationBook, ALongShapeIsCutAndStillToldFromOthers) {
  ObservationBook book{Time{}};
  const std::string head(2 * kObservedShapeBytesMax, 'x');
  book.record({}, head + "a");
  book.record({}, head + "b");
  const auto shapes = book.shapes();
  ASSERT_EQ(shapes.size(), 2u);
  EXPECT_EQ(shapes[0].shape.size(), kObservedShapeBytesMax);
}

}  // namespace fairlead::core
