// DATABASE_URL, REPLICA_URLS, --primary and --replica: a configuration without a file.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "config/field.h"
#include "config/layers.h"
#include "config/url.h"

namespace fairlead::config {
namespace {

Error contradiction(std::string_view what) {
  return {ErrorCode::kConfig,
          fmt::format("the replica's URL has another {} than the primary's", what),
          {},
          "all nodes of a cluster are reached in the same way; leave it out of the replica's URL"};
}

class UrlPass {
 public:
  explicit UrlPass(Draft& draft) : draft_(draft) {}

  void primary(const UrlSource& source) {
    auto url = ConnectionUrl::parse(source.url);
    if (!url) return report(source, std::move(url.error()));
    set("nodes", print_nodes(url->nodes), source);
    if (url->user) set("monitor_user", *url->user, source);
    if (url->password) set("monitor_password", url->password->text, source);
    if (url->database) set("monitor_database", *url->database, source);
    if (url->tls_mode) set("tls_mode", *url->tls_mode, source);
    if (url->tls_ca_file) set("tls_ca_file", *url->tls_ca_file, source);
    if (url->user && url->password) {
      draft_.config().auth.url_users.push_back({*url->user, *url->password});
    }
    primary_ = std::move(*url);
  }

  void replica(const UrlSource& source) {
    const auto url = ConnectionUrl::parse(source.url);
    if (!url) return report(source, url.error());
    if (!primary_) return;  // Already a problem.
    const auto differs = [](const auto& mine, const auto& theirs) {
      return mine && mine != theirs;
    };
    if (differs(url->user, primary_->user)) report(source, contradiction("user"));
    if (differs(url->password, primary_->password)) report(source, contradiction("password"));
    if (differs(url->database, primary_->database)) report(source, contradiction("database"));
    if (differs(url->tls_mode, primary_->tls_mode)) report(source, contradiction("sslmode"));
    if (differs(url->tls_ca_file, primary_->tls_ca_file)) {
      report(source, contradiction("sslrootcert"));
    }
    primary_->nodes.insert(primary_->nodes.end(), url->nodes.begin(), url->nodes.end());
    set("nodes", print_nodes(primary_->nodes), source);
  }

 private:
  static std::string print_nodes(const std::vector<NodeAddress>& nodes) {
    std::string out;
    for (const NodeAddress& node : nodes) out += (out.empty() ? "" : ",") + node.to_string();
    return out;
  }

  void report(const UrlSource& source, Error error) {
    const bool by_flag = source.where.starts_with("--");
    draft_.report_at({}, source.where, std::move(error),
                     by_flag ? Origin::Kind::kFlag : Origin::Kind::kEnvironment);
  }

  void set(std::string_view name, std::string value, const UrlSource& source) {
    const Section& section = section_of(SectionId::kCluster);
    draft_.set({&section, "main", find_key(section, name)}, Text{std::move(value)},
               {Origin::Kind::kUrl, source.where});
  }

  Draft& draft_;
  std::optional<ConnectionUrl> primary_;
};

}  // namespace

void apply_urls(const Sources& sources, Draft& draft) {
  if (!sources.primary_url) {
    if (sources.replica_urls.empty()) return;
    return draft.report_at({}, sources.replica_urls.front().where,
                           {ErrorCode::kConfig, "a replica's URL needs the primary's beside it"});
  }
  if (sources.file_text) {
    return draft.report_at({}, sources.primary_url->where,
                           {ErrorCode::kConfig,
                            "a configuration file and connection URLs exclude each other",
                            {},
                            "write the nodes into the file, or start without one"});
  }
  UrlPass pass(draft);
  pass.primary(*sources.primary_url);
  for (const UrlSource& source : sources.replica_urls) pass.replica(source);
}

}  // namespace fairlead::config
