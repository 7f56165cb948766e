#include "app/config_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "app/environment_testing.h"

namespace fairlead::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

config::FileReader files_of(std::map<std::string, std::string> files) {
  return [files = std::move(files)](const std::string& path) -> Result<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return fail(ErrorCode::kUndefinedObject, "cannot read " + path);
    return found->second;
  };
}

const config::FileReader kNoFiles = files_of({});
const config::Environment kNothingSet = environment_of({});

TEST(SplitUrls, TakesSpacesLinesAndCommas) {
  EXPECT_THAT(split_urls("postgres://a postgres://b\n postgresql://c"),
              ElementsAre("postgres://a", "postgres://b", "postgresql://c"));
  EXPECT_THAT(split_urls("postgres://a/x,postgresql://b/x"),
              ElementsAre("postgres://a/x", "postgresql://b/x"));
  EXPECT_THAT(split_urls("postgres://a, postgres://b,"),
              ElementsAre("postgres://a", "postgres://b"));
  EXPECT_THAT(split_urls("  "), ElementsAre());
}

TEST(SplitUrls, KeepsTheHostsOfOneUrlTogether) {
  EXPECT_THAT(split_urls("postgres://a:1,b:2/app"), ElementsAre("postgres://a:1,b:2/app"));
}

TEST(ParseSet, SplitsAtTheFirstEqualsSign) {
  const auto value = parse_set("cluster.main.monitor_password=a=b");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->key, "cluster.main.monitor_password");
  EXPECT_EQ(value->value, "a=b");
  EXPECT_FALSE(parse_set("listen.port").has_value());
  EXPECT_FALSE(parse_set("=7").has_value());
}

TEST(FindSources, AFileBeatsEveryVariable) {
  ConfigOptions options;
  options.file = "my.toml";
  const auto sources = find_sources(
      options, environment_of({{"DATABASE_URL", "postgres://a"}, {"FAIRLEAD_CONFIG", "other"}}),
      files_of({{"my.toml", "x"}, {"other", "y"}}));
  ASSERT_TRUE(sources.has_value());
  EXPECT_EQ(sources->file_text, "x");
  EXPECT_EQ(sources->file_name, "my.toml");
  EXPECT_FALSE(sources->primary_url.has_value());
}

TEST(FindSources, UrlFlagsBeatTheEnvironment) {
  ConfigOptions options;
  options.primary_url = "postgres://flag";
  options.replica_urls = {"postgres://r1", "postgres://r2"};
  const auto sources = find_sources(
      options, environment_of({{"DATABASE_URL", "postgres://a"}, {"REPLICA_URLS", "postgres://b"}}),
      kNoFiles);
  ASSERT_TRUE(sources.has_value());
  EXPECT_EQ(sources->primary_url->url, "postgres://flag");
  EXPECT_EQ(sources->primary_url->where, "--primary");
  ASSERT_EQ(sources->replica_urls.size(), 2u);
  EXPECT_EQ(sources->replica_urls[1].url, "postgres://r2");
}

TEST(FindSources, StartsFromDatabaseUrlAndReplicaUrlsAlone) {
  const auto sources = find_sources({},
                                    environment_of({{"DATABASE_URL", "postgres://a"},
                                                    {"REPLICA_URLS", "postgres://b,postgres://c"}}),
                                    kNoFiles);
  ASSERT_TRUE(sources.has_value());
  EXPECT_EQ(sources->primary_url->where, "DATABASE_URL");
  ASSERT_EQ(sources->replica_urls.size(), 2u);
  EXPECT_EQ(sources->replica_urls[0].where, "REPLICA_URLS");
}

TEST(FindSources, ReplicaUrlsAloneAreAMistakeAndNotIgnored) {
  const auto sources = find_sources({}, environment_of({{"REPLICA_URLS", "postgres://b"}}),
                                    files_of({{"/etc/fairlead/fairlead.toml", "z"}}));
  ASSERT_FALSE(sources.has_value());
  EXPECT_THAT(sources.error().message, HasSubstr("needs DATABASE_URL"));
}

TEST(FindSources, FallsBackToTheSystemsFile) {
  const auto sources =
      find_sources({}, kNothingSet, files_of({{"/etc/fairlead/fairlead.toml", "z"}}));
  ASSERT_TRUE(sources.has_value());
  EXPECT_EQ(sources->file_text, "z");
}

TEST(FindSources, NothingAtAllIsAMatterOfUsage) {
  const auto sources = find_sources({}, kNothingSet, kNoFiles);
  ASSERT_FALSE(sources.has_value());
  EXPECT_EQ(sources.error().code, ErrorCode::kInvalidParameterValue);
  EXPECT_THAT(sources.error().hint, HasSubstr("--primary URL"));
}

TEST(FindSources, NodesInAVariableAreEnough) {
  EXPECT_TRUE(find_sources({}, environment_of({{"FAIRLEAD_CLUSTER_MAIN_NODES", "a:1"}}), kNoFiles));
}

TEST(FindSources, ANamedFileThatIsMissingIsAnError) {
  ConfigOptions options;
  options.file = "gone.toml";
  const auto sources = find_sources(options, kNothingSet, kNoFiles);
  ASSERT_FALSE(sources.has_value());
  EXPECT_EQ(sources.error().code, ErrorCode::kUndefinedObject);
}

TEST(FindSources, TheSystemsFileThatCannotBeReadIsNotTakenForMissing) {
  const config::FileReader locked = [](const std::string&) -> Result<std::string> {
    return fail(ErrorCode::kIo, "cannot read it", "Permission denied");
  };
  EXPECT_EQ(find_sources({}, kNothingSet, locked).error().detail, "Permission denied");
}

TEST(FindSources, RefusesAFileTogetherWithUrlsAndReplicasAlone) {
  ConfigOptions both;
  both.file = "my.toml";
  both.primary_url = "postgres://a";
  EXPECT_EQ(find_sources(both, kNothingSet, kNoFiles).error().code,
            ErrorCode::kInvalidParameterValue);
  ConfigOptions replicas;
  replicas.replica_urls = {"postgres://a"};
  EXPECT_EQ(find_sources(replicas, kNothingSet, kNoFiles).error().code,
            ErrorCode::kInvalidParameterValue);
}

}  // namespace
}  // namespace fairlead::app
