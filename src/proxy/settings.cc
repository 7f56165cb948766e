// Makes Settings out of a configuration: endpoints, TLS, users. Reads the files that it names.

#include <fmt/format.h>

#include <algorithm>

#include "auth/crypto.h"
#include "auth/mock_key.h"
#include "base/log.h"
#include "proxy/named_file.h"
#include "proxy/shared.h"

namespace fairlead::proxy {
namespace {

Result<std::string> read_file(const std::string& path, std::string_view key) {
  auto file = read_named_file(path);
  if (!file) file.error().message = fmt::format("{}: {}", key, file.error().message);
  return file;
}

net::TlsMode to_net(config::TlsMode mode) {
  switch (mode) {
    case config::TlsMode::kDisable:
      return net::TlsMode::kDisable;
    case config::TlsMode::kAllow:
      return net::TlsMode::kAllow;
    case config::TlsMode::kPrefer:
      return net::TlsMode::kPrefer;
    case config::TlsMode::kRequire:
      return net::TlsMode::kRequire;
    case config::TlsMode::kVerifyCa:
      return net::TlsMode::kVerifyCa;
    case config::TlsMode::kVerifyFull:
      return net::TlsMode::kVerifyFull;
  }
  return net::TlsMode::kVerifyFull;
}

/// As in libpq, a CA file makes "require" verify it.
Result<std::shared_ptr<const net::TlsClient>> load_tls(config::TlsMode mode,
                                                       const std::string& ca_file) {
  const bool verify = mode == config::TlsMode::kRequire && !ca_file.empty();
  auto tls = net::TlsClient::load(verify ? net::TlsMode::kVerifyCa : to_net(mode), ca_file);
  if (!tls) return std::unexpected(tls.error());
  return std::make_shared<const net::TlsClient>(std::move(*tls));
}

/// F14. A password in clear goes over a network that others can read only where the configuration
/// says both: "password", and no TLS at all.
auth::AllowedServerAuth allowed_auth(const config::Cluster& cluster) {
  using auth::ServerAuthMethod;
  auth::AllowedServerAuth allowed = auth::AllowedServerAuth::nothing();
  for (const config::ServerAuth method : cluster.server_auth) {
    switch (method) {
      case config::ServerAuth::kTrust:
        allowed = allowed.with(ServerAuthMethod::kTrust);
        break;
      case config::ServerAuth::kScramSha256:
        allowed = allowed.with(ServerAuthMethod::kScramSha256);
        break;
      case config::ServerAuth::kMd5:
        allowed = allowed.with(ServerAuthMethod::kMd5);
        break;
      case config::ServerAuth::kPassword:
        allowed = allowed.with(cluster.tls_mode == config::TlsMode::kDisable
                                   ? ServerAuthMethod::kCleartextAnywhere
                                   : ServerAuthMethod::kCleartext);
        break;
    }
  }
  return allowed;
}

Result<auth::UsersFile> read_users(const config::Auth& config) {
  std::string text;
  if (!config.users_file.empty()) {
    auto file = read_file(config.users_file, "auth.users_file");
    if (!file) return std::unexpected(std::move(file.error()));
    text = std::move(*file);
  }
  for (const config::User& user : config.url_users) {
    const auto quoted = [](std::string_view value) {
      std::string out = "\"";
      for (const char c : value) out.append(c == '"' ? 2 : 1, c);
      return out + "\"";
    };
    text += "\n" + quoted(user.name) + " " + quoted(user.password.text);
  }
  auto users = auth::parse_users_file(text);
  if (!users)
    users.error().detail =
        config.users_file + (users.error().detail.empty() ? "" : ": ") + users.error().detail;
  const bool is_needed = !config.users_file.empty() && config.method != config::AuthMethod::kTrust;
  if (users && users->size() == 0 && is_needed)
    log::warning("auth.users_file: {} names no user, so nobody can log in with a password",
                 config.users_file);
  return users;
}

/// F12: the same at every start, and for every Fairlead with these users.
Result<auth::MockKey> make_mock_key(const config::Auth& config, const auth::UsersFile& users) {
  if (config.method == config::AuthMethod::kTrust) return auth::MockKey{};  // Nobody is asked.
  if (config.salt_key_file.empty()) return auth::mock_key_of(users);
  const auto bytes = read_file(config.salt_key_file, "auth.salt_key_file");
  if (!bytes) return std::unexpected(bytes.error());
  if (bytes->size() >= auth::kMockKeyFileBytesMin) return auth::mock_key_of(*bytes);
  return fail(ErrorCode::kConfig,
              fmt::format("auth.salt_key_file \"{}\" is too short", config.salt_key_file),
              fmt::format("it has {} bytes, and {} are the least", bytes->size(),
                          auth::kMockKeyFileBytesMin),
              "Fill it with random bytes: openssl rand -base64 33.");
}

}  // namespace

Result<PatroniSettings> make_patroni_settings(const config::Cluster& cluster) {
  PatroniSettings settings;
  for (const std::string& text : cluster.patroni_urls) {
    auto url = config::HttpUrl::parse(text);
    if (!url) return std::unexpected(url.error());
    settings.urls.push_back(std::move(*url));
  }
  if (std::ranges::any_of(settings.urls, &config::HttpUrl::tls)) {
    auto tls = load_tls(cluster.patroni_tls_mode, cluster.patroni_tls_ca_file);
    if (!tls) return std::unexpected(tls.error());
    settings.tls = std::move(*tls);
  }
  if (!cluster.patroni_user.empty()) {
    settings.authorization =
        "Basic " + auth::base64_encode(cluster.patroni_user + ":" + cluster.patroni_password.text);
  }
  settings.interval = cluster.patroni_interval;
  settings.timeout = cluster.patroni_timeout;
  settings.judge = {.ttl = cluster.patroni_ttl, .scope = cluster.patroni_scope};
  return settings;
}

Result<ClusterSettings> make_cluster_settings(const std::string& name,
                                              const config::Cluster& cluster) {
  const auto tls = load_tls(cluster.tls_mode, cluster.tls_ca_file);
  if (!tls) return std::unexpected(tls.error());
  ClusterSettings settings{.name = name,
                           .nodes = {},
                           .tls = *tls,
                           .allowed_auth = allowed_auth(cluster),
                           .monitor = {},
                           .patroni = {}};
  for (const config::NodeAddress& node : cluster.nodes)
    settings.nodes.push_back(settings.endpoint(node.host, node.port, {}));
  settings.monitor.user = cluster.monitor_user;
  settings.monitor.database = cluster.monitor_database;
  if (!cluster.monitor_password.text.empty()) {
    settings.monitor.credentials =
        auth::PlainPassword{auth::SecretText(cluster.monitor_password.text)};
  }
  if (cluster.topology == config::TopologySource::kPatroni) {
    auto patroni = make_patroni_settings(cluster);
    if (!patroni) return std::unexpected(patroni.error());
    settings.patroni = std::move(*patroni);
  }
  return settings;
}

Result<SettingsPtr> make_settings(std::shared_ptr<const config::Config> config) {
  auto settings = std::make_shared<Settings>();
  for (const auto& [name, cluster] : config->clusters) {
    auto made = make_cluster_settings(name, cluster);
    if (!made) return std::unexpected(made.error());
    settings->clusters.emplace(name, std::move(*made));
  }
  auto users = read_users(config->auth);
  if (!users) return std::unexpected(users.error());
  settings->users = std::move(*users);
  const auto mock_key = make_mock_key(config->auth, settings->users);
  if (!mock_key) return std::unexpected(mock_key.error());
  settings->mock_key = *mock_key;
  if (!config->listen.tls_cert_file.empty()) {
    auto tls = net::TlsServer::load(config->listen.tls_cert_file, config->listen.tls_key_file);
    if (!tls) return std::unexpected(tls.error());
    settings->tls = std::make_shared<const net::TlsServer>(std::move(*tls));
  }
  settings->config = std::move(config);
  return settings;
}

}  // namespace fairlead::proxy
