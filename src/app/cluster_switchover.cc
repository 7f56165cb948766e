// `fairlead cluster switchover`.
#include <fmt/format.h>

#include <memory>

#include "app/cluster_group.h"
#include "app/cluster_report.h"
#include "app/commands.h"
#include "cluster/switchover.h"
#include "config/units.h"

namespace fairlead::app {

namespace {

struct SwitchoverOptions {
  std::string dir;
  std::string timeout = "10s";
  cluster::SwitchoverRequest request;
  bool dry_run = false;
  bool json = false;
};

constexpr const char* kClusterSwitchoverFooter = R"(
Examples:
  fairlead cluster switchover --dir /tmp/c
  fairlead cluster switchover --dir /tmp/c --to node3 --timeout 30s

Clients of fairlead up wait and see no error. Who is connected to the primary without it must be at
rest, and loses the connection.)";

ExitCode run_switchover(SwitchoverOptions options) {
  const auto timeout = config::parse_duration(options.timeout);
  if (!timeout) {
    complain(timeout.error());
    return ExitCode::kUsage;
  }
  options.request.timeout = std::chrono::ceil<std::chrono::milliseconds>(*timeout);
  if (options.dry_run)
    return show_plan(cluster::describe_switchover(options.dir, options.request), options.json);
  return run_cluster_work(
      [&](auto& progress, const auto& stop) {
        return cluster::switchover(options.dir, options.request, progress, stop);
      },
      [&](const Result<cluster::Switchover>& done) {
        print(options.json ? switchover_json(*done) : switchover_text(*done, options.dir));
        return ExitCode::kOk;
      });
}

}  // namespace

void add_cluster_switchover(CommandBuilder group, Command& chosen) {
  auto options = std::make_shared<SwitchoverOptions>();
  CommandBuilder command = group.add_subcommand(
      "switchover", "Let a replica take the primary's place without an error for any client");
  add_dir_option(command, options->dir);
  command.add_option("--to", options->request.to, "The replica; default: the most advanced one")
      .type_name("NODE");
  command.add_option("--timeout", options->timeout, "How long running transactions may take")
      .type_name("SPAN")
      .shows_default();
  command.add_flag("--dry-run", options->dry_run, "Only tell what would be done");
  command.add_flag("--json", options->json, "As JSON");
  command.footer(kClusterSwitchoverFooter);
  command.callback([options, &chosen] { chosen = [options] { return run_switchover(*options); }; });
}

}  // namespace fairlead::app
