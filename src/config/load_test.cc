// Reading the file: types, places, messages, layers and secrets.
#include "config/load.h"

#include "config/describe.h"
#include "config/testing.h"

namespace fairlead::config {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Load, OfTheLeastFileHasTheDefaults) {
  const Config config = loaded(sources_of(kMinimal));
  EXPECT_EQ(config.listen, Listen{});
  EXPECT_EQ(config.proxy, Proxy{});
  EXPECT_EQ(config.auth, Auth{});
  ASSERT_TRUE(config.clusters.contains("main"));
  EXPECT_THAT(config.clusters.at("main").nodes,
              ElementsAre(NodeAddress{"db1", 5432}, NodeAddress{"db2", 5432}));
}

TEST(Load, WithoutADatabaseTablePassesEveryDatabaseThrough) {
  const Config config = loaded(sources_of("[cluster.prod]\nnodes = [\"db1\"]\n"));
  const Database* database = config.find_database("anything");
  ASSERT_NE(database, nullptr);
  EXPECT_EQ(config.cluster_of(*database).nodes.front().host, "db1");
}

TEST(Load, FindsADatabaseOfItsOwnBeforeTheStar) {
  const Config config = loaded(sources_of(
      with_cluster("[database.\"*\"]\npool_size = 1\n[database.\"a.b\"]\npool_size = 2\n")));
  EXPECT_EQ(config.find_database("a.b")->pool_size, 2U);
  EXPECT_EQ(config.find_database("other")->pool_size, 1U);
}

TEST(Load, KnowsNoOtherDatabaseThanThoseNamed) {
  const Config config = loaded(sources_of(with_cluster("[database.shop]\n")));
  EXPECT_NE(config.find_database("shop"), nullptr);
  EXPECT_EQ(config.find_database("other"), nullptr);
}

