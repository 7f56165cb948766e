// `fairlead cluster verify`.
#include <memory>

#include "app/cluster_group.h"
#include "app/cluster_verify_report.h"
#include "app/commands.h"
#include "cluster/verify.h"

namespace fairlead::app {

namespace {

struct VerifyCommand {
  std::string dir;
  std::string wait = "10s";
  std::string timeout = "1h";
  bool no_hold = false;
  bool dry_run = false;
  bool json = false;
};

constexpr const char* kClusterVerifyFooter = R"(
Examples:
  fairlead cluster verify --dir /tmp/c
  fairlead cluster verify --dir /tmp/c --json --no-hold

Writes a row on the primary into a schema of its own, which it removes again, and waits until each
replica shows it. Then counts and sums up every table of every database on all nodes, while others
write: a table that differs is looked at again, the last time with its writers held up, for two
seconds at most. What could not be compared is called undecided.

Ends with 3 when something differs or is undecided, with 4 when a node does not answer.)";

ExitCode code_of(cluster::NodeVerdict::Kind kind) {
  using Kind = cluster::NodeVerdict::Kind;
  if (kind == Kind::kEqual) return ExitCode::kOk;
  return kind == Kind::kUnreachable ? ExitCode::kUnreachable : ExitCode::kThreshold;
}

ExitCode run_verify(const VerifyCommand& command) {
  cluster::VerifyOptions options;
  options.may_hold = !command.no_hold;
  if (!take_span("--wait", command.wait, options.wait) ||
      !take_span("--timeout", command.timeout, options.timeout))
    return ExitCode::kUsage;
  if (command.dry_run) return show_plan(cluster::describe_verify(command.dir), command.json);
  return run_cluster_work(
      [&](auto& progress, const auto& stop) {
        return cluster::verify(command.dir, options, progress, stop);
      },
      [&](const Result<cluster::Verification>& found) {
        const std::string name = cluster::cluster_name(command.dir);
        print(command.json ? verify_json(name, *found) : verify_text(name, *found));
        return code_of(found->kind());
      });
}

}  // namespace

void add_cluster_verify(CommandBuilder group, Command& chosen) {
  auto options = std::make_shared<VerifyCommand>();
  CommandBuilder command =
      group.add_subcommand("verify", "Whether each replica has what the primary has");
  add_dir_option(command, options->dir);
  command.add_option("--wait", options->wait, "How long a replica may take to show a write")
      .type_name("SPAN")
      .shows_default();
  command.add_option("--timeout", options->timeout, "How long the tables may take together")
      .type_name("SPAN")
      .shows_default();
  command.add_flag("--no-hold", options->no_hold, "Never hold a writer up");
  command.add_flag("--dry-run", options->dry_run, "Only tell what would be done");
  command.add_flag("--json", options->json, "As JSON");
  command.footer(kClusterVerifyFooter);
  command.callback([options, &chosen] { chosen = [options] { return run_verify(*options); }; });
}

}  // namespace fairlead::app
