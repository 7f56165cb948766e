#include "app/explanation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "sql/advice.h"

namespace fairlead::app {
namespace {

using core::Target;
using sql::Reason;
using testing::ElementsAre;
using testing::HasSubstr;

std::shared_ptr<const sql::FunctionCatalog> small_catalog() {
  const std::array rows{
      sql::FunctionRow{
          .name = "count", .volatility = 'i', .language = "internal", .is_builtin = true},
      sql::FunctionRow{.name = "charge", .volatility = 'v', .language = "plpgsql", .oid = 20001}};
  const std::array tables{sql::DependencyRow{sql::DependencyKind::kTable, 30001, "users"}};
  return sql::FunctionCatalog::build(rows, 1, tables);
}

TEST(Explain, AReadGoesToAReplica) {
  const auto out = explain("SELECT * FROM users WHERE id = 7", nullptr);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->target, Target::kReplica);
  EXPECT_EQ(out->reason, Reason::kRead);
  EXPECT_THAT(out->change, HasSubstr("transaction"));
}

TEST(Explain, AWriteGoesToThePrimaryWhateverAHintSays) {
  const auto out = explain("/* fairlead.route=replica */ DELETE FROM users", nullptr);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->target, Target::kPrimary);
  EXPECT_EQ(out->reason, Reason::kWrite);
}

TEST(Explain, AHintSendsAReadToThePrimary) {
  const auto out = explain("/* fairlead.route=primary */ SELECT 1", nullptr);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->target, Target::kPrimary);
  EXPECT_EQ(out->reason, Reason::kHint);
}

TEST(Explain, AWrongHintIsAnError) {
  EXPECT_FALSE(explain("/* fairlead.rout=primary */ SELECT 1", nullptr).has_value());
}

TEST(Explain, WithoutACatalogItNamesTheFunctionsThatItCouldNotLookUp) {
  const auto out = explain("SELECT count(*) FROM users", nullptr);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->target, Target::kPrimary);
  EXPECT_EQ(out->reason, Reason::kCatalogLoading);
  EXPECT_THAT(out->functions, ElementsAre("count"));
  EXPECT_THAT(out->change, HasSubstr("-c FILE"));
}

TEST(Explain, NamesTheViewTheOperatorAndTheCastThatDecide) {
  const std::array functions{
      sql::FunctionRow{.name = "charge", .language = "plpgsql", .oid = 20001}};
  using enum sql::DependencyKind;
  std::vector<sql::DependencyRow> rows{{kView, 30001, "charging", {20001}},
                                       {kOperator, 0, "###", {20001}}};
  const auto explained = [&](std::string_view text) {
    return explain(text, sql::FunctionCatalog::build(functions, 1, rows).get()).value();
  };
  EXPECT_THAT(explained("SELECT * FROM charging, users").objects, ElementsAre("charging"));
  EXPECT_THAT(explained("SELECT 1 + 2 ### 3").objects, ElementsAre("###"));
  EXPECT_THAT(explained("SELECT 1 + 2").objects, ElementsAre());
  rows.push_back({kCast, 0, "from text to money", {20001}});
  EXPECT_THAT(explanation_text(explained("SELECT 1")), HasSubstr("object  from text to money\n"));
  EXPECT_THAT(explanation_json(explained("SELECT 1")),
              HasSubstr(R"("objects":["from text to money"])"));
  EXPECT_THAT(explained("DELETE FROM users").objects, ElementsAre());
}

TEST(Explain, WithACatalogOnlyTheUnsafeFunctionIsNamed) {
  const auto catalog = small_catalog();
  EXPECT_EQ(explain("SELECT count(*) FROM users", catalog.get())->target, Target::kReplica);
  const auto out = explain("SELECT count(*), charge(1) FROM users", catalog.get());
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->reason, Reason::kVolatileFunction);
  EXPECT_THAT(out->functions, ElementsAre("charge"));
}

