#include "core/failover_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace fairlead::core {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr bool kInside = true;

TEST(LostWork, AWriteOrACommitIsUnknown) {  // E20, E21
  EXPECT_EQ(lost_work({.may_write = true}, !kInside), LostWork::kWrite);
  EXPECT_EQ(lost_work({.commits = true, .controls = true}, kInside), LostWork::kCommit);
  EXPECT_EQ(lost_work({.may_write = true, .commits = true, .controls = true}, !kInside),
            LostWork::kCommit);
}

TEST(LostWork, NothingOfAnOpenTransactionIsCommitted) {  // E20 b
  EXPECT_EQ(lost_work({.may_write = true}, kInside), LostWork::kTransaction);
  EXPECT_EQ(lost_work({}, kInside), LostWork::kTransaction);
  EXPECT_EQ(lost_work({.controls = true}, kInside), LostWork::kTransaction) << "ROLLBACK";
}

TEST(LostWork, NothingOfATransactionThatTheRequestBeginsIsCommittedEither) {  // E20 b
  const LostRequest begun{.may_write = true, .controls = true, .ends_inside = true};
  EXPECT_EQ(lost_work(begun, !kInside), LostWork::kTransaction) << "BEGIN; INSERT as one Query";
  EXPECT_EQ(lost_work(begun, kInside), LostWork::kTransaction) << "ROLLBACK; BEGIN; INSERT";
  LostRequest committed = begun;
  committed.commits = true;
  EXPECT_EQ(lost_work(committed, !kInside), LostWork::kCommit) << "INSERT; COMMIT; BEGIN";
}

TEST(LostWork, BehindTheEndOfATransactionAWriteIsOneOfItsOwn) {  // B10, E21
  EXPECT_EQ(lost_work({.may_write = true, .controls = true}, kInside), LostWork::kWrite)
      << "ROLLBACK; INSERT as one Query";
}

TEST(LostWork, AReadAndAPipelineWithoutItsSyncCanBeRepeated) {
  EXPECT_EQ(lost_work({}, !kInside), LostWork::kRead);
  EXPECT_EQ(lost_work({.may_write = true, .is_whole = false}, !kInside), LostWork::kSegment);
  EXPECT_EQ(lost_work({.is_whole = false}, !kInside), LostWork::kSegment);
}

TEST(LossTable, OnlyUnknownOutcomesAreCalledUnknown) {  // E21
  for (const LostWork work :
       {LostWork::kRead, LostWork::kSegment, LostWork::kTransaction, LostWork::kResting})
    EXPECT_EQ(loss_row(work).code, ErrorCode::kConnectionFailure);
  for (const LostWork work : {LostWork::kWrite, LostWork::kCommit, LostWork::kStateOfWrite})
    EXPECT_EQ(loss_row(work).code, ErrorCode::kUnknownOutcome);
}

TEST(LossTable, OnlyWhatCannotGoOnEndsTheConnection) {  // E25
  for (const LostWork work : {LostWork::kNothingSent, LostWork::kRepeatableRead, LostWork::kMovable,
                              LostWork::kRead, LostWork::kSegment, LostWork::kTransaction,
                              LostWork::kResting, LostWork::kWrite, LostWork::kCommit})
    EXPECT_TRUE(loss_row(work).keeps_client);
  for (const LostWork work : {LostWork::kState, LostWork::kStateOfWrite, LostWork::kHalfAnswer})
    EXPECT_FALSE(loss_row(work).keeps_client);
}

TEST(LossTable, AnErrorSaysWhatHappenedWhyAndWhatToDo) {
  const Error error = loss_error(LostWork::kCommit, "terminating connection");
  EXPECT_EQ(sqlstate(error.code), "08007");
  EXPECT_EQ(error.detail, "terminating connection");
  EXPECT_THAT(error.hint, HasSubstr("before you repeat it"));
  EXPECT_THAT(loss_table_markdown(), HasSubstr("| `COMMIT` | `08007` "));
}

// FAIRLEAD_REGENERATE=1 writes it anew (make generate).
TEST(LossTable, IsTheOneInDocs) {
  const std::string path = std::string(FAIRLEAD_SOURCE_DIR) + "/docs/FAILOVER.md";
  const std::string_view begin = "make generate. -->\n";
  const std::string_view end = "<!-- /table -->";
  std::string page;
  {
    std::ifstream file(path);
    page.assign(std::istreambuf_iterator<char>(file), {});
  }
  const size_t from = page.find(begin) + begin.size();
  const size_t to = page.find(end);
  ASSERT_NE(page.find(begin), std::string::npos);
  ASSERT_NE(to, std::string::npos);
  if (std::getenv("FAIRLEAD_REGENERATE") != nullptr)  // NOLINT(concurrency-mt-unsafe)
    std::ofstream(path) << page.substr(0, from) << loss_table_markdown() << page.substr(to);
  else
    EXPECT_EQ(page.substr(from, to - from), loss_table_markdown()) << "run make generate";
}

}  // namespace
}  // namespace fairlead::core
