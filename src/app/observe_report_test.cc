#include "app/observe_report.h"

#include <gmock/gmock.h>

namespace fairlead::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// The console's own tables, as a client gets them.
ConsoleTable table_of(console::View view, const console::Report& report) {
  const wire::ResultTable table = console::table_of(view, report, "0");
  ConsoleTable out{.columns = {}, .rows = table.rows};
  for (const auto& column : table.columns) out.columns.emplace_back(column.name);
  return out;
}

console::Report report() {
  console::Report all;
  core::ObservedTotals totals{.statements = 10, .reads = 8, .transactions = 3};
  totals.reads_by[static_cast<size_t>(core::Foreseen::kMoves)] = 6;
  totals.statements_by[static_cast<size_t>(core::Foreseen::kMoves)] = 6;
  totals.statements_by[static_cast<size_t>(core::Foreseen::kWaits)] = 1;
  const auto shape = [](std::string text, core::Foreseen foreseen, sql::Reason reason, bool is_read,
                        uint64_t count) {
    return core::ObservedShape{.shape = std::move(text),
                               .foreseen = foreseen,
                               .reason = reason,
                               .is_read = is_read,
                               .count = count};
  };
  using core::Foreseen;
  using sql::Reason;
  all.observed.push_back(
      {.database = "shop",
       .since_s = 90,
       .totals = totals,
       .shapes = {shape("select moved", Foreseen::kMoves, Reason::kRead, true, 6),
                  shape("select waited", Foreseen::kWaits, Reason::kRead, true, 1),
                  shape("select locked", Foreseen::kStays, Reason::kRowLock, true, 2),
                  shape("insert", Foreseen::kStays, Reason::kWrite, false, 1)}});
  return all;
}

std::string text(size_t shapes_max) {
  return observe_text(table_of(console::View::kObserve, report()),
                      table_of(console::View::kObserveShapes, report()), shapes_max);
}

}  // namespace

TEST(ObserveReport, SaysWhatCouldMoveAndNamesTheReadsThatStay) {
  EXPECT_THAT(
      text(10),
      AllOf(HasSubstr("shop: 10 statements in 1.5 min\n"),
            HasSubstr("6 of 8 reads could move to replicas at once (75.0 %)"),
            HasSubstr("1 would have waited"), HasSubstr("3 transactions:"),
            HasSubstr("2  stays  row_lock\n            select locked\n            change: "),
            HasSubstr("select waited"), Not(HasSubstr("select moved")), Not(HasSubstr("insert")),
            Not(HasSubstr("would have failed"))));
}

TEST(ObserveReport, ListsAsManyAsAskedAndCountsTheRest) {
  EXPECT_THAT(text(1), AllOf(HasSubstr("select locked"), Not(HasSubstr("select waited")),
                             HasSubstr("and 1 more: --shapes shows them")));
}

TEST(ObserveReport, WithoutAnObservedDatabaseItSaysHowToGetOne) {
  EXPECT_THAT(observe_text({}, {}, 10), HasSubstr("mode = \"observe\""));
}

TEST(ObserveReport, JsonHoldsEveryShapeUnderItsDatabase) {
  const std::string json = observe_json(table_of(console::View::kObserve, report()),
                                        table_of(console::View::kObserveShapes, report()));
  EXPECT_THAT(json, AllOf(HasSubstr(R"("database":"shop")"), HasSubstr(R"("reads_share":7.5E-1)"),
                          HasSubstr(R"("shape":"select moved")"), HasSubstr(R"("count":6)")));
}

}  // namespace fairlead::app