TEST(Load, ReadsEveryKindOfValue) {
  const Config config = loaded(sources_of(with_cluster(R"(
[proxy]
workers = 4
server_lifetime = "90s"
retry_buffer_max = "1MiB"
log_level = "debug"
[database."*"]
balance = "round_robin"
primary_reads = true
[listen]
host = "::1"
read_port = 0
)")));
  EXPECT_EQ(config.proxy.workers, 4U);
  EXPECT_EQ(config.proxy.server_lifetime, Duration(90s));
  EXPECT_EQ(config.proxy.retry_buffer_max, Bytes{1 << 20});
  EXPECT_EQ(config.proxy.log_level, log::Level::kDebug);
  EXPECT_EQ(config.databases.at("*").balance, Balance::kRoundRobin);
  EXPECT_TRUE(config.databases.at("*").primary_reads);
  EXPECT_EQ(config.listen.host, "::1");
  EXPECT_EQ(config.listen.read_port, 0);
}

TEST(Load, TellsAnUnknownKeyWithItsPlaceAndTheNearestOne) {
  EXPECT_THAT(
      problems_of(sources_of(with_cluster("[proxy]\n\n  worker = 2"))),
      ElementsAre("test.toml:3:3: proxy.worker: unknown key. Hint: did you mean \"workers\"?"));
}

TEST(Load, TellsTheSectionOfAKeyThatIsInAnother) {
  EXPECT_THAT(problems_of(sources_of(with_cluster("[listen]\npool_size = 3"))),
              ElementsAre(AllOf(HasSubstr("test.toml:2:1: listen.pool_size"),
                                HasSubstr("\"pool_size\" is a key of [database]"))));
}

TEST(Load, TellsAnUnknownSectionOnce) {
  EXPECT_THAT(problems_of(sources_of(with_cluster("[proxi]\na = 1\nb = 2"))),
              ElementsAre(AllOf(HasSubstr("test.toml:1:2: proxi: unknown section"),
                                HasSubstr("did you mean \"proxy\"?"))));
}

TEST(Load, ReportsAllProblemsInTheOrderOfTheFile) {
  const auto problems = problems_of(sources_of(with_cluster(
      "stray = 1\n[proxy]\nzzz = 1\nworkers = -1\nserver_lifetime = 5\n[listen]\nport = \"x\"\n")));
  EXPECT_THAT(problems,
              ElementsAre(HasSubstr("test.toml:1:1: stray"), HasSubstr("test.toml:3:1: proxy.zzz"),
                          HasSubstr("test.toml:4:1: proxy.workers"),
                          HasSubstr("test.toml:5:1: proxy.server_lifetime"),
                          HasSubstr("test.toml:7:1: listen.port")));
}

TEST(Load, SaysThatANumberNeedsAUnit) {
  EXPECT_THAT(problems_of(sources_of(with_cluster("[proxy]\nserver_lifetime = 5"))),
              ElementsAre(AllOf(HasSubstr("5 has no unit"), HasSubstr("\"5s\""))));
  EXPECT_THAT(problems_of(sources_of(with_cluster("[proxy]\nretry_buffer_max = 65536"))),
              ElementsAre(AllOf(HasSubstr("65536 has no unit"), HasSubstr("\"64MiB\""))));
}

TEST(Load, RefusesValuesOfTheWrongType) {
  for (const auto* text : {"[proxy]\nworkers = \"2\"",
                           "[proxy]\nworkers = 2.5",
                           "[proxy]\nworkers = true",
                           "[proxy]\nworkers = [2]",
                           "[proxy]\nworkers = 2020-01-01",
                           "[proxy.workers]\na = 1",
                           "[listen]\nhost = 5",
                           "[database.x]\nprimary_reads = \"true\"",
                           "[database.x]\nprimary_reads = 1",
                           "[proxy]\nlog_level = 3",
                           "listen = 5",
                           "[listen]\nport = -1",
                           "[listen]\nport = 65536",
                           "[listen]\nport = 9223372036854775807",
                           "[cluster]\nnodes = [\"a\"]",
                           "[[listen]]\nport = 1",
                           "[cluster.x]\nnodes = \"db1\"",
                           "[cluster.x]\nnodes = [1]",
                           "[cluster.x]\nnodes = [[\"a\"]]",
                           "[listen]\nhost = \"a\\u0000b\""}) {
    EXPECT_THAT(problems_of(sources_of(with_cluster(text))), Not(IsEmpty())) << text;
  }
}

TEST(Load, TellsTheWordsThatAKeyTakes) {
  EXPECT_THAT(problems_of(sources_of(with_cluster("[database.x]\nbalance = \"least_bussy\""))),
              ElementsAre(AllOf(HasSubstr("is none of: least_busy, round_robin, random, sticky"),
                                HasSubstr("did you mean \"least_busy\"?"))));
}

TEST(Load, ReadsAListOfWords) {  // F14
  const Config defaults = loaded(sources_of(kMinimal));
  EXPECT_THAT(defaults.clusters.at("main").server_auth,
              ElementsAre(ServerAuth::kTrust, ServerAuth::kScramSha256));
  const std::string two = std::string(kMinimal) + "server_auth = [\"md5\", \"password\"]";
  EXPECT_THAT(loaded(sources_of(two)).clusters.at("main").server_auth,
              ElementsAre(ServerAuth::kMd5, ServerAuth::kPassword));
  const Texts variables{{"FAIRLEAD_CLUSTER_MAIN_SERVER_AUTH", "scram-sha-256, md5"}};
  EXPECT_THAT(loaded(sources_of(kMinimal, variables)).clusters.at("main").server_auth,
              ElementsAre(ServerAuth::kScramSha256, ServerAuth::kMd5));
  EXPECT_THAT(problems_of(sources_of(std::string(kMinimal) + "server_auth = [\"scram\"]")),
              ElementsAre(HasSubstr("is none of: trust, scram-sha-256, md5, password")));
  EXPECT_THAT(problems_of(sources_of(std::string(kMinimal) + "server_auth = \"md5\"")),
              ElementsAre(HasSubstr("expected list of words")));
}

TEST(Load, TellsTheBoundsOfAKeyInItsUnit) {
  EXPECT_THAT(problems_of(sources_of(with_cluster("[proxy]\nclient_login_timeout = \"1ms\""))),
              ElementsAre(HasSubstr("1ms is out of bounds: from 100ms to 1h")));
}

TEST(Load, HoldsEveryKeyToItsBounds) {
  size_t bounds = 0;
  for (const Section& section : sections()) {
    for (const Key& key : section.keys) {
      if (key.min >= key.max) continue;
      ++bounds;
      const std::string unit = key.type == "duration" ? "us" : key.type == "size" ? "B" : "";
      Config config;
      const SectionRef values = section_in(config, section, section.named() ? "x" : "");
      const auto accepts = [&](int64_t value) {
        return key.read(key, Text{std::to_string(value) + unit}, values).has_value();
      };
      EXPECT_TRUE(accepts(key.min)) << key.name;
      EXPECT_TRUE(accepts(key.max)) << key.name;
      EXPECT_FALSE(accepts(key.max + 1)) << key.name;
      EXPECT_FALSE(key.min > 0 && accepts(key.min - 1)) << key.name;
    }
  }
  EXPECT_GT(bounds, 15U);
}

TEST(Load, RefusesADurationThatNoClockCanCount) {
  EXPECT_EQ(problems_of(sources_of(with_cluster("[proxy]\nserver_lifetime = \"36601d\""))).size(),
            1U);
}

TEST(Load, AllowsAsManyWorkersAsACancelKeyCanName) {
  EXPECT_EQ(loaded(sources_of(with_cluster("[proxy]\nworkers = 64"))).proxy.workers, 64U);
  EXPECT_THAT(problems_of(sources_of(with_cluster("[proxy]\nworkers = 65"))),
              ElementsAre(HasSubstr("65 is out of bounds: from 0 to 64")));
}

TEST(Load, TellsWhereTheTomlIsBroken) {
  EXPECT_THAT(problems_of(sources_of("[listen]\nport = = 5\n")),
              ElementsAre(AllOf(HasSubstr("test.toml:2:8: not valid TOML"))));
}

TEST(Load, RefusesLettersThatNoBareKeyHas) {
  for (const auto* text :
       {"\xC3\xA9 = 1", "p\xC6\xA8 = 1", "\xE1\x9A\x81 = 1", "port \xC3\xA9= 1"}) {
    EXPECT_THAT(problems_of(sources_of(text)), ElementsAre(HasSubstr("not valid TOML"))) << text;
  }
}

TEST(Load, RefusesATableHeaderThatIsNoKey) {
  for (const auto* text : {"[*]", "[\x0f", "[[*]]", "[=]", "[database.*]"}) {
    EXPECT_THAT(problems_of(sources_of(text)), ElementsAre(HasSubstr("not valid TOML"))) << text;
  }
}

TEST(Load, TellsThatAClusterNeedsAName) {
  EXPECT_THAT(problems_of(sources_of("[cluster]\nnodes = [\"db1\"]\n")),
              Contains(AllOf(HasSubstr("[cluster] needs a name"), HasSubstr("[cluster.main]"))));
}

TEST(Load, OfNothingSaysWhatToDo) {
  EXPECT_THAT(problems_of(Sources{}),
              ElementsAre(AllOf(HasSubstr("no cluster"), HasSubstr("DATABASE_URL"))));
}

TEST(Precedence, IsFlagThenEnvironmentThenFileThenDefault) {
  const std::string text =
      with_cluster("[listen]\nport = 1001\nread_port = 1002\nhttp_port = 1003");
  Sources sources =
      sources_of(text, {{"FAIRLEAD_LISTEN_PORT", "2001"}, {"FAIRLEAD_LISTEN_READ_PORT", "2002"}});
  sources.flags = {{"listen.port", "3001", "--port"}};
  const Config config = loaded(sources);
  EXPECT_EQ(config.listen.port, 3001);
  EXPECT_EQ(config.listen.read_port, 2002);
  EXPECT_EQ(config.listen.http_port, 1003);
  EXPECT_EQ(config.listen.primary_port, 6434);

  EXPECT_EQ(config.origins.at("listen.port"), (Origin{Origin::Kind::kFlag, "--port"}));
  EXPECT_EQ(config.origins.at("listen.read_port"),
            (Origin{Origin::Kind::kEnvironment, "FAIRLEAD_LISTEN_READ_PORT"}));
  EXPECT_EQ(config.origins.at("listen.http_port"), (Origin{Origin::Kind::kFile, "test.toml:4"}));
  EXPECT_FALSE(config.origins.contains("listen.primary_port"));
}

TEST(Environment, ReachesNamedSections) {
  const Config config = loaded(sources_of(with_cluster("[database.\"*\"]\n[database.my-shop]\n"),
                                          {{"FAIRLEAD_CLUSTER_MAIN_NODES", "a:1, [::1]:2,"},
                                           {"FAIRLEAD_DATABASE_POOL_SIZE", "7"},
                                           {"FAIRLEAD_DATABASE_MY_SHOP_POOL_SIZE", "8"},
                                           {"FAIRLEAD_DATABASE_MY_SHOP_PRIMARY_READS", "true"}}));
  EXPECT_THAT(config.clusters.at("main").nodes,
              ElementsAre(NodeAddress{"a", 1}, NodeAddress{"::1", 2}));
  EXPECT_EQ(config.databases.at("*").pool_size, 7U);
  EXPECT_EQ(config.databases.at("my-shop").pool_size, 8U);
  EXPECT_TRUE(config.databases.at("my-shop").primary_reads);
}

TEST(Environment, AloneIsEnough) {
  Sources sources;
  sources.environment = environment_of({{"FAIRLEAD_CLUSTER_MAIN_NODES", "db1"}});
  EXPECT_EQ(loaded(sources).clusters.at("main").nodes.front().host, "db1");
}

TEST(Environment, OfAStarThatIsNotThereIsRefused) {
  EXPECT_THAT(problems_of(sources_of(with_cluster("[database.shop]"),
                                     {{"FAIRLEAD_DATABASE_POOL_SIZE", "7"}})),
              ElementsAre(HasSubstr("FAIRLEAD_DATABASE_POOL_SIZE is set, but there is no")));
}

TEST(Environment, MistakesNameTheVariable) {
  EXPECT_THAT(problems_of(sources_of(kMinimal, {{"FAIRLEAD_PROXY_WORKERS", "many"}})),
              ElementsAre(AllOf(HasSubstr("proxy.workers: \"many\" is not a whole number"),
                                HasSubstr("from FAIRLEAD_PROXY_WORKERS"))));
}

TEST(Flag, MistakesNameTheFlagAndTheNearestKey) {
  Sources sources = sources_of(kMinimal);
  sources.flags = {{"listen.prot", "1", "--prot"},
                   {"listen.port", "x", "--port"},
                   {"port", "1", "--bare"},
                   {"cluster.nodes", "a", "--nameless"}};
  EXPECT_THAT(problems_of(sources),
              ElementsAre(AllOf(HasSubstr("--prot"), HasSubstr("did you mean \"port\"?")),
                          HasSubstr("--port"), HasSubstr("--bare"), HasSubstr("--nameless")));
}

TEST(Substitution, PutsVariablesIntoTexts) {
  const Config config = loaded(
      sources_of("[cluster.main]\nnodes = [\"${HOST}:1\"]\nmonitor_password = \"a${PW}b$${PW}$\"\n",
                 {{"HOST", "db9"}, {"PW", "${HOST}"}}));
  EXPECT_EQ(config.clusters.at("main").nodes.front().host, "db9");
  // What was put in is not looked at again.
  EXPECT_EQ(config.clusters.at("main").monitor_password.text, "a${HOST}b${PW}$");
}

TEST(Substitution, OfAMissingVariableIsAnErrorAtItsPlace) {
  EXPECT_THAT(problems_of(sources_of(with_cluster("[listen]\nhost = \"${NOPE}\""))),
              ElementsAre("test.toml:2:1: listen.host: the environment variable NOPE is not set"));
  for (const auto* text : {"${", "${}", "${A", "${A B}", "${1A}", "x${A-b}"}) {
    EXPECT_THAT(
        problems_of(sources_of(with_cluster("[listen]\nhost = \"" + std::string(text) + "\""))),
        testing::SizeIs(1))
        << text;
  }
}

TEST(SecretFile, IsReadWithoutItsLineEnd) {
  const Config config =
      loaded(sources_of(std::string(kMinimal) + "monitor_password_file = \"/run/pw\"", {},
                        {{"/run/pw", "s3cret\r\n"}}));
  EXPECT_EQ(config.clusters.at("main").monitor_password.text, "s3cret");
}

TEST(SecretFile, ThatIsMissingOrEmptyIsAnError) {
  const std::string text = std::string(kMinimal) + "monitor_password_file = \"/run/pw\"";
  EXPECT_THAT(problems_of(sources_of(text)),
              ElementsAre(AllOf(HasSubstr("test.toml:3:1: cluster.main.monitor_password_file"),
                                HasSubstr("cannot read \"/run/pw\""), HasSubstr("no such file"))));
  EXPECT_THAT(problems_of(sources_of(text, {}, {{"/run/pw", "\n"}})),
              ElementsAre(HasSubstr("the file is empty")));
}

TEST(SecretFile, BesideTheSecretItselfIsAnErrorUnlessOneLayerIsStronger) {
  const std::string text =
      std::string(kMinimal) + "monitor_password_file = \"/run/pw\"\nmonitor_password = \"x\"";
  EXPECT_THAT(problems_of(sources_of(text, {}, {{"/run/pw", "y"}})),
              ElementsAre(HasSubstr("monitor_password is set too")));

  const Config by_variable =
      loaded(sources_of(std::string(kMinimal) + "monitor_password_file = \"/run/pw\"",
                        {{"FAIRLEAD_CLUSTER_MAIN_MONITOR_PASSWORD", "z"}}, {{"/run/pw", "y"}}));
  EXPECT_EQ(by_variable.clusters.at("main").monitor_password.text, "z");

  const Config by_file_variable = loaded(
      sources_of(std::string(kMinimal) + "monitor_password = \"x\"",
                 {{"FAIRLEAD_CLUSTER_MAIN_MONITOR_PASSWORD_FILE", "/run/pw"}}, {{"/run/pw", "y"}}));
  EXPECT_EQ(by_file_variable.clusters.at("main").monitor_password.text, "y");
}

TEST(Secret, IsNeverPartOfAMessage) {
  for (const auto& problem :
       problems_of(sources_of(std::string(kMinimal) +
                              "monitor_password = 12345678\nmonitor_pasword = \"hunter2\"\n"))) {
    EXPECT_THAT(problem, Not(HasSubstr("12345678")));
    EXPECT_THAT(problem, Not(HasSubstr("hunter2")));
  }
}

TEST(Urls, MakeOneClusterWithEverythingPassedThrough) {
  const auto config =
      from_urls({"postgres://bob:pw@db1/shop?sslmode=require", "DATABASE_URL"},
                {{"postgres://db2:6000", "--replica"}, {"postgres://bob:pw@db3/shop", "--replica"}},
                environment_of({{"FAIRLEAD_LISTEN_PORT", "7000"}}));
  ASSERT_TRUE(config) << testing::PrintToString(lines_of(config.error()));
  const Cluster& cluster = config->clusters.at("main");
  EXPECT_THAT(cluster.nodes, ElementsAre(NodeAddress{"db1", 5432}, NodeAddress{"db2", 6000},
                                         NodeAddress{"db3", 5432}));
  EXPECT_EQ(cluster.monitor_user, "bob");
  EXPECT_EQ(cluster.monitor_password, Secret{"pw"});
  EXPECT_EQ(cluster.monitor_database, "shop");
  EXPECT_EQ(cluster.tls_mode, TlsMode::kRequire);
  EXPECT_THAT(config->auth.url_users, ElementsAre(User{"bob", {"pw"}}));
  EXPECT_NE(config->find_database("shop"), nullptr);
  EXPECT_EQ(config->listen.port, 7000);
  EXPECT_EQ(config->origins.at("cluster.main.monitor_user"),
            (Origin{Origin::Kind::kUrl, "DATABASE_URL"}));
}

TEST(Urls, ThatContradictEachOtherAreRefused) {
  const auto config = from_urls({"postgres://bob:pw@db1/shop", "--primary"},
                                {{"postgres://eve:x@db2/other?sslmode=disable", "--replica"}}, {});
  ASSERT_FALSE(config);
  EXPECT_THAT(lines_of(config.error()),
              ElementsAre(HasSubstr("another user"), HasSubstr("another password"),
                          HasSubstr("another database"), HasSubstr("another sslmode")));
}

TEST(Urls, ThatAreWrongAreToldWithoutWhatFollowsFromThem) {
  const auto config = from_urls({"mysql://db1", "DATABASE_URL"}, {}, {});
  ASSERT_FALSE(config);
  EXPECT_THAT(lines_of(config.error()),
              ElementsAre(HasSubstr("DATABASE_URL: not a PostgreSQL URL")));
}

TEST(Urls, AndAFileExcludeEachOther) {
  Sources sources = sources_of(kMinimal);
  sources.primary_url = UrlSource{"postgres://db1", "--primary"};
  EXPECT_THAT(problems_of(sources), ElementsAre(HasSubstr("exclude each other")));
}

TEST(Urls, OfReplicasAloneAreRefused) {
  Sources sources;
  sources.replica_urls = {{"postgres://db1", "REPLICA_URLS"}};
  EXPECT_THAT(problems_of(sources), Contains(HasSubstr("needs the primary's")));
}

}  // namespace
}  // namespace fairlead::config
