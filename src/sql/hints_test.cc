#include "sql/hints.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead::sql {
namespace {

using RouteKind = Route::Kind;

Hints found(std::string_view text, LexOptions options = {}) {
  const auto hints = find_hints(text, options);
  EXPECT_TRUE(hints.has_value()) << text;
  return hints.value_or(Hints{});
}

TEST(Hints, AreReadFromBlockAndLineComments) {
  for (const char* text :
       {"/* fairlead.route=primary */ SELECT 1", "SELECT 1 /*fairlead.route='primary'*/",
        "SELECT 1 -- fairlead.route = primary", "SELECT /* FAIRLEAD.ROUTE=PRIMARY */ 1",
        "/* fairlead: primary */ SELECT 1", "/*fairlead:primary*/ SELECT 1",
        "/* app='x',fairlead.route='primary',y=z */ SELECT 1", "/* fairlead.route: primary */",
        "/* pgdog_role: primary */ SELECT 1", "/*NO LOAD BALANCE*/ SELECT 1",
        "/* no load balance */ SELECT 1", "/* outer /* fairlead.route=primary */ */ SELECT 1",
        "-- a\n/* b */ -- fairlead.route=primary\nSELECT 1"})
    EXPECT_EQ(found(text).route, Route{RouteKind::kPrimary}) << text;
  EXPECT_EQ(found("/* pgdog_role: replica */ SELECT 1").route, Route{RouteKind::kReplica});
  EXPECT_EQ(found("/* fairlead.route=db-2.local:5433 */").route,
            (Route{RouteKind::kNode, "db-2.local:5433"}));
}

TEST(Hints, AreNeverReadFromLiteralsOrNames) {  // A7
  for (const char* text :
       {"SELECT '/* fairlead.route=primary */'", "SELECT $$ /* fairlead.route=primary */ $$",
        "SELECT \"/* fairlead.route=primary */\"", "SELECT E'\\' /* fairlead.route=primary */'",
        "SELECT 'a'\n'/* fairlead.route=primary */'", "SELECT fairlead.route = 1",
        "SELECT '-- fairlead.route=primary'", "SELECT 1 /* fairlead.route=primary"})
    EXPECT_TRUE(found(text).empty()) << text;
}

TEST(Hints, LeaveProseAlone) {
  for (const char* text :
       {"/* see fairlead.example for more */ SELECT 1", "/* unfairlead.route=primary */ SELECT 1",
        "/* x.fairlead.route=primary */ SELECT 1", "/* fairlead is nice */ SELECT 1",
        "/* pgdog_role: sometimes */ SELECT 1", "/* NO LOAD BALANCER */ SELECT 1", "SELECT 1",
        "SELECT 4/2 - -1", "/**/", "--", "/* fairlead */"})
    EXPECT_TRUE(found(text).empty()) << text;
}

TEST(Hints, CarrySeveralSettingsAndTheLastOneCounts) {
  const Hints hints = found(
      "/* fairlead.consistency=eventual, fairlead.explain='off'; fairlead.min_lsn=0/0 */ "
      "SELECT 1 /* fairlead.tags='route=/users,n=1' fairlead.route=replica */ "
      "-- fairlead.route=auto");
  EXPECT_EQ(hints.consistency, ReadConsistency::kEventual);
  EXPECT_EQ(hints.min_lsn, FloorToken{});
  EXPECT_EQ(hints.tags, Tags{"route=/users,n=1"});
  EXPECT_EQ(hints.explain, Explain{false});
  EXPECT_EQ(hints.route, Route{RouteKind::kAuto});
}

TEST(Hints, AreErrorsWhenTheyAreWrong) {
  const auto code = [](std::string_view text) { return find_hints(text).error().code; };
  EXPECT_EQ(code("/* fairlead.rout=primary */ SELECT 1"), ErrorCode::kUndefinedObject);
  EXPECT_EQ(find_hints("/* fairlead.rout=primary */").error().hint,
            "Perhaps you meant \"fairlead.route\".");
  EXPECT_EQ(code("/* fairlead.route=everywhere */"), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(code("/* fairlead: everywhere */"), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(code("/* fairlead.route= */"), ErrorCode::kInvalidParameterValue);
  EXPECT_EQ(code("/* fairlead.=x */"), ErrorCode::kUndefinedObject);
}

TEST(Hints, SurviveEveryTruncation) {
  const std::string all = "/* fairlead.route='primary' -- x */ SELECT 'a' -- fairlead.tags=1s";
  for (size_t size = 0; size <= all.size(); ++size) {
    const auto hints = find_hints(std::string_view(all).substr(0, size));
    if (size == all.size()) {
      EXPECT_TRUE(hints.has_value());
    }
  }
}

struct ValueCase {
  const char* name;
  const char* value;
  bool good;
};

TEST(Settings, AcceptGoodValuesAndRefuseAllOthers) {
  const ValueCase cases[] = {
      {"fairlead.route", "auto", true},
      {"Fairlead.Route", "Replica", true},
      {"fairlead.route", "10.0.0.1:5432", true},
      {"fairlead.route", "[::1]:5432", true},
      {"fairlead.route", "host", false},
      {"fairlead.route", "host:0", false},
      {"fairlead.route", "host:65536", false},
      {"fairlead.route", ":5432", false},
      {"fairlead.route", "a b:5432", false},
      {"fairlead.route", "", false},
      {"fairlead.consistency", "EVENTUAL", true},
      {"fairlead.consistency", "strong", false},
      {"fairlead.min_lsn", "0/0", true},
      {"fairlead.min_lsn", "", true},
      {"fairlead.min_lsn", "7000000000000000001:2:16/B374D848", true},
      {"fairlead.min_lsn", "0:16/B374D848", false},
      {"fairlead.min_lsn", "1:2:3:0/1", false},
      {"fairlead.min_lsn", ":0/1", false},
      {"fairlead.min_lsn", "-1:0/1", false},
      {"fairlead.min_lsn", "0", false},
      {"fairlead.max_lag", "10s", true},
      {"fairlead.max_lag", "500", true},
      {"fairlead.max_lag", "2 min", true},
      {"fairlead.max_lag", "0", true},
      {"fairlead.max_lag", "", false},
      {"fairlead.max_lag", "s", false},
      {"fairlead.max_lag", "-1s", false},
      {"fairlead.max_lag", "1.5s", false},
      {"fairlead.max_lag", "10 parsecs", false},
      {"fairlead.max_lag", "99999999999999999999s", false},
      {"fairlead.max_lag", "9999999d", false},
      {"fairlead.tags", "a=b", true},
      {"fairlead.tags", "a\nb", false},
      {"fairlead.explain", "on", true},
      {"fairlead.explain", "0", true},
      {"fairlead.explain", "maybe", false},
  };
  for (const ValueCase& c : cases) {
    const auto setting = read_setting(c.name, c.value);
    EXPECT_EQ(setting.has_value(), c.good) << c.name << " = " << c.value;
    if (setting) continue;
    EXPECT_EQ(setting.error().code, ErrorCode::kInvalidParameterValue);
    EXPECT_FALSE(setting.error().hint.empty());
  }
}

Hints both(std::string_view one, std::string_view other) {
  Hints hints = find_hints(one).value_or(Hints{});
  hints.add(find_hints(other).value_or(Hints{}));
  return hints;
}

TEST(Hints, OfTwoTextsTheStricterWishCounts) {  // A7
  const std::string_view strict =
      "/* fairlead.route=primary, fairlead.consistency=strict, fairlead.max_lag=1s, "
      "fairlead.min_lsn=0/20, fairlead.explain=on */";
  const std::string_view lax =
      "/* fairlead.route=replica, fairlead.consistency=eventual, fairlead.max_lag=1h, "
      "fairlead.min_lsn=0/10, fairlead.explain=off */";
  const Hints stricter = both(strict, "");
  ASSERT_TRUE(stricter.route && stricter.consistency && stricter.max_lag && stricter.min_lsn);
  EXPECT_EQ(both(strict, lax), stricter);
  EXPECT_EQ(both(lax, strict), stricter);
  EXPECT_EQ(both("", strict), stricter);
}

TEST(Settings, MeanWhatTheySay) {
  EXPECT_EQ(read_setting("fairlead.max_lag", "500"), Setting(Duration(500'000)));
  EXPECT_EQ(read_setting("fairlead.max_lag", "2min"), Setting(Duration(120'000'000)));
  EXPECT_EQ(read_setting("fairlead.min_lsn", "7:3:0/10"), Setting(FloorToken{7, 3, Lsn{0x10}}));
  EXPECT_EQ(read_setting("fairlead.consistency", "session"), Setting(ReadConsistency::kSession));
}

TEST(Settings, BoundTags) {
  EXPECT_TRUE(read_setting("fairlead.tags", std::string(kTagsBytesMax, 'x')).has_value());
  EXPECT_FALSE(read_setting("fairlead.tags", std::string(kTagsBytesMax + 1, 'x')).has_value());
}

TEST(Settings, AreKnownByTheirPrefixInAnyCase) {
  EXPECT_TRUE(is_fairlead_setting("Fairlead.anything"));
  EXPECT_FALSE(is_fairlead_setting("fairlead"));
  EXPECT_FALSE(is_fairlead_setting("fairleads.x"));
  for (const std::string_view name : kSettingNames) {
    const auto setting = read_setting(name, "?");
    EXPECT_TRUE(setting || setting.error().code == ErrorCode::kInvalidParameterValue) << name;
  }
}

}  // namespace
}  // namespace fairlead::sql
