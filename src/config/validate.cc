#include "config/validate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/ascii.h"
#include "config/http_url.h"

namespace fairlead::config {
namespace {

constexpr size_t kNameMax = 63;  // PostgreSQL's NAMEDATALEN - 1.

Error wrong(std::string message, std::string hint = {}) {
  return {ErrorCode::kConfig, std::move(message), {}, std::move(hint)};
}

std::string cluster_key(const std::string& name, std::string_view key) {
  return fmt::format("{}.{}", full_name(section_of(SectionId::kCluster), name), key);
}

std::string database_key(const std::string& name, std::string_view key) {
  return fmt::format("{}.{}", full_name(section_of(SectionId::kDatabase), name), key);
}

void validate_ports(Draft& draft) {
  const Listen& listen = std::as_const(draft).config().listen;
  const std::array<std::pair<std::string, uint16_t>, 4> ports{
      {{"listen.port", listen.port},
       {"listen.read_port", listen.read_port},
       {"listen.primary_port", listen.primary_port},
       {"listen.http_port", listen.http_port}}};
  for (size_t i = 0; i < ports.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (ports[i].second == 0 || ports[i].second != ports[j].second) continue;
      draft.report(ports[i].first,
                   wrong(fmt::format("{} is the port of {} too", ports[i].second, ports[j].first),
                         "each port decides how its clients are routed: give each its own"));
    }
  }
}

/// A host, or PgBouncer's word for all addresses. One colon parts a host from its port; an address
/// of IPv6 has several.
bool is_listened_on(std::string_view host) {
  return host == "*" || (is_host(host) && std::ranges::count(host, ':') != 1);
}

/// Whether a node of that host is this machine where Fairlead itself listens. Another address than
/// its own may be another server's, on the same port.
bool is_own_host(std::string_view host, std::string_view listened_on) {
  if (host == listened_on) return true;
  if (!is_loopback(host)) return false;
  constexpr std::array<std::string_view, 3> kAll{"*", "0.0.0.0", "::"};
  return std::ranges::find(kAll, listened_on) != kAll.end() ||
         (is_loopback(listened_on) && (host == "localhost" || listened_on == "localhost"));
}

/// The key of the port of Fairlead's that a node's address leads to; "": none.
std::string_view own_port(const Listen& listen, const NodeAddress& node) {
  if (!is_own_host(node.host, listen.host)) return {};
  if (node.port == listen.port) return "listen.port";
  if (node.port == listen.read_port) return "listen.read_port";
  return node.port == listen.primary_port ? "listen.primary_port" : "";
}

void validate_listen(Draft& draft) {
  const Listen& listen = std::as_const(draft).config().listen;
  if (listen.host.empty()) {
    draft.report("listen.host",
                 wrong("is empty", "\"0.0.0.0\" or \"::\" listens on all addresses"));
  } else if (!is_listened_on(listen.host)) {
    draft.report("listen.host",
                 wrong(fmt::format("\"{}\" is no host", listen.host),
                       "write one address or name, without brackets, and the ports as "
                       "listen.port, read_port and primary_port"));
  }
  validate_ports(draft);
  if (listen.tls_cert_file.empty() != listen.tls_key_file.empty()) {
    draft.report(listen.tls_cert_file.empty() ? "listen.tls_key_file" : "listen.tls_cert_file",
                 wrong("tls_cert_file and tls_key_file need each other", "set both, or none"));
  }
  if (!listen.tls_client_ca_file.empty() && listen.tls_cert_file.empty()) {
    draft.report("listen.tls_client_ca_file",
                 wrong("needs tls_cert_file: without TLS no client can show a certificate"));
  }
}

void validate_nodes(Draft& draft, const std::string& name, const Cluster& cluster) {
  const std::string key = cluster_key(name, "nodes");
  if (cluster.nodes.empty() && cluster.topology == TopologySource::kStatic) {
    draft.report(key, wrong("is empty", "name every node: nodes = [\"db1:5432\", \"db2:5432\"]"));
  }
  std::set<NodeAddress> seen;
  for (const NodeAddress& node : cluster.nodes) {
    if (const auto own = own_port(std::as_const(draft).config().listen, node); !own.empty())
      draft.report(key, wrong(fmt::format("{} is Fairlead itself: {}", node.to_string(), own),
                              "name the PostgreSQL servers; the URL that applications use, often "
                              "in DATABASE_URL, leads to Fairlead"));
    if (seen.insert(node).second) continue;
    draft.report(key, wrong(fmt::format("names {} twice", node.to_string())));
  }
}

// A56. A pattern that can match nothing is a slip which nobody would notice.
void validate_names(Draft& draft, const std::string& key, const std::vector<std::string>& names,
                    bool are_patterns) {
  for (const std::string& name : names) {
    const auto stars = static_cast<size_t>(std::ranges::count(name, '*'));
    if (name.empty() || name.size() - (are_patterns ? stars : 0) > kNameMax) {
      draft.report(key,
                   wrong(fmt::format("\"{}\" is no name: PostgreSQL's have 1 to 63 bytes", name)));
    } else if (!are_patterns && stars > 0) {
      draft.report(key, wrong(fmt::format("\"{}\" is no extension's name", name),
                              "each extension is trusted by its full name"));
    } else if (are_patterns && name.find_first_of(".()\"") != std::string::npos) {
      draft.report(key, wrong(fmt::format("\"{}\" is more than a name", name),
                              "names count in every schema and for all arguments: write the bare "
                              "name, as the catalog has it"));
    }
  }
}

void validate_lists(Draft& draft, const std::string& name, const Cluster& cluster) {
  const auto check = [&](std::string_view key, const std::vector<std::string>& names,
                         bool are_patterns) {
    validate_names(draft, cluster_key(name, key), names, are_patterns);
  };
  check("trusted_extensions", cluster.trusted_extensions, false);
  check("replica_functions", cluster.replica_functions, true);
  check("primary_functions", cluster.primary_functions, true);
  check("replica_relations", cluster.replica_relations, true);
  check("primary_relations", cluster.primary_relations, true);
}

void validate_patroni(Draft& draft, const std::string& name, const Cluster& cluster) {
  const auto report = [&](std::string_view key, std::string message, std::string hint = {}) {
    draft.report(cluster_key(name, key), wrong(std::move(message), std::move(hint)));
  };
  const bool is_used = cluster.topology == TopologySource::kPatroni;
  if (is_used && cluster.patroni_urls.empty())
    report("patroni_urls", "is needed for topology \"patroni\"");
  if (!is_used && !cluster.patroni_urls.empty())
    report("patroni_urls", "means nothing without topology = \"patroni\"",
           "add that, or leave the addresses out");
  for (const std::string& text : cluster.patroni_urls) {
    if (const auto url = HttpUrl::parse(text); !url)
      report("patroni_urls", url.error().message, url.error().hint);
  }
  if (cluster.patroni_user.empty() && !cluster.patroni_password.text.empty())
    report("patroni_password", "means nothing without patroni_user");
  if (cluster.patroni_user.find(':') != std::string::npos)
    report("patroni_user", "has a colon, which basic authentication has no form for");
  if (cluster.patroni_tls_mode < TlsMode::kRequire)
    report("patroni_tls_mode", "what begins with https is always encrypted",
           "write require, verify-ca or verify-full");
}

void validate_cluster(Draft& draft, const std::string& name, const Cluster& cluster) {
  // It becomes a label of metrics and a word of the admin console.
  const bool plain = std::ranges::all_of(
      name, [](char c) { return is_letter_or_digit(c) || c == '_' || c == '-'; });
  if (name.empty() || name.size() > kNameMax || !plain) {
    draft.report(full_name(section_of(SectionId::kCluster), name),
                 wrong("a cluster's name is 1 to 63 letters, digits, _ and -"));
  }
  validate_nodes(draft, name, cluster);
  validate_lists(draft, name, cluster);
  validate_patroni(draft, name, cluster);
  if (cluster.monitor_user.empty()) {
    draft.report(cluster_key(name, "monitor_user"),
                 wrong("is empty", "roles are discovered by asking the nodes, as a user"));
  }
  if (cluster.monitor_database.empty()) {
    draft.report(cluster_key(name, "monitor_database"), wrong("is empty"));
  }
  if (cluster.server_auth.empty()) {
    draft.report(cluster_key(name, "server_auth"),
                 wrong("is empty: no node could be logged in to",
                       "leave it out for [\"trust\", \"scram-sha-256\"]"));
  }
  const bool verifies =
      cluster.tls_mode == TlsMode::kVerifyCa || cluster.tls_mode == TlsMode::kVerifyFull;
  if (verifies && cluster.tls_ca_file.empty()) {
    draft.report(cluster_key(name, "tls_mode"),
                 wrong(fmt::format("\"{}\" needs tls_ca_file", to_string(cluster.tls_mode))));
  }
  // Whoever writes it believes that certificates are verified.
  if (cluster.tls_mode < TlsMode::kRequire && !cluster.tls_ca_file.empty()) {
    draft.report(cluster_key(name, "tls_ca_file"),
                 wrong(fmt::format("means nothing with tls_mode \"{}\": no certificate is verified",
                                   to_string(cluster.tls_mode)),
                       "write tls_mode (in a URL: sslmode) verify-full, verify-ca or require, or "
                       "leave the file out"));
  }
}

void validate_database(Draft& draft, const std::string& name, const Database& database) {
  const Config& config = std::as_const(draft).config();
  const std::string header = full_name(section_of(SectionId::kDatabase), name);
  if (name.empty() || name.size() > kNameMax) {
    draft.report(header, wrong("a database's name is 1 to 63 bytes"));
  }
  if (name == "fairlead" || name == "pgbouncer") {
    draft.report(header, wrong("this name is the admin console's",
                               "give it another name, and set database = \"" + name + "\""));
  }
  if (database.database.size() > kNameMax) {
    draft.report(database_key(name, "database"), wrong("a database's name is 1 to 63 bytes"));
  }
  if (!config.clusters.empty() && !config.clusters.contains(database.cluster)) {
    std::vector<std::string_view> names;
    for (const auto& [cluster_name, cluster] : config.clusters) names.push_back(cluster_name);
    draft.report(database_key(name, "cluster"),
                 wrong(fmt::format("there is no cluster \"{}\"", database.cluster),
                       fmt::format("there is: {}", fmt::join(names, ", "))));
  }
  if (config.proxy.min_servers > database.pool_size) {
    draft.report(database_key(name, "pool_size"),
                 wrong(fmt::format("{} is less than proxy.min_servers, which is {}",
                                   database.pool_size, config.proxy.min_servers)));
  }
}

/// Where a password may end up with somebody else (F14).
std::optional<std::string> cleartext_warning(const std::string& name, const Cluster& cluster) {
  const bool sends_passwords =
      std::ranges::find(cluster.server_auth, ServerAuth::kPassword) != cluster.server_auth.end();
  const bool stays_here = cluster.topology == TopologySource::kStatic &&
                          std::ranges::all_of(cluster.nodes, is_loopback, &NodeAddress::host);
  if (!sends_passwords || stays_here || verifies_servers(cluster)) return std::nullopt;
  return fmt::format(
      "cluster.{}.server_auth allows \"password\", and tls_mode \"{}\" does not verify who "
      "answers: "
      "whoever stands between gets the passwords of users and of the monitor; set tls_mode to "
      "\"verify-full\" with tls_ca_file",
      name, to_string(cluster.tls_mode));
}

}  // namespace

