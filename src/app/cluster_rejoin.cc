// `fairlead cluster rejoin`.
#include <fmt/format.h>

#include <memory>

#include "app/cluster_group.h"
#include "app/cluster_report.h"
#include "app/commands.h"
#include "cluster/rejoin.h"

namespace fairlead::app {

namespace {

struct RejoinOptions {
  std::string dir;
  cluster::RejoinRequest request;
  bool dry_run = false;
  bool json = false;
};

constexpr const char* kClusterRejoinFooter = R"(
Example:
  fairlead cluster rejoin --dir /tmp/c node1

What the node had written and nobody received, before it lost its role, is lost by this.)";

ExitCode run_rejoin(const RejoinOptions& options) {
  if (options.dry_run)
    return show_plan(cluster::describe_rejoin(options.dir, options.request), options.json);
  return run_cluster_work(
      [&](auto& progress, const auto& stop) {
        return cluster::rejoin(options.dir, options.request, progress, stop);
      },
      [&](const Result<cluster::Rejoin>& done) {
        print(options.json ? rejoin_json(*done) : rejoin_text(*done));
        return ExitCode::kOk;
      });
}

}  // namespace

void add_cluster_rejoin(CommandBuilder group, Command& chosen) {
  auto options = std::make_shared<RejoinOptions>();
  CommandBuilder command =
      group.add_subcommand("rejoin", "Let a node follow the primary again after a failover");
  add_dir_option(command, options->dir);
  command.add_option("node", options->request.node, "The node that is out")
      .type_name("NODE")
      .required();
  command.add_flag("--copy", options->request.copy,
                   "A new copy of all data at once, without trying pg_rewind");
  command.add_flag("--dry-run", options->dry_run, "Only tell what would be done");
  command.add_flag("--json", options->json, "As JSON");
  command.footer(kClusterRejoinFooter);
  command.callback([options, &chosen] { chosen = [options] { return run_rejoin(*options); }; });
}

}  // namespace fairlead::app
