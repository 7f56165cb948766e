// Makes Settings out of a configuration: endpoints, TLS, users. Reads the files that it names.

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "proxy/shared.h"

namespace fairlead::proxy {
namespace {

Result<std::string> read_file(const std::string& path, std::string_view key) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (file && text) return text.str();
  return fail(ErrorCode::kConfig, fmt::format("{} \"{}\" cannot be read", key, path),
              std::generic_category().message(errno),
              "Check the path, and that the user who runs Fairlead may read the file.");
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

Result<ClusterSettings> make_cluster(const std::string& name, const config::Cluster& cluster) {
  // As in libpq, a CA file makes "require" verify it.
  const bool verify = cluster.tls_mode == config::TlsMode::kRequire && !cluster.tls_ca_file.empty();
  auto tls = net::TlsClient::load(verify ? net::TlsMode::kVerifyCa : to_net(cluster.tls_mode),
                                  cluster.tls_ca_file);
  if (!tls) return std::unexpected(tls.error());
  const auto shared_tls = std::make_shared<const net::TlsClient>(std::move(*tls));
  ClusterSettings settings{.name = name, .nodes = {}, .monitor = {}};
  for (const config::NodeAddress& node : cluster.nodes) {
    settings.nodes.push_back(
        {.host = node.host, .port = node.port, .tls = shared_tls, .timeout = {}});
  }
  settings.monitor.user = cluster.monitor_user;
  settings.monitor.database = cluster.monitor_database;
  settings.monitor.parameters = {{"application_name", "fairlead monitor"}};
  if (!cluster.monitor_password.text.empty()) {
    settings.monitor.credentials =
        auth::PlainPassword{auth::SecretText(cluster.monitor_password.text)};
  }
  return settings;
}

Result<auth::UsersFile> read_users(const config::Auth& config) {
  std::string text;
  if (!config.users_file.empty()) {
    auto file = read_file(config.users_file, "auth.users_file");
    if (!file) return std::unexpected(file.error());
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
  return users;
}

}  // namespace

Result<SettingsPtr> make_settings(std::shared_ptr<const config::Config> config) {
  auto settings = std::make_shared<Settings>();
  for (const auto& [name, cluster] : config->clusters) {
    auto made = make_cluster(name, cluster);
    if (!made) return std::unexpected(made.error());
    settings->clusters.emplace(name, std::move(*made));
  }
  auto users = read_users(config->auth);
  if (!users) return std::unexpected(users.error());
  settings->users = std::move(*users);
  if (!config->listen.tls_cert_file.empty()) {
    auto tls = net::TlsServer::load(config->listen.tls_cert_file, config->listen.tls_key_file);
    if (!tls) return std::unexpected(tls.error());
    settings->tls = std::make_shared<const net::TlsServer>(std::move(*tls));
  }
  settings->config = std::move(config);
  return settings;
}

}  // namespace fairlead::proxy
