// `fairlead cluster promote`.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "app/cluster_group.h"
#include "app/cluster_report.h"
#include "app/commands.h"
#include "cluster/promote.h"

namespace fairlead::app {

namespace {

struct PromoteOptions {
  std::string dir;
  cluster::PromoteRequest request;
  bool dry_run = false;
  bool json = false;
};

constexpr const char* kClusterPromoteFooter = R"(
Examples:
  fairlead cluster promote --dir /tmp/c
  fairlead cluster promote --dir /tmp/c node2 --dry-run

The old primary is stopped and fenced first. Then the replicas are compared, and the most advanced
one is promoted, if enough of them could be compared to know that no acknowledged commit is lost.
For a primary that works, fairlead cluster switchover is the gentle way.)";

ExitCode run_promote(const PromoteOptions& options) {
  if (options.dry_run)
    return show_plan(cluster::describe_promote(options.dir, options.request), options.json);
  return run_cluster_work(
      [&](auto& progress, const auto& stop) {
        return cluster::promote(options.dir, options.request, progress, stop);
      },
      [&](const Result<cluster::Promotion>& done) {
        print(options.json ? promotion_json(*done) : promotion_text(*done, options.dir));
        return ExitCode::kOk;
      });
}

}  // namespace

void add_cluster_promote(CommandBuilder group, Command& chosen) {
  auto options = std::make_shared<PromoteOptions>();
  CommandBuilder command =
      group.add_subcommand("promote", "Make the most advanced replica the primary");
  add_dir_option(command, options->dir);
  command.add_option("node", options->request.node, "The replica; default: the most advanced one")
      .type_name("NODE");
  command.add_flag("--allow-loss", options->request.allow_loss,
                   "Promote even if acknowledged commits are lost by it");
  command.add_flag("--dry-run", options->dry_run, "Only tell what would be done");
  command.add_flag("--json", options->json, "As JSON");
  command.footer(kClusterPromoteFooter);
  command.callback([options, &chosen] { chosen = [options] { return run_promote(*options); }; });
}

}  // namespace fairlead::app
