#include "console/observations.h"

#include <gmock/gmock.h>

namespace fairlead::console {

using namespace std::chrono_literals;

TEST(Observations, TextsOfOneShapeCountTogetherAndShowNoLiteral) {
  Observations observations;
  for (const char* text :
       {"SELECT * FROM t WHERE name = 'secret'", "select  * from T where name = 'x'"})
    observations.record("shop", {.is_read = true}, text, {}, Time{5s});
  observations.record("shop", {}, "SET app.secret = 'secret'", {}, Time{6s});
  const auto report = observations.report(true, Time{8s});
  ASSERT_EQ(report.size(), 1u);
  EXPECT_EQ(report[0].database, "shop");
  EXPECT_EQ(report[0].since_s, 3);
  EXPECT_EQ(report[0].totals.statements, 3u);
  ASSERT_EQ(report[0].shapes.size(), 2u);
  for (const auto& shape : report[0].shapes)
    EXPECT_EQ(shape.shape.find("secret'"), std::string::npos) << "F54: " << shape.shape;
}

TEST(Observations, ALiteralThatIsCutByTheLimitIsNotShownEither) {
  Observations observations;
  observations.record("shop", {}, "select '" + std::string(20'000, 's') + "'", {}, Time{});
  const auto report = observations.report(true, Time{});
  EXPECT_EQ(report[0].shapes[0].shape.find("ss"), std::string::npos) << "F54";
}

TEST(Observations, ShapesAreLeftOutUnlessAskedFor) {
  Observations observations;
  observations.record("shop", {}, "select 1", {}, Time{});
  EXPECT_TRUE(observations.report(false, Time{})[0].shapes.empty());
}

TEST(Observations, DatabasesAreBoundedAndTheRestSharesABook) {
  Observations observations;
  for (size_t i = 0; i < core::kObservedDatabasesMax + 5; ++i)
    observations.record("d" + std::to_string(i), {}, "select 1", {}, Time{});
  const auto report = observations.report(false, Time{});
  EXPECT_EQ(report.size(), core::kObservedDatabasesMax + 1);
  const auto others = std::ranges::find(report, core::kOtherDatabases, &ObservedDatabase::database);
  ASSERT_NE(others, report.end());
  EXPECT_EQ(others->totals.statements, 5u);
}

}  // namespace fairlead::console
