#include "core/database_activity.h"

#include <gtest/gtest.h>

#include "sql/classify.h"

namespace fairlead::core {
namespace {

Time at(int64_t number) { return Time{Duration{number}}; }

/// Tables a and b, as the database was at `as_of`.
std::shared_ptr<const sql::FunctionCatalog> catalog(uint64_t generation, Time as_of) {
  const std::vector<sql::DependencyRow> rows{
      {.kind = sql::DependencyKind::kTable, .oid = 30001, .name = "a"},
      {.kind = sql::DependencyKind::kTable, .oid = 30002, .name = "b"}};
  return sql::FunctionCatalog::build({}, generation, rows, as_of);
}

WrittenTables writing_a(const sql::FunctionCatalog& known) {
  WrittenTables tables;
  tables.add(sql::classify("INSERT INTO a VALUES (1)"), &known);
  return tables;
}

RequestPlan reading(std::string_view sql) {
  RequestPlan plan;
  plan.executions.push_back(
      {.facts = std::make_shared<const sql::QueryFacts>(sql::classify(sql)), .set_config = {}});
  return plan;
}

class DatabaseActivityTest : public ::testing::Test {
 protected:
  std::shared_ptr<const sql::FunctionCatalog> known_ = catalog(1, at(10));
  RequestPlan read_a_ = reading("SELECT * FROM a");
  RequestPlan read_b_ = reading("SELECT * FROM b");
  DatabaseActivity activity_;
};

TEST_F(DatabaseActivityTest, ReadsOweTheWritesToTheirTables) {  // D11
  activity_.note_write(at(100), writing_a(*known_), known_.get());
  EXPECT_EQ(activity_.last_write(&read_a_, known_.get()), at(100));
  EXPECT_EQ(activity_.last_write(&read_b_, known_.get()), Time{});
  EXPECT_EQ(activity_.last_write(&read_b_, nullptr), at(100));
}

TEST_F(DatabaseActivityTest, ACatalogOfBeforeTheLastChangeTellsNoTablesApart) {
  activity_.note_write(at(100), writing_a(*known_), known_.get());
  activity_.count_catalog_change(at(200));
  EXPECT_EQ(activity_.last_write(&read_b_, known_.get()), at(100)) << "b may be a view over a now";
  const auto same_moment = catalog(2, at(200));
  EXPECT_EQ(activity_.last_write(&read_b_, same_moment.get()), at(100));
  const auto newer = catalog(3, at(201));
  EXPECT_EQ(activity_.last_write(&read_b_, newer.get()), Time{});
}

TEST_F(DatabaseActivityTest, NoCatalogIsBelievedFromBeforeTheLastDdl) {  // A42
  activity_.count_catalog_change(at(200), CatalogChange::kUnprovesReads);
  EXPECT_FALSE(activity_.is_current(known_.get()));
  EXPECT_FALSE(activity_.is_current(nullptr));
  const auto newer = catalog(2, at(201));
  EXPECT_TRUE(activity_.is_current(newer.get()));
  activity_.count_catalog_change(at(300), CatalogChange::kSeen);
  EXPECT_TRUE(activity_.is_current(newer.get())) << "an error of syntax is no DDL";
}

TEST_F(DatabaseActivityTest,
       WhatMayHaveChangedTheCatalogLeavesNoTablesApartAndReadsProven) {  // D11
  EXPECT_TRUE(activity_.tells_tables_apart(known_.get()));
  activity_.count_catalog_change(at(200), CatalogChange::kPerhaps);
  activity_.note_write(at(300), writing_a(*known_), known_.get());
  EXPECT_EQ(activity_.last_write(&read_b_, known_.get()), at(300))
      << "a trigger may write to b now";
  EXPECT_FALSE(activity_.tells_tables_apart(known_.get()));
  EXPECT_TRUE(activity_.is_current(known_.get()));
  EXPECT_EQ(activity_.catalog_changes(), 0u);
  const auto newer = catalog(2, at(301));
  EXPECT_TRUE(activity_.tells_tables_apart(newer.get()));
}

TEST_F(DatabaseActivityTest, AWriteByAnOldCatalogIsOneToTheWholeDatabase) {
  const auto newer = catalog(2, at(201));
  activity_.note_write(at(300), writing_a(*known_), newer.get());
  EXPECT_EQ(activity_.last_write(&read_b_, newer.get()), at(300)) << "planned by another catalog";
  activity_.count_catalog_change(at(400));
  activity_.note_write(at(500), writing_a(*newer), newer.get());
  const auto newest = catalog(3, at(600));
  EXPECT_EQ(activity_.last_write(&read_b_, newest.get()), at(500)) << "changed in between";
}

TEST_F(DatabaseActivityTest, ANewCatalogMayHaveMovedWhatWasWrittenBefore) {
  activity_.note_write(at(100), writing_a(*known_), known_.get());
  activity_.on_new_catalog();
  EXPECT_EQ(activity_.last_write(&read_b_, known_.get()), at(100));
}

}  // namespace
}  // namespace fairlead::core
