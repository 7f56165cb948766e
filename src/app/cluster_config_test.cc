#include "app/cluster_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/load.h"

namespace fairlead::app {
namespace {

using testing::HasSubstr;
using testing::Not;

cluster::Cluster made_pair() {
  cluster::Cluster cluster;
  cluster.state.spec.dir = "/srv/a \"shop\"";
  cluster.state.secrets = {
      .superuser = "super", .monitor = "watching", .replication = "copying", .application = ""};
  cluster.nodes.resize(2);
  cluster.nodes[0].host = cluster.nodes[1].host = "127.0.0.1";
  cluster.nodes[0].port = 5601;
  cluster.nodes[1].port = 5602;
  return cluster;
}

TEST(ClusterToml, IsAConfigurationWithTheMonitorsOwnRoleAndNoWarning) {
  config::Sources sources;
  sources.file_text = cluster_toml(made_pair(), "/srv/a \"shop\"/users.txt");
  sources.file_name = "fairlead.toml";
  sources.read_file = [](const std::string&) -> Result<std::string> { return ""; };
  const auto config = config::load(sources);
  ASSERT_TRUE(config.has_value());
  const config::Cluster& main = config->clusters.at("main");
  EXPECT_EQ(main.monitor_user, "fairlead");
  EXPECT_EQ(main.monitor_password.text, "watching");
  EXPECT_EQ(main.nodes.size(), 2U);
  EXPECT_EQ(config->auth.users_file, "/srv/a \"shop\"/users.txt");
  EXPECT_THAT(*sources.file_text, Not(HasSubstr("super")));
  EXPECT_EQ(users_text(made_pair()), "\"postgres\" \"super\"\n");
}

TEST(SameButForNodes, IsWhatOnlyTheMembersHaveChanged) {
  const std::string old_text = "# words\n[cluster.main]\nnodes = [\"a:1\"]\nmonitor_user = \"m\"\n";
  const std::string wanted =
      "# words\n[cluster.main]\nnodes = [\"a:1\", \"b:2\"]\nmonitor_user = \"m\"\n";
  EXPECT_TRUE(same_but_for_nodes(old_text, wanted));
  EXPECT_TRUE(same_but_for_nodes(wanted, old_text));
  EXPECT_TRUE(same_but_for_nodes(wanted, wanted));
}

TEST(SameButForNodes, IsNotWhatSomebodyHasChanged) {
  const std::string wanted = "[cluster.main]\nnodes = [\"a:1\"]\nmonitor_user = \"m\"\n";
  for (const auto* text :
       {"", "[cluster.main]\nmonitor_user = \"m\"\n",
        "[cluster.main]\nnodes = [\"a:1\"]\nmonitor_user = \"other\"\n",
        "[cluster.main]\nnodes = [\"a:1\"]\nmonitor_user = \"m\"\ntls_mode = 1\n",
        "[listen]\n[cluster.main]\nnodes = [\"a:1\"]\nmonitor_user = \"m\"\n",
        "[cluster.main]\nnodes = [\n  \"a:1\"]\nmonitor_user = \"m\"\n",
        "[cluster.main]\nnodes = [\"a:1\"]"})
    EXPECT_FALSE(same_but_for_nodes(text, wanted)) << text;
}

}  // namespace
}  // namespace fairlead::app
