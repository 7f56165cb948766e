#include "core/parameter_status.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fairlead::core {
namespace {

ReportedParameters primary() {
  ReportedParameters reports;
  for (const auto& [name, value] : std::vector<ReportedParameter>{{"server_version", "15.20"},
                                                                  {"TimeZone", "UTC"},
                                                                  {"DateStyle", "ISO, MDY"},
                                                                  {"in_hot_standby", "off"},
                                                                  {"application_name", ""}})
    EXPECT_TRUE(reports.set(name, value));
  return reports;
}

std::vector<ReportedParameter> values(const std::vector<const ReportedParameter*>& pointers) {
  std::vector<ReportedParameter> values;
  for (const ReportedParameter* pointer : pointers) values.push_back(*pointer);
  return values;
}

TEST(ReportedParameters, FindsNamesInAnyCaseAndKeepsTheirSpelling) {
  const ReportedParameters reports = primary();
  ASSERT_NE(reports.find("timezone"), nullptr);
  EXPECT_EQ(*reports.find("TIMEZONE"), "UTC");
  EXPECT_EQ(reports.find("search_path"), nullptr);
  EXPECT_EQ(reports.value_or("client_encoding", "UTF8"), "UTF8");
  EXPECT_EQ(reports.entries()[1].name, "DateStyle");
}

TEST(ReportedParameters, IsAValue) {
  const ReportedParameters before = primary();
  ReportedParameters after = before;
  EXPECT_EQ(before, after);
  after.set("TimeZone", "Asia/Tokyo");
  EXPECT_NE(before, after);
  EXPECT_EQ(*before.find("TimeZone"), "UTC");
  after.set("TimeZone", "UTC");
  EXPECT_EQ(before, after);
  EXPECT_NE(ReportedParameters(), before);
}

TEST(ReportedParameters, SharesItsContentWithItsEquals) {
  ReportedParameters client = primary();
  ReportedParameters server = primary();
  EXPECT_NE(client.entries().data(), server.entries().data());
  EXPECT_TRUE(client.share_if_equal(server));
  EXPECT_EQ(client.entries().data(), server.entries().data());
  server.set("TimeZone", "Asia/Tokyo");
  EXPECT_FALSE(client.share_if_equal(server));
  EXPECT_EQ(*client.find("TimeZone"), "UTC");
  EXPECT_EQ(*server.find("TimeZone"), "Asia/Tokyo");
}

TEST(ReportedParameters, DoesNotGrowWithoutBound) {
  ReportedParameters reports;
  for (size_t i = 0; i < ReportedParameters::kNamesMax; ++i)
    EXPECT_TRUE(reports.set("name" + std::to_string(i), "x"));
  EXPECT_FALSE(reports.set("one_more", "x"));
  EXPECT_TRUE(reports.set("name0", "y"));
}

// C7.
TEST(Differences, AreWhatTheClientHasToBeTold) {
  const ReportedParameters seen = primary();
  ReportedParameters replica = primary();
  EXPECT_TRUE(differences(seen, replica).empty());
  replica.set("in_hot_standby", "on");
  replica.set("server_version", "15.21");
  EXPECT_TRUE(differences(seen, replica).empty());
  replica.set("TimeZone", "Asia/Tokyo");
  replica.set("search_path", "public");
  EXPECT_EQ(
      values(differences(seen, replica)),
      (std::vector<ReportedParameter>{{"search_path", "public"}, {"TimeZone", "Asia/Tokyo"}}));
}

TEST(Differences, SayNothingAboutWhatTheServerDoesNotReport) {
  ReportedParameters older;
  older.set("TimeZone", "UTC");
  EXPECT_TRUE(differences(primary(), older).empty());
}

// C5: a replica whose postgresql.conf has another time zone must not answer otherwise.
TEST(SettableDifferences, MakeOneNodeStartAsAnotherDoes) {
  ReportedParameters replica = primary();
  replica.set("TimeZone", "Europe/Zurich");
  replica.set("in_hot_standby", "on");
  replica.set("session_authorization", "somebody");
  EXPECT_EQ(values(settable_differences(primary(), replica)),
            (std::vector<ReportedParameter>{{"TimeZone", "UTC"}}));
}

TEST(ReportedNames, KnowWhatASessionCanSet) {  // C7, F6
  EXPECT_TRUE(is_reported_name("DateStyle"));
  EXPECT_FALSE(is_reported_name("work_mem"));
  EXPECT_TRUE(is_settable_report("application_name"));
  EXPECT_TRUE(is_settable_report("session_authorization"));
  EXPECT_FALSE(is_settable_report("is_superuser"));
  EXPECT_FALSE(is_settable_report("in_hot_standby"));
  EXPECT_TRUE(describes_node("in_hot_standby"));
  EXPECT_TRUE(describes_node("server_version"));
  EXPECT_FALSE(describes_node("TimeZone"));
}

}  // namespace
}  // namespace fairlead::core
