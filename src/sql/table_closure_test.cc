#include "sql/table_closure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "sql/classify.h"
#include "sql/functions.h"

namespace fairlead::sql {
namespace {

using enum DependencyKind;

constexpr uint32_t kLowerOid = 870;
constexpr uint32_t kReaderOid = 20001;

const std::vector<FunctionRow>& called_functions() {
  static const std::vector<FunctionRow> rows = {
      {.name = "lower",
       .volatility = 'i',
       .language = "internal",
       .is_builtin = true,
       .oid = kLowerOid},
      {.name = "reader", .volatility = 'i', .language = "sql", .oid = kReaderOid},
  };
  return rows;
}

Tables tables(std::vector<std::string_view> names) {
  Tables out{.whole_database = false};
  for (const std::string_view name : names) out.ids.push_back(table_id(name));
  std::ranges::sort(out.ids);
  return out;
}

TEST(TableClosure, FollowsReadsAndWritesEachItsOwnWay) {  // D11
  const std::vector<DependencyRow> rows{
      {kTable, 30001, "parent"},
      {kTable, 30002, "child"},
      {kForeignKey, 30001, "parent", {}, {30002}},
      {kPolicy, 30002, "child", {kLowerOid}, {30003}},
      {kTable, 30003, "tenants"},
  };
  const TableClosure closure(called_functions(), rows);
  EXPECT_EQ(closure.read("parent"), tables({"parent"}));
  EXPECT_EQ(closure.written("parent"), tables({"parent", "child"}));
  EXPECT_EQ(closure.read("child"), tables({"child", "tenants"}));
  EXPECT_EQ(closure.written("child"), tables({"child"}));
  EXPECT_EQ(closure.read("nobody"), Tables{});
}

TEST(TableClosure, EndsWhereRelationsLeadToEachOther) {
  const std::vector<DependencyRow> rows{{kForeignKey, 30001, "a", {}, {30002}},
                                        {kForeignKey, 30002, "b", {}, {30001, 30002}}};
  const TableClosure closure(called_functions(), rows);
  EXPECT_EQ(closure.written("a"), tables({"a", "b"}));
  EXPECT_EQ(closure.read("a"), tables({"a"}));
}

TEST(TableClosure, BelievesNoLabelOfAFunction) {  // A43
  const std::vector<DependencyRow> rows{
      {kView, 30001, "v", {kReaderOid}, {}},   {kTrigger, 30002, "t", {kReaderOid}},
      {kWriteExpression, 30003, "e", {99999}}, {kView, 30004, "over", {}, {30001}},
      {kView, 30005, "plain", {kLowerOid}},
  };
  const TableClosure closure(called_functions(), rows);
  for (const char* name : {"v", "over"}) EXPECT_EQ(closure.read(name), Tables{}) << name;
  for (const char* name : {"v", "over", "t", "e"})
    EXPECT_EQ(closure.written(name), Tables{}) << name;
  EXPECT_EQ(closure.read("t"), tables({"t"}));
  EXPECT_EQ(closure.written("plain"), tables({"plain"}));
}

TEST(TableClosure, TakesCoordinateSystemsForReadByEverything) {  // D11
  const std::vector<DependencyRow> rows{{kTable, 30001, "spatial_ref_sys"}};
  EXPECT_EQ(TableClosure(called_functions(), rows).written("spatial_ref_sys"),
            tables({"spatial_ref_sys"}));
  const FunctionRow postgis[] = {{.name = "st_transform",
                                  .volatility = 'i',
                                  .language = "c",
                                  .extension = "postgis",
                                  .oid = 20002}};
  EXPECT_EQ(TableClosure(postgis, rows).written("spatial_ref_sys"), Tables{});
  EXPECT_TRUE(touches_no_table(postgis[0]));
}

TEST(TouchesNoTable, DoesNotBelieveItOfExtensionsThatRunQueries) {  // D11
  const FunctionRow row{.name = "pgr_dijkstra", .language = "c", .extension = "pgrouting"};
  EXPECT_FALSE(touches_no_table(row, {.trusted_extensions = {"pgrouting"}}));
}

TEST(TableClosure, IsTheWholeDatabaseBeyondItsLimitAndWhereARelationIsNewer) {
  const auto parent_of = [](size_t children) {
    static std::vector<std::string> names;
    names.assign(children, "");
    std::vector<DependencyRow> rows{{kParent, 30000, "parent"}};
    for (size_t i = 0; i < children; ++i) {
      names[i] = "child_" + std::to_string(i);
      rows.push_back({kTable, static_cast<uint32_t>(30001 + i), names[i]});
      rows[0].relations.push_back(rows.back().oid);
    }
    return TableClosure(called_functions(), rows).read("parent");
  };
  EXPECT_FALSE(parent_of(kTablesOfOneNameMax - 1).whole_database);
  EXPECT_EQ(parent_of(kTablesOfOneNameMax), Tables{});
  const std::vector<DependencyRow> rows{{kView, 30001, "v", {}, {30002}}};
  EXPECT_EQ(TableClosure(called_functions(), rows).read("v"), Tables{});
}

TEST(TableClosure, GivesANameTheSameNumberEverywhere) {
  EXPECT_EQ(table_id("users"), 2927);  // Written down: floors of two versions may meet one day.
  std::set<TableId> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(table_id("table_" + std::to_string(i)));
  EXPECT_GT(ids.size(), 800U);
  EXPECT_LT(*ids.rbegin(), kTableIds);
}

TEST(MayTouchAnyTable, TellsWhatCallsMoreThanItNames) {
  std::vector<DependencyRow> rows{{kOperator, 0, "###", {kReaderOid}},
                                  {kOperator, 0, "+", {kLowerOid}}};
  const auto touches = [&](std::string_view text) {
    return FunctionCatalog::build(called_functions(), 1, rows)->may_touch_any_table(classify(text));
  };
  for (const char* text :
       {"SELECT reader()", "SELECT t.reader FROM t", "SELECT a ### b FROM t", "SELECT nobody()"})
    EXPECT_TRUE(touches(text)) << text;
  for (const char* text : {"SELECT lower('A')", "SELECT t.lower FROM t", "SELECT a + b FROM t"})
    EXPECT_FALSE(touches(text)) << text;
  rows.push_back({kDomain, 0, "d", {kReaderOid}});
  EXPECT_TRUE(touches("SELECT a FROM t"));
}

TEST(TouchesNoTable, KnowsBuiltInFunctionsThatReadWhatIsStored) {
  const auto touches_none = [](std::string_view name) {
    return touches_no_table({.name = name, .language = "internal", .is_builtin = true});
  };
  EXPECT_TRUE(touches_none("count"));
  for (const char* name : {"lo_get", "pg_relation_size", "pg_xact_status", "query_to_xml"})
    EXPECT_FALSE(touches_none(name)) << name;
}

}  // namespace
}  // namespace fairlead::sql
