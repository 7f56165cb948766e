#include "app/open_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::app {
namespace {

using testing::HasSubstr;

config::Config hundred_clients() {
  config::Config config;
  config.proxy.max_client_connections = 100;
  config.clusters["main"].nodes = {{"a", 1}, {"b", 2}};
  config.databases["*"].pool_size = 20;
  return config;
}

TEST(OpenFiles, EachClientAndEachServerOfOneUserWantsOneBesideThoseThatAreKept) {
  config::Config config = hundred_clients();
  EXPECT_EQ(open_files_wanted(config), 100U + 2 * 20 + 256);
  config.databases["shop"].pool_size = 5;
  EXPECT_EQ(open_files_wanted(config), 100U + 2 * 20 + 2 * 5 + 256);
}

TEST(OpenFiles, NodesThatPatroniTellsAreCountedByItsAddresses) {
  config::Config config = hundred_clients();
  config.clusters["main"].nodes.clear();
  config.clusters["main"].patroni_urls = {"http://a:8008", "http://b:8008", "http://c:8008"};
  EXPECT_EQ(open_files_wanted(config), 100U + 3 * 20 + 256);
}

TEST(OpenFiles, TooFewAreToldWithBothNumbersAndTheWayOut) {
  const auto warning = open_files_warning(hundred_clients(), 395);
  ASSERT_TRUE(warning);
  EXPECT_THAT(*warning, HasSubstr("may have 395 open files"));
  EXPECT_THAT(*warning, HasSubstr("100 clients"));
  EXPECT_THAT(*warning, HasSubstr("want 396"));
  EXPECT_THAT(*warning, HasSubstr("LimitNOFILE"));
}

TEST(OpenFiles, EnoughAreNoWarning) {
  EXPECT_EQ(open_files_warning(hundred_clients(), 396), std::nullopt);
}

}  // namespace
}  // namespace fairlead::app
