#include "console/views.h"

#include <gmock/gmock.h>

namespace fairlead::console {
namespace {

using sql::Reason;
using testing::ElementsAre;
using wire::ResultCell;
using wire::ResultTable;

constexpr std::string_view kVersion = "9.8.7";

std::vector<std::string> names(View view) {
  std::vector<std::string> out;
  for (const auto& column : columns_of(view)) out.emplace_back(column.name);
  return out;
}

std::vector<std::string> cells(const ResultTable& table, size_t row, size_t count) {
  std::vector<std::string> out;
  for (size_t i = 0; i < count; ++i) out.push_back(wire::text_of(table.rows.at(row).at(i)).value());
  return out;
}

void count(Report& report, Reason reason, uint64_t primary, uint64_t replica) {
  report.to_primary[static_cast<size_t>(reason)] = primary;
  report.to_replica[static_cast<size_t>(reason)] = replica;
}

}  // namespace

TEST(ConsoleViews, ColumnsAreThePromisedOnes) {
  EXPECT_THAT(names(View::kRoutes),
              ElementsAre("reason", "target", "count", "share", "description"));
  EXPECT_THAT(names(View::kPins), ElementsAre("client_id", "addr", "user", "database", "node",
                                              "server_pid", "reason", "since_s", "description"));
  EXPECT_THAT(
      names(View::kObserve),
      ElementsAre("database", "since_s", "statements", "statements_moving", "statements_share",
                  "reads", "reads_moving", "reads_share", "waits", "no_replica", "fails",
                  "transactions", "transactions_moving", "transactions_only_reading"));
  EXPECT_THAT(names(View::kObserveShapes), ElementsAre("database", "outcome", "reason", "read",
                                                       "count", "share", "shape", "change"));
  EXPECT_THAT(names(View::kVersion), ElementsAre("version"));
  EXPECT_THAT(names(View::kHelp), ElementsAre("command", "description"));
}

TEST(ConsoleViews, EveryViewHasARowInItsOwnPlaceAndFillsItsColumns) {
  Report report;
  count(report, Reason::kRead, 1, 1);
  report.pins.push_back({});
  report.observed.push_back({.database = "d", .since_s = 1, .totals = {}, .shapes = {{}}});
  for (size_t i = 0; i < views().size(); ++i) {
    const View view = views()[i].view;
    EXPECT_EQ(static_cast<size_t>(view), i);
    const ResultTable table = table_of(view, report, kVersion);
    EXPECT_FALSE(table.rows.empty());
    for (const auto& row : table.rows) EXPECT_EQ(row.size(), columns_of(view).size());
  }
}

TEST(ConsoleViews, RoutesAreTheOnesThatOccurredMostFrequentFirst) {
  Report report;
  count(report, Reason::kRead, 0, 6);
  count(report, Reason::kWrite, 3, 0);
  count(report, Reason::kOwnWrite, 1, 0);
  const ResultTable table = table_of(View::kRoutes, report, kVersion);
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_THAT(cells(table, 0, 4), ElementsAre("read", "replica", "6", "0.6"));
  EXPECT_THAT(cells(table, 1, 4), ElementsAre("write", "primary", "3", "0.3"));
  EXPECT_THAT(cells(table, 2, 4), ElementsAre("own_write", "primary", "1", "0.1"));
}

TEST(ConsoleViews, AReasonThatWentBothWaysHasARowForEach) {
  Report report;
  count(report, Reason::kHint, 2, 2);
  const ResultTable table = table_of(View::kRoutes, report, kVersion);
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_THAT(cells(table, 0, 2), ElementsAre("hint", "primary"));
  EXPECT_THAT(cells(table, 1, 2), ElementsAre("hint", "replica"));
}

TEST(ConsoleViews, NoStatementIsNoRow) {
  EXPECT_TRUE(table_of(View::kRoutes, {}, kVersion).rows.empty());
}

TEST(ConsoleViews, ThePinThatIsHeldLongestStandsFirst) {
  Report report;
  report.pins.push_back({.client_id = 1, .since_s = 2});
  report.pins.push_back({.client_id = 2,
                         .addr = "127.0.0.1:4000",
                         .user = "app",
                         .database = "shop",
                         .node = "db1:5432",
                         .server_pid = 77,
                         .reasons = {core::PinReason::kListen, core::PinReason::kTempObject},
                         .perhaps = {core::PinReason::kHoldCursor},
                         .since_s = 30.5});
  const ResultTable table = table_of(View::kPins, report, kVersion);
  EXPECT_THAT(cells(table, 0, 8), ElementsAre("2", "127.0.0.1:4000", "app", "shop", "db1:5432",
                                              "77", "listen, temp_object", "30.5"));
  EXPECT_THAT(cells(table, 0, 9).back(), testing::EndsWith("; perhaps also hold_cursor"));
  EXPECT_THAT(cells(table, 1, 1), ElementsAre("1"));
}

TEST(ConsoleViews, NamesThatStrangersChooseAreValidUtf8InOneLine) {
  Report report;
  report.pins.push_back({.client_id = 1, .user = "u\n\x1b[2J", .database = "a\xff", .since_s = 2});
  const ResultTable table = table_of(View::kPins, report, kVersion);
  EXPECT_THAT(cells(table, 0, 4), ElementsAre("1", "", "u\\x0a\\x1b[2J", "a\\xff"));
}

TEST(ConsoleViews, WorkersAddUp) {
  Report sum;
  Report one;
  count(one, Reason::kRead, 1, 2);
  one.pins.push_back({.client_id = 1});
  one.observed.push_back(
      {.database = "d",
       .since_s = 3,
       .totals = {.statements = 2, .reads = 1},
       .shapes = {{.shape = "select ?", .count = 2}, {.shape = "a", .count = 1}}});
  Report other = one;
  other.observed[0].since_s = 5;
  other.observed.push_back({.database = "e", .since_s = 1, .totals = {}, .shapes = {}});
  other.observed[0].shapes.pop_back();
  sum.add(one);
  sum.add(other);
  EXPECT_EQ(sum.to_replica[static_cast<size_t>(Reason::kRead)], 4u);
  EXPECT_EQ(sum.pins.size(), 2u);
  ASSERT_EQ(sum.observed.size(), 2u);
  EXPECT_EQ(sum.observed[0].totals.statements, 4u);
  EXPECT_EQ(sum.observed[0].since_s, 5);
  ASSERT_EQ(sum.observed[0].shapes.size(), 2u);
  EXPECT_EQ(sum.observed[0].shapes[0].count, 4u);
  EXPECT_EQ(sum.observed[0].shapes[1].count, 1u);
}

TEST(ConsoleViews, AShapeThatStaysSaysWhatWouldFreeIt) {
  Report report;
  report.observed.push_back({.database = "d",
                             .since_s = 1,
                             .totals = {.statements = 8},
                             .shapes = {{.shape = "select ?",
                                         .foreseen = core::Foreseen::kMoves,
                                         .reason = Reason::kRead,
                                         .is_read = true,
                                         .count = 2},
                                        {.shape = "select f(?)",
                                         .foreseen = core::Foreseen::kStays,
                                         .reason = Reason::kVolatileFunction,
                                         .is_read = true,
                                         .count = 6}}});
  const ResultTable table = table_of(View::kObserveShapes, report, kVersion);
  EXPECT_THAT(cells(table, 0, 8),
              ElementsAre("d", "stays", "volatile_function", "yes", "6", "0.75", "select f(?)",
                          "If the function never writes, say so: ALTER FUNCTION ... STABLE, or "
                          "replica_functions in the configuration."));
  EXPECT_THAT(cells(table, 1, 8),
              ElementsAre("d", "moves", "read", "yes", "2", "0.25", "select ?", ""));
}

}  // namespace fairlead::console