TEST(Explain, BeginReadOnlyGoesToAReplicaAndPlainBeginDoesNot) {
  EXPECT_EQ(explain("BEGIN", nullptr)->reason, Reason::kTransaction);
  const auto out = explain("BEGIN READ ONLY", nullptr);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->target, Target::kReplica);
  EXPECT_EQ(out->reason, Reason::kTransactionReadOnly);
}

TEST(Explain, InSessionModeEverythingIsPinnedToThePrimary) {
  config::Database database;
  database.pool_mode = config::PoolMode::kSession;
  const auto out = explain("SELECT * FROM users WHERE id = 7", nullptr, database);
  ASSERT_TRUE(out.has_value());
  EXPECT_EQ(out->target, Target::kPrimary);
  EXPECT_EQ(out->reason, Reason::kPinned);
  EXPECT_THAT(out->change, HasSubstr("pool_mode"));
}

TEST(Explain, InObserveModeEverythingGoesToThePrimaryAndWhatWouldBeStandsBeside) {
  config::Database database;
  database.mode = config::Mode::kObserve;
  const auto read = explain("SELECT * FROM users WHERE id = 7", nullptr, database);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->target, Target::kPrimary);
  EXPECT_EQ(read->reason, Reason::kObserve);
  EXPECT_THAT(read->change, HasSubstr("mode = \"split\""));
  EXPECT_THAT(explanation_text(*read), HasSubstr("\nwould be: replica, read: "));
  EXPECT_THAT(explanation_json(*read),
              HasSubstr(R"("would_be":{"target":"replica","reason":"read"})"));

  const auto write = explain("SELECT 1 FROM users FOR UPDATE", nullptr, database);
  ASSERT_TRUE(write.has_value());
  EXPECT_THAT(explanation_text(*write), HasSubstr("\nwould be: primary, row_lock: "));
  EXPECT_THAT(write->change, HasSubstr("FOR UPDATE"));
}

TEST(Explain, WithUntilWriteATransactionBeginsOnAReplicaWhereItsIsolationAllows) {
  config::Database database;
  database.transaction_reads = config::TransactionReads::kUntilWrite;
  const auto explained = [&](std::string_view text) {
    return explain(text, nullptr, database).value();
  };
  EXPECT_EQ(explained("BEGIN").target, Target::kReplica);
  EXPECT_EQ(explained("BEGIN").reason, Reason::kUntilWrite);
  EXPECT_EQ(explained("BEGIN ISOLATION LEVEL REPEATABLE READ").reason, Reason::kTransaction);
  EXPECT_EQ(explained("BEGIN ISOLATION LEVEL SERIALIZABLE").reason, Reason::kSerializable);
  EXPECT_EQ(explained("/* fairlead.transaction_reads=primary */ BEGIN").reason,
            Reason::kTransaction);
}

TEST(Advice, EveryReasonHasOneWholeSentence) {
  for (const sql::ReasonText& row : sql::kReasons) {
    EXPECT_FALSE(sql::advice(row.reason).empty()) << row.name;
    EXPECT_TRUE(sql::advice(row.reason).ends_with('.')) << row.name;
  }
}

TEST(ExplanationText, HoldsTargetReasonSentenceAndChange) {
  const auto out = explain("SELECT 1 FROM users FOR UPDATE", nullptr);
  ASSERT_TRUE(out.has_value());
  const std::string text = explanation_text(*out);
  EXPECT_THAT(text, HasSubstr("target  primary\nreason  row_lock\nwhy     SELECT ... FOR UPDATE"));
  EXPECT_THAT(text, HasSubstr("\nchange  Without FOR UPDATE"));
}

TEST(ExplanationJson, IsOneObjectWithTheSameWords) {
  const auto out = explain("SELECT lower(name) FROM users", nullptr);
  ASSERT_TRUE(out.has_value());
  EXPECT_THAT(explanation_json(*out),
              testing::StartsWith(R"({"target":"primary","node":null,"reason":"catalog_loading")"));
  EXPECT_THAT(explanation_json(*out), HasSubstr(R"("functions":["lower"])"));
}

}  // namespace
}  // namespace fairlead::app
