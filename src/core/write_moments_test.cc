#include "core/write_moments.h"

#include <gtest/gtest.h>

#include "sql/classify.h"

namespace fairlead::core {
namespace {

using sql::DependencyKind;

Time at(int64_t number) { return Time{Duration{number}}; }

/// Tables a, b and c; view v over a; writing b runs a trigger; deleting from p deletes from c. The
/// view "calling", over it "over", and the policy of "guarded" call a function that writes.
std::shared_ptr<const sql::FunctionCatalog> catalog(uint64_t generation = 1) {
  const std::vector<sql::FunctionRow> functions{
      {.name = "lower", .volatility = 'i', .language = "internal", .is_builtin = true, .oid = 1},
      {.name = "own", .volatility = 's', .language = "sql", .oid = 20000},
      {.name = "on_change", .volatility = 'v', .language = "plpgsql", .oid = 20001}};
  const std::vector<sql::DependencyRow> rows{
      {.kind = DependencyKind::kTable, .oid = 30001, .name = "a"},
      {.kind = DependencyKind::kTable, .oid = 30002, .name = "b"},
      {.kind = DependencyKind::kTable, .oid = 30003, .name = "c"},
      {.kind = DependencyKind::kTable, .oid = 30004, .name = "p"},
      {.kind = DependencyKind::kView, .oid = 30005, .name = "v", .relations = {30001}},
      {.kind = DependencyKind::kView,
       .oid = 30006,
       .name = "calling",
       .functions = {20001},
       .relations = {30001}},
      {.kind = DependencyKind::kView, .oid = 30007, .name = "over", .relations = {30006}},
      {.kind = DependencyKind::kTable, .oid = 30008, .name = "guarded"},
      {.kind = DependencyKind::kPolicy, .oid = 30008, .name = "guarded", .functions = {20001}},
      {.kind = DependencyKind::kTrigger, .oid = 30002, .name = "b", .functions = {20001}},
      {.kind = DependencyKind::kForeignKey, .oid = 30004, .name = "p", .relations = {30003}}};
  return sql::FunctionCatalog::build(functions, generation, rows);
}

WrittenTables written(std::string_view sql) {
  WrittenTables tables;
  tables.add(sql::classify(sql), catalog().get());
  return tables;
}

RequestPlan reading(std::string_view sql) {
  RequestPlan plan;
  plan.executions.push_back(
      {.facts = std::make_shared<const sql::QueryFacts>(sql::classify(sql)), .set_config = {}});
  return plan;
}

class WriteMomentsTest : public ::testing::Test {
 protected:
  /// What a read must see after that write at 100.
  Time after(std::string_view write, std::string_view read) {
    WriteMoments moments;
    moments.note(at(100), written(write));
    const RequestPlan plan = reading(read);
    return moments.of(&plan, catalog_.get());
  }
  std::shared_ptr<const sql::FunctionCatalog> catalog_ = catalog();
};

TEST_F(WriteMomentsTest, AReadOwesNothingToTablesThatItDoesNotRead) {
  EXPECT_EQ(after("INSERT INTO a VALUES (1)", "SELECT * FROM a"), at(100));
  EXPECT_EQ(after("INSERT INTO a VALUES (1)", "SELECT * FROM c"), Time{});
  EXPECT_EQ(after("UPDATE a SET n = (SELECT n FROM c)", "SELECT * FROM c"), Time{});
  EXPECT_EQ(after("WITH w AS (DELETE FROM a RETURNING n) SELECT * FROM w", "SELECT 1"), Time{});
  EXPECT_EQ(after("COPY a FROM STDIN", "SELECT n FROM c JOIN a USING (n)"), at(100));
  EXPECT_EQ(after("SELECT * FROM a FOR UPDATE", "SELECT * FROM a"), Time{});
}

TEST_F(WriteMomentsTest, ViewsAndCascadesBelongToTheirTables) {
  EXPECT_EQ(after("INSERT INTO a VALUES (1)", "SELECT * FROM v"), at(100));
  EXPECT_EQ(after("DELETE FROM p", "SELECT * FROM c"), at(100));
  EXPECT_EQ(after("DELETE FROM c", "SELECT * FROM p"), Time{});
}

TEST_F(WriteMomentsTest, WhatCannotBeToldIsTheWholeDatabase) {
  for (const char* write :
       {"INSERT INTO b VALUES (1)", "TRUNCATE a", "CREATE TABLE d (n int)", "CALL p()", "DO ''",
        "INSERT INTO a SELECT own()", "INSERT INTO unknown VALUES (1)", "COMMIT PREPARED 'g'",
        "INSERT INTO a VALUES (1); INSERT INTO a VALUES (2)", "nonsense"})
    EXPECT_EQ(after(write, "SELECT * FROM c"), at(100)) << write;
  for (const char* read :
       {"SELECT own()", "SELECT * FROM unknown", "WITH w AS (SELECT 1) SELECT * FROM w"})
    EXPECT_EQ(after("INSERT INTO a VALUES (1)", read), at(100)) << read;
}

TEST_F(WriteMomentsTest, AReadThatWritesByAViewOrAPolicyMayHaveWrittenAnything) {  // A45, D11
  for (const char* write : {"SELECT * FROM calling", "SELECT 1 FROM a, over",
                            "SELECT * FROM guarded", "INSERT INTO a SELECT n FROM s.calling"})
    EXPECT_EQ(after(write, "SELECT * FROM c"), at(100)) << write;
  EXPECT_EQ(after("INSERT INTO a SELECT n FROM v", "SELECT * FROM c"), Time{});
}

TEST_F(WriteMomentsTest, WhatIsCalledBesideACommandMayHaveWrittenAnything) {  // A41, A45, D11
  for (const char* write :
       {"BEGIN; SELECT on_change(); COMMIT",
        "SELECT set_config('app.user', '7', true), on_change()",
        "SELECT pg_advisory_xact_lock(1), on_change()", "SET LOCAL x = 1; SELECT on_change()",
        "SELECT on_change(), current_setting('y', true)",
        "SELECT relname, on_change() FROM pg_class",
        "DECLARE c CURSOR WITH HOLD FOR SELECT on_change()", "BEGIN; SELECT * FROM over; COMMIT",
        "SHOW x; SELECT not_known()"})
    EXPECT_EQ(after(write, "SELECT * FROM c"), at(100)) << write;
  for (const char* harmless :
       {"BEGIN", "COMMIT", "SET LOCAL x = 1", "SELECT set_config('app.user', lower('A'), true)",
        "BEGIN; SELECT * FROM v; COMMIT", "DECLARE c CURSOR FOR SELECT n FROM a",
        "SELECT pg_advisory_xact_lock(1)", "SELECT relname FROM pg_class"})
    EXPECT_EQ(after(harmless, "SELECT * FROM c"), Time{}) << harmless;
}

TEST_F(WriteMomentsTest, WithoutACatalogOrAPlanEveryWriteCounts) {
  WriteMoments moments;
  moments.note(at(100), written("INSERT INTO a VALUES (1)"));
  const RequestPlan plan = reading("SELECT * FROM c");
  EXPECT_EQ(moments.of(&plan, nullptr), at(100));
  EXPECT_EQ(moments.of(nullptr, catalog_.get()), at(100));
  WrittenTables unknown;
  unknown.add(sql::classify("INSERT INTO a VALUES (1)"), nullptr);
  EXPECT_TRUE(unknown.whole_database());
}

TEST_F(WriteMomentsTest, WhatWasWrittenUnderAnotherCatalogMayHaveChangedAnything) {
  WriteMoments moments;
  const RequestPlan plan = reading("SELECT * FROM c");
  moments.note(at(100), written("INSERT INTO a VALUES (1)"));
  moments.forget_tables();
  EXPECT_EQ(moments.of(&plan, catalog_.get()), at(100));
  moments.note(at(200), written("INSERT INTO a VALUES (1)"));
  EXPECT_EQ(moments.of(&plan, catalog_.get()), at(100));
}

TEST_F(WriteMomentsTest, MomentsNeverGoBack) {
  WriteMoments moments;
  moments.note(at(100), written("INSERT INTO a VALUES (1)"));
  moments.note(at(50), written("INSERT INTO a VALUES (1)"));
  const RequestPlan plan = reading("SELECT * FROM a");
  EXPECT_EQ(moments.of(&plan, catalog_.get()), at(100));
  EXPECT_EQ(moments.any(), at(100));
}

TEST(WrittenTables, OfTwoCatalogsAreNotBelieved) {
  WrittenTables tables;
  tables.add(sql::classify("INSERT INTO a VALUES (1)"), catalog(1).get());
  EXPECT_EQ(tables.generation(), 1u);
  tables.add(sql::classify("INSERT INTO a VALUES (1)"), catalog(2).get());
  EXPECT_TRUE(tables.whole_database());
  tables.clear();
  EXPECT_FALSE(tables.whole_database());
}

TEST(WrittenTables, OfVeryManyAreTheWholeDatabase) {
  WrittenTables tables;
  for (int i = 0; i < 200; ++i)
    tables.add(sql::classify("INSERT INTO a VALUES (1)"), catalog(1).get());
  EXPECT_TRUE(tables.whole_database());
}

}  // namespace
}  // namespace fairlead::core
