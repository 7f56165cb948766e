// `fairlead cluster create`.
#include <fmt/format.h>

#include <memory>
#include <vector>

#include "app/cluster_config.h"
#include "app/cluster_group.h"
#include "app/cluster_report.h"
#include "app/commands.h"
#include "cluster/commands.h"

namespace fairlead::app {

namespace {

struct CreateOptions {
  cluster::ClusterSpec spec;
  std::vector<std::string> settings;  // NAME=VALUE
  std::string sync = "off";
  bool dry_run = false;
  bool json = false;
};

constexpr const char* kClusterCreateFooter = R"(
Examples:
  fairlead cluster create --dir /tmp/c --replicas 2
  fairlead cluster create --dir /srv/c --replicas 2 --sync 'any 1' --base-port 5601 --dry-run

As root the servers run as another user (--os-user, default postgres). An interrupted create is
finished by the same command, or removed by fairlead cluster destroy.)";

/// --set NAME=VALUE, for every node; the last one of a name counts.
Result<void> take_settings(const std::vector<std::string>& texts, cluster::ClusterSpec& spec) {
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return fail(ErrorCode::kInvalidParameterValue, fmt::format("--set {}: no NAME=VALUE", text),
                  {}, "for example --set shared_buffers=256MB");
    spec.settings[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return {};
}

Result<void> take_sync(const std::string& text, cluster::ClusterSpec& spec) {
  const auto rule = cluster::parse_sync_rule(text);
  if (!rule) return std::unexpected(rule.error());
  spec.sync = *rule;
  return {};
}

ExitCode run_create(CreateOptions options) {
  auto dir = cluster::canonical_dir(options.spec.dir);
  if (!dir) return cluster_failed(dir.error());
  options.spec.dir = *dir;
  auto checked = take_settings(options.settings, options.spec);
  if (checked) checked = take_sync(options.sync, options.spec);
  if (checked) checked = cluster::check(options.spec);
  if (!checked) {
    complain(checked.error());
    return ExitCode::kUsage;
  }
  if (options.dry_run) return show_plan(cluster::describe_create(options.spec), options.json);
  return run_cluster_work(
      [&](auto& progress, const auto& stop) {
        return cluster::create(options.spec, progress, stop);
      },
      [&](Result<cluster::Cluster> made) {
        print(options.json ? cluster_json(*made) : cluster_text(*made));
        if (auto wrote = write_proxy_files(*made); !wrote) return cluster_failed(wrote.error());
        say(next_step_after_create(*made));
        return ExitCode::kOk;
      });
}

}  // namespace

void add_cluster_create(CommandBuilder group, Command& chosen) {
  auto options = std::make_shared<CreateOptions>();
  CommandBuilder command = group.add_subcommand("create", "A primary and its replicas, running");
  add_dir_option(command, options->spec.dir);
  command.add_option("--replicas", options->spec.replicas, "How many replicas").shows_default();
  command.add_option("--sync", options->sync, "Replicas a commit waits for: any N, first N, off")
      .type_name("RULE")
      .shows_default();
  command.add_option("--base-port", options->spec.base_port,
                     "Port of the first node, the others above it; 0: free ports");
  command.add_option("--host", options->spec.host, "Address of all nodes, in figures")
      .shows_default();
  command.add_option("--set", options->settings, "A PostgreSQL setting for every node")
      .type_name("NAME=VALUE")
      .takes_one();
  command.add_option("--pg-bin", options->spec.pg_bin, "Folder with initdb; default: the newest")
      .type_name("DIR");
  command.add_option("--os-user", options->spec.os_user, "Who runs the servers").type_name("USER");
  command.add_option("--database", options->spec.database, "Database to make").shows_default();
  command.add_flag("--dry-run", options->dry_run, "Only tell what would be done");
  command.add_flag("--json", options->json, "As JSON");
  command.footer(kClusterCreateFooter);
  command.callback([options, &chosen] { chosen = [options] { return run_create(*options); }; });
}

}  // namespace fairlead::app
