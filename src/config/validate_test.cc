// Rules over several values, what is not available yet, and warnings.
#include "config/validate.h"

#include <fmt/format.h>

#include "config/availability.h"
#include "config/field.h"
#include "config/testing.h"

namespace fairlead::config {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> problems_with(std::string_view text, Texts files = {}) {
  return problems_of(sources_of(with_cluster(text), {}, std::move(files)));
}

TEST(Validate, GivesEveryPortItsOwnNumberExceptZero) {
  EXPECT_THAT(problems_with("[listen]\nport = 7000\nhttp_port = 7000"),
              ElementsAre(HasSubstr("test.toml:3:1: listen.http_port: 7000 is the port of "
                                    "listen.port too")));
  EXPECT_THAT(problems_with("[listen]\nport = 0\nread_port = 0\nprimary_port = 0\nhttp_port = 0"),
              IsEmpty());
}

TEST(Validate, WantsAHostToListenOnAndNothingElse) {
  for (const auto* host :
       {"*", "0.0.0.0", "::", "::1", "10.0.0.1", "db-1.example.com", "fe80::1%eth0"})
    EXPECT_THAT(problems_with(fmt::format("[listen]\nhost = \"{}\"", host)), IsEmpty()) << host;
  for (const auto* host :
       {"0.0.0.0:6432", "localhost:6432", "[::]", "/run/fairlead", "a b", "a,b", "*:1"})
    EXPECT_THAT(problems_with(fmt::format("[listen]\nhost = \"{}\"", host)),
                ElementsAre(AllOf(HasSubstr("listen.host: "), HasSubstr("is no host"),
                                  HasSubstr("listen.port"))))
        << host;
}

TEST(Validate, RefusesNodesThatAreFairleadItself) {
  const auto with = [](std::string_view listen, std::string_view node) {
    return problems_of(sources_of(
        fmt::format("[listen]\n{}\n[cluster.main]\nnodes = [\"{}\", \"db2\"]", listen, node)));
  };
  EXPECT_THAT(with("", "127.0.0.1:6432"),
              ElementsAre(AllOf(
                  HasSubstr("cluster.main.nodes: 127.0.0.1:6432 is Fairlead itself: listen.port"),
                  HasSubstr("DATABASE_URL"))));
  EXPECT_THAT(with("", "localhost:6433"), ElementsAre(HasSubstr("listen.read_port")));
  EXPECT_THAT(with("host = \"*\"", "[::1]:6434"), ElementsAre(HasSubstr("listen.primary_port")));
  EXPECT_THAT(with("host = \"0.0.0.0\"", "127.0.0.1:6432"), ElementsAre(HasSubstr("itself")));
  EXPECT_THAT(with("host = \"10.0.0.1\"", "10.0.0.1:6432"), ElementsAre(HasSubstr("itself")));
  EXPECT_THAT(with("host = \"localhost\"\nport = 5432", "127.0.0.1:5432"),
              ElementsAre(HasSubstr("itself")));

  EXPECT_THAT(with("", "127.0.0.1:5432"), IsEmpty());
  EXPECT_THAT(with("", "127.0.0.2:6432"), IsEmpty()) << "another pooler";
  EXPECT_THAT(with("host = \"10.0.0.1\"", "127.0.0.1:6432"), IsEmpty()) << "another one still";
  EXPECT_THAT(with("port = 0", "127.0.0.1:6432"), IsEmpty());
}

TEST(Validate, WantsCertificateAndKeyTogether) {
  const Texts files{{"c", "pem"}, {"k", "pem"}};
  EXPECT_THAT(problems_with("[listen]\ntls_cert_file = \"c\"", files),
              ElementsAre(HasSubstr("need each other")));
  EXPECT_THAT(problems_with("[listen]\ntls_key_file = \"k\"", files),
              ElementsAre(HasSubstr("need each other")));
  EXPECT_THAT(problems_with("[listen]\ntls_client_ca_file = \"c\"", files),
              testing::Contains(HasSubstr("needs tls_cert_file")));
  EXPECT_THAT(problems_with("[listen]\ntls_cert_file = \"c\"\ntls_key_file = \"k\"", files),
              IsEmpty());
}

TEST(Validate, WantsFilesThatCanBeRead) {
  EXPECT_THAT(problems_with("[auth]\nusers_file = \"/nowhere\""),
              ElementsAre(HasSubstr("auth.users_file: cannot read \"/nowhere\"")));
}

TEST(Validate, WantsNodesAndEachOnce) {
  EXPECT_THAT(problems_of(sources_of("[cluster.main]\n")),
              ElementsAre(HasSubstr("cluster.main.nodes: is empty")));
  EXPECT_THAT(problems_of(sources_of("[cluster.main]\nnodes = [\"a\", \"b\", \"a:5432\"]")),
              ElementsAre(HasSubstr("names a:5432 twice")));
}

TEST(Validate, SaysNothingOfAKeyThatCouldNotBeRead) {
  EXPECT_THAT(problems_of(sources_of("[cluster.main]\nnodes = [\":1\"]")),
              ElementsAre(HasSubstr("the host is missing")));
}

TEST(Validate, WantsNamesInTheListsThatCanMatch) {  // A56
  const auto with = [](std::string_view line) {
    return problems_of(sources_of(std::string(kMinimal) + std::string(line)));
  };
  EXPECT_THAT(with("trusted_extensions = [\"ip4r\", \"uuid-ossp\"]\nreplica_functions = [\"*\"]\n"
                   "primary_functions = [\"Report_*\"]\nreplica_relations = [\"r*_log\"]\n"
                   "primary_relations = [\"accounts\", \"a b\"]"),
              ElementsAre());
  EXPECT_THAT(with("trusted_extensions = [\"post*\"]"),
              ElementsAre(HasSubstr("cluster.main.trusted_extensions: \"post*\" is no extension")));
  for (const char* key :
       {"replica_functions", "primary_functions", "replica_relations", "primary_relations"}) {
    for (const char* slip : {"public.f", "f(int)", "f()", "\\\"F\\\""})
      EXPECT_THAT(with(std::string(key) + " = [\"good\", \"" + slip + "\"]"),
                  ElementsAre(HasSubstr(std::string("cluster.main.") + key + ": \"")))
          << key << slip;
    EXPECT_THAT(with(std::string(key) + " = [\"\"]"), ElementsAre(HasSubstr("is no name")));
    EXPECT_THAT(with(std::string(key) + " = [\"" + std::string(64, 'x') + "\"]"),
                ElementsAre(HasSubstr("1 to 63 bytes")));
    EXPECT_THAT(with(std::string(key) + " = [\"" + std::string(63, 'x') + "*\"]"), ElementsAre());
  }
}

TEST(Validate, WantsPlainClusterNames) {
  EXPECT_THAT(problems_with("[cluster.\"a b\"]\nnodes = [\"x\"]"),
              ElementsAre(HasSubstr("a cluster's name is")));
}

TEST(Validate, WantsAClusterThatExists) {
  EXPECT_THAT(problems_with("[database.shop]\ncluster = \"mian\""),
              ElementsAre(HasSubstr("database.shop.cluster: there is no cluster \"mian\". Hint: "
                                    "there is: main")));
}

TEST(Validate, WantsACaFileToVerifyWith) {
  for (const auto* mode : {"verify-ca", "verify-full"}) {
    EXPECT_THAT(problems_of(sources_of(std::string(kMinimal) + "tls_mode = \"" + mode + "\"")),
                ElementsAre(HasSubstr("needs tls_ca_file")));
  }
  EXPECT_THAT(problems_of(sources_of(std::string(kMinimal) + "tls_mode = \"require\"")), IsEmpty());
}

TEST(Validate, TakesNoCaFileThatNothingIsVerifiedWith) {
  const auto with = [](std::string_view lines) {
    return problems_of(
        sources_of(std::string(kMinimal) + std::string(lines), {}, {{"ca.pem", "pem"}}));
  };
  EXPECT_THAT(with("tls_ca_file = \"ca.pem\""),
              ElementsAre(testing::AllOf(HasSubstr("test.toml:3:1: cluster.main.tls_ca_file: means "
                                                   "nothing with tls_mode \"prefer\""),
                                         HasSubstr("verify-full"))))
      << "the default";
  for (const auto* mode : {"disable", "allow", "prefer"})
    EXPECT_THAT(with("tls_ca_file = \"ca.pem\"\ntls_mode = \"" + std::string(mode) + "\""),
                ElementsAre(HasSubstr("means nothing")));
  for (const auto* mode : {"require", "verify-ca", "verify-full"})
    EXPECT_THAT(with("tls_ca_file = \"ca.pem\"\ntls_mode = \"" + std::string(mode) + "\""),
                IsEmpty());
  Sources sources;
  sources.primary_url = UrlSource{"postgres://db1?sslrootcert=ca.pem", "DATABASE_URL"};
  sources.read_file = files_of({{"ca.pem", "pem"}});
  EXPECT_THAT(problems_of(sources),
              ElementsAre(testing::AllOf(HasSubstr("from DATABASE_URL"), HasSubstr("sslmode"))));
}

TEST(Validate, WantsAWayToLogInToServers) {  // F14
  EXPECT_THAT(problems_of(sources_of(std::string(kMinimal) + "server_auth = []")),
              ElementsAre(HasSubstr("no node could be logged in to")));
}

TEST(Validate, KnowsWhatPatroniNeeds) {
  const auto with = [](const std::string& lines) {
    return problems_with("[cluster.shop]\ntopology = \"patroni\"\n" + lines);
  };
  EXPECT_THAT(with("patroni_urls = [\"http://db1:8008\", \"https://db2\"]"), IsEmpty())
      << "the nodes are what they name";
  EXPECT_THAT(with(""), ElementsAre(HasSubstr("patroni_urls: is needed")));
  EXPECT_THAT(with("patroni_urls = [\"db1:8008\"]"), ElementsAre(HasSubstr("write http://host")));
  EXPECT_THAT(with("patroni_urls = [\"http://db1\"]\npatroni_password = \"x\""),
              ElementsAre(HasSubstr("means nothing without patroni_user")));
  EXPECT_THAT(with("patroni_urls = [\"http://db1\"]\npatroni_user = \"a:b\""),
              ElementsAre(HasSubstr("has a colon")));
  EXPECT_THAT(with("patroni_urls = [\"https://db1\"]\npatroni_tls_mode = \"prefer\""),
              ElementsAre(HasSubstr("always encrypted")));
  EXPECT_THAT(problems_with("[cluster.shop]\nnodes = [\"x\"]\npatroni_urls = [\"http://db1\"]"),
              ElementsAre(HasSubstr("means nothing without topology")));
}

TEST(Validate, KeepsTheNamesOfTheAdminConsole) {
  EXPECT_THAT(problems_with("[database.pgbouncer]"), ElementsAre(HasSubstr("admin console")));
  EXPECT_THAT(problems_with("[database.fairlead]"), ElementsAre(HasSubstr("admin console")));
}

TEST(Validate, WantsRoomForTheServersThatAreKept) {
  EXPECT_THAT(problems_with("[proxy]\nmin_servers = 9\n[database.x]\npool_size = 8"),
              ElementsAre(HasSubstr("less than proxy.min_servers")));
}

TEST(NotAvailable, IsRefusedAtItsPlace) {
  EXPECT_THAT(problems_with("[auth]\nmethod = \"cert\""),
              ElementsAre("test.toml:2:1: auth.method: method \"cert\" is not available in this "
                          "version (what would be ignored is refused). Hint: write "
                          "\"scram-sha-256\""));
  EXPECT_THAT(problems_with("[auth]\nauth_query = \"SELECT 1\""),
              ElementsAre(HasSubstr("auth_query is not available in this version")));
  EXPECT_THAT(problems_with("[auth]\nauth_query = \"\""), IsEmpty());
}

TEST(NotAvailable, IsRefusedWhereverItComesFrom) {
  Sources sources = sources_of(with_cluster("[database.\"*\"]\npool_size = 3"),
                               {{"FAIRLEAD_LISTEN_TLS_MIN_VERSION", "1.3"}});
  sources.flags = {{"auth.method", "cert", "--set"}};
  EXPECT_THAT(problems_of(sources),
              ElementsAre(testing::AllOf(testing::StartsWith("listen.tls_min_version: tls_min"),
                                         HasSubstr("from FAIRLEAD_LISTEN_TLS_MIN_VERSION")),
                          HasSubstr("from --set")));
}

TEST(NotAvailable, NamesKeysAndWordsThatExistAndNoDefault) {
  for (const NotAvailable& row : not_available()) {
    EXPECT_FALSE(row.instead.empty()) << row.key;
    const Section& section = section_of(row.section);
    const Key* key = find_key(section, row.key);
    ASSERT_NE(key, nullptr) << row.key;
    if (row.value.empty()) continue;
    ASSERT_NE(key->words, nullptr) << row.key;
    EXPECT_THAT(key->words(), Contains(row.value));
    EXPECT_NE(key->print(default_section(row.section)), quoted(row.value));
  }
}

TEST(Warnings, TellWhatIsProbablyNotMeant) {
  Config config =
      loaded(sources_of(with_cluster("[listen]\nhost = \"0.0.0.0\"\n[auth]\nmethod = \"trust\"")));
  EXPECT_THAT(warnings(config), ElementsAre(HasSubstr("whoever reaches the ports")));
  config.listen.host = "127.0.0.1";
  EXPECT_THAT(warnings(config), IsEmpty());
  config.auth.method = AuthMethod::kScramSha256;
  EXPECT_THAT(warnings(config), ElementsAre(HasSubstr("nobody can log in")));
  config.auth.url_users.push_back({"bob", {"pw"}});
  EXPECT_THAT(warnings(config), IsEmpty());
  config.clusters.at("main").nodes.resize(1);
  EXPECT_THAT(warnings(config), ElementsAre(HasSubstr("one node")));
}

TEST(Warnings, TellWhereAPasswordMayEndUpWithSomebodyElse) {  // F14
  Config config = loaded(sources_of(with_cluster("[auth]\nmethod = \"trust\"")));
  Cluster& cluster = config.clusters.at("main");
  EXPECT_THAT(warnings(config), IsEmpty());
  cluster.server_auth = {ServerAuth::kScramSha256, ServerAuth::kPassword};
  for (const TlsMode mode :
       {TlsMode::kDisable, TlsMode::kAllow, TlsMode::kPrefer, TlsMode::kRequire}) {
    cluster.tls_mode = mode;
    EXPECT_THAT(warnings(config), ElementsAre(AllOf(HasSubstr("cluster.main.server_auth"),
                                                    HasSubstr("does not verify who answers"))));
  }
  cluster.tls_ca_file = "ca.pem";  // Makes "require" verify, as in libpq.
  for (const TlsMode mode : {TlsMode::kRequire, TlsMode::kVerifyCa, TlsMode::kVerifyFull}) {
    cluster.tls_mode = mode;
    EXPECT_THAT(warnings(config), IsEmpty());
  }
  cluster.tls_mode = TlsMode::kDisable;
  cluster.nodes = {{"127.0.0.1", 1}, {"localhost", 2}};
  EXPECT_THAT(warnings(config), IsEmpty());
  cluster.topology = TopologySource::kPatroni;  // Whose nodes may be anywhere.
  EXPECT_THAT(warnings(config), ElementsAre(HasSubstr("server_auth")));
}

TEST(Warnings, TellThatNothingListensOnAnHttpPortThatSomebodyChose) {
  const std::string trust = "[auth]\nmethod = \"trust\"\n";
  EXPECT_THAT(warnings(loaded(sources_of(with_cluster(trust + "[listen]\nhttp_port = 9090")))),
              ElementsAre(HasSubstr("listen.http_port is 9090, but nothing listens there")));
  EXPECT_THAT(warnings(loaded(sources_of(with_cluster(trust + "[listen]\nhttp_port = 0")))),
              IsEmpty());
  EXPECT_THAT(warnings(loaded(sources_of(with_cluster(trust)))), IsEmpty());
}

}  // namespace
}  // namespace fairlead::config