void validate(Draft& draft) {
  const Config& config = std::as_const(draft).config();
  validate_listen(draft);
  if (config.clusters.empty()) {
    draft.report("cluster", wrong("there is no cluster to route to",
                                  "add [cluster.main] with nodes = [\"host:port\", ...], or start "
                                  "with --primary URL or DATABASE_URL"));
  }
  for (const auto& [name, cluster] : config.clusters) validate_cluster(draft, name, cluster);
  for (const auto& [name, database] : config.databases) validate_database(draft, name, database);
}

Result<void> validate(const Config& config) {
  Draft draft;
  draft.config() = config;
  validate(draft);
  Problems problems = draft.take_problems();
  if (problems.empty()) return {};
  Error& first = problems.front().error;
  return fail(first.code, fmt::format("{}: {}", problems.front().key, first.message),
              std::move(first.detail), std::move(first.hint));
}

std::vector<std::string> warnings(const Config& config) {
  std::vector<std::string> out = config.ignored;
  const bool trust = config.auth.method == AuthMethod::kTrust;
  if (trust && !is_loopback(config.listen.host)) {
    out.push_back(
        fmt::format("auth.method is \"trust\" and listen.host is {}: whoever reaches the "
                    "ports is let in",
                    config.listen.host));
  }
  if (!trust && config.auth.users_file.empty() && config.auth.auth_query.empty() &&
      config.auth.url_users.empty()) {
    out.emplace_back("auth.users_file is empty: nobody can log in with a password");
  }
  if (config.listen.http_port != 0 && config.listen.http_port != Listen{}.http_port) {
    out.push_back(
        fmt::format("listen.http_port is {}, but nothing listens there: this version has no "
                    "metrics, API or dashboard",
                    config.listen.http_port));
  }
  for (const auto& [name, cluster] : config.clusters) {
    if (auto risk = cleartext_warning(name, cluster)) out.push_back(std::move(*risk));
    if (cluster.nodes.size() == 1 && cluster.topology == TopologySource::kStatic) {
      out.push_back(fmt::format("cluster {} has one node: there is no replica to read from", name));
    }
  }
  return out;
}

}  // namespace fairlead::config
