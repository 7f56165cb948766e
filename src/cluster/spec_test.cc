#include "cluster/spec.h"

#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

ClusterSpec good() {
  ClusterSpec spec;
  spec.dir = "/srv/db";
  return spec;
}

TEST(ClusterSpec, DefaultsInAShortFolderAreFine) { EXPECT_TRUE(check(good()).has_value()); }

TEST(ClusterSpec, AFolderTooLongForUnixSocketsIsRefusedAndTheLimitIsNamed) {
  ClusterSpec spec = good();
  // dir + "/s" + "/.s.PGSQL.65535" may have 107 bytes.
  spec.dir = "/" + std::string(89, 'x');
  EXPECT_TRUE(check(spec).has_value());
  spec.dir += "x";
  const auto checked = check(spec);
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().message, "the path of the cluster's folder is 1 bytes too long");
  EXPECT_NE(checked.error().detail.find("107"), std::string::npos);
  EXPECT_EQ(checked.error().hint, "choose a shorter path");
}

TEST(ClusterSpec, TheRootFolderAndRelativePathsAreRefused) {
  for (const char* dir : {"", "/", "db", "./db", "/a'b", "/a,b", "/a\nb"}) {
    ClusterSpec spec = good();
    spec.dir = dir;
    EXPECT_FALSE(check(spec).has_value()) << dir;
  }
}

TEST(ClusterSpec, NamesThatConfigurationFilesCouldMisreadAreRefused) {
  for (const char* name :
       {"", "Upper", "with space", "quo\"te", "1st", "line\nbreak", "all all trust"}) {
    ClusterSpec spec = good();
    spec.replication_user = name;
    EXPECT_FALSE(check(spec).has_value()) << name;
  }
  ClusterSpec spec = good();
  spec.database = std::string(64, 'a');
  EXPECT_FALSE(check(spec).has_value());
}

TEST(ClusterSpec, NodesHaveOneAddressWhichOthersCanConnectTo) {
  ClusterSpec spec = good();
  for (const char* host : {"127.0.0.1", "10.0.0.1", "::1", "0::1"}) {
    spec.host = host;
    EXPECT_TRUE(check(spec).has_value()) << host;
  }
  for (const char* host : {"0.0.0.0", "::", "0::0", "0:0:0:0:0:0:0:0", "localhost", "*"}) {
    spec.host = host;
    EXPECT_FALSE(check(spec).has_value()) << host;
  }
}

TEST(ClusterSpec, TwoRolesOfOneNameAreRefused) {
  ClusterSpec spec = good();
  spec.application_user = "fairlead";
  EXPECT_FALSE(check(spec).has_value());
}

TEST(ClusterSpec, TheHostIsANumber) {
  for (const char* host : {"localhost", "", "127.0.0.1/8", "0.0.0.0.0"}) {
    ClusterSpec spec = good();
    spec.host = host;
    EXPECT_FALSE(check(spec).has_value()) << host;
  }
  ClusterSpec spec = good();
  spec.host = "::1";
  EXPECT_TRUE(check(spec).has_value());
}

TEST(ClusterSpec, PortsAndReplicasHaveLimits) {
  ClusterSpec spec = good();
  spec.base_port = 65534;
  EXPECT_FALSE(check(spec).has_value());
  spec.base_port = 65533;
  EXPECT_TRUE(check(spec).has_value());
  spec.base_port = 80;
  EXPECT_FALSE(check(spec).has_value());
  spec.base_port = 0;
  for (const int replicas : {-1, kReplicasMax + 1}) {
    spec.replicas = replicas;
    EXPECT_FALSE(check(spec).has_value());
  }
}

TEST(ClusterSpec, SettingsThatHoldTheClusterTogetherCannotBeSet) {
  for (const char* name : {"port", "primary_conninfo", "hba_file", "", "bad name", "x = 1 #"}) {
    ClusterSpec spec = good();
    spec.settings = {{name, "1"}};
    EXPECT_FALSE(check(spec).has_value()) << name;
  }
  ClusterSpec spec = good();
  spec.settings = {{"work_mem", "8MB"}, {"auto_explain.log_min_duration", "1s"}};
  EXPECT_TRUE(check(spec).has_value());
  spec.settings = {{"work_mem", "8MB\nfsync = off"}};
  EXPECT_FALSE(check(spec).has_value());
}

}  // namespace
}  // namespace fairlead::cluster
