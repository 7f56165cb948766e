// FAIRLEAD_... variables that no key takes.
#include "config/testing.h"
#include "config/validate.h"

namespace fairlead::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kTrusting = "[auth]\nmethod = \"trust\"\n";

std::vector<std::string> warnings_with(const Texts& variables, std::string_view text = {}) {
  return warnings(
      loaded(sources_of(with_cluster(std::string(kTrusting) + std::string(text)), variables)));
}

TEST(StrayVariables, OfATableThatIsMissingAreRefused) {
  EXPECT_THAT(problems_of(sources_of(kMinimal, {{"FAIRLEAD_DATABASE_SHOP_POOL_SIZE", "50"}})),
              ElementsAre("FAIRLEAD_DATABASE_SHOP_POOL_SIZE: is set, but there is no "
                          "[database.shop]. Hint: add a table whose name is SHOP in capitals, or "
                          "remove the variable"));
  EXPECT_THAT(problems_of(sources_of(kMinimal, {{"FAIRLEAD_CLUSTER_B_TLS_MODE", "require"},
                                                {"FAIRLEAD_USER_BOB_CONSISTENCY", "strict"},
                                                {"FAIRLEAD_DATABASE_A_POOL_MODE", "session"}})),
              ElementsAre(HasSubstr("no [cluster.b]"), HasSubstr("no [database.a]"),
                          HasSubstr("no [user.bob]")));
}

TEST(StrayVariables, WithoutTheNameOfATableAreRefused) {
  EXPECT_THAT(problems_of(sources_of(kMinimal, {{"FAIRLEAD_CLUSTER_NODES", "db1"}})),
              ElementsAre(HasSubstr("write FAIRLEAD_CLUSTER_MAIN_NODES")));
  EXPECT_THAT(problems_of(sources_of(with_cluster("[database.shop]"),
                                     {{"FAIRLEAD_DATABASE_POOL_SIZE", "7"}})),
              ElementsAre(HasSubstr("there is no [database.\"*\"]")))
      << "once";
}

TEST(StrayVariables, ThatSetNoKeyAreWarnedOfWithTheNearestOne) {
  EXPECT_THAT(warnings_with({{"FAIRLEAD_PROXY_WORKER", "4"},
                             {"FAIRLEAD_DATABASE_URL", "postgres://db1"},
                             {"FAIRLEAD_CLUSTER_MAIN_NODE", "db1"}}),
              ElementsAre(HasSubstr("FAIRLEAD_CLUSTER_MAIN_NODE is set, but sets no key of "
                                    "[cluster]; did you mean FAIRLEAD_CLUSTER_MAIN_NODES?"),
                          testing::EndsWith("DATABASE_URL is set, but sets no key of [database]"),
                          HasSubstr("did you mean FAIRLEAD_PROXY_WORKERS?")));
}

TEST(StrayVariables, ThatTheFileNamesOrThatAreEmptyOrTakenAreNone) {
  EXPECT_THAT(
      warnings_with({{"FAIRLEAD_USER_PASSWORD", "pw"}, {"FAIRLEAD_DATABASE_SHOP_MODE", "observe"}},
                    "[database.shop]\ndatabase = \"${FAIRLEAD_USER_PASSWORD}\"\n"),
      IsEmpty());
  Sources unset = sources_of(kMinimal);
  unset.variables = {"FAIRLEAD_DATABASE_SHOP_POOL_SIZE"};
  EXPECT_THAT(problems_of(unset), IsEmpty());
}

TEST(StrayVariables, OfKubernetesAreNotOurs) {
  Texts variables{{"FAIRLEAD_PORT", "tcp://10.0.0.1:6432"}, {"FAIRLEAD_CONFIG_DIR", "/etc"}};
  for (const std::string service : {"FAIRLEAD", "FAIRLEAD_PROXY", "FAIRLEAD_DATABASE_MAIN",
                                    "FAIRLEAD_CLUSTER", "FAIRLEAD_USER", "FAIRLEAD_AUTH"}) {
    variables[service + "_SERVICE_HOST"] = "10.0.0.1";
    variables[service + "_SERVICE_PORT"] = "6432";
    variables[service + "_SERVICE_PORT_POSTGRES"] = "6432";
    variables[service + "_PORT"] = "tcp://10.0.0.1:6432";
    variables[service + "_PORT_6432_TCP"] = "tcp://10.0.0.1:6432";
    variables[service + "_PORT_6432_TCP_PROTO"] = "tcp";
    variables[service + "_PORT_6432_TCP_PORT"] = "6432";
    variables[service + "_PORT_6432_TCP_ADDR"] = "10.0.0.1";
  }
  EXPECT_THAT(warnings_with(variables), IsEmpty());
}

}  // namespace
}  // namespace fairlead::config
