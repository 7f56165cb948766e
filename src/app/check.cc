// `fairlead check`: validates the configuration, connects to every node, and explains what is
// wrong.
#include <fmt/format.h>

#include <future>
#include <memory>

#include "app/ask_node.h"
#include "app/check_files.h"
#include "app/check_findings.h"
#include "app/check_patroni.h"
#include "app/check_render.h"
#include "app/commands.h"
#include "app/config_source.h"
#include "app/terminal.h"
#include "config/validate.h"

namespace fairlead::app {

namespace {

struct CheckOptions {
  ConfigOptions config;
  bool json = false;
};

constexpr const char* kCheckFooter = R"(
Examples:
  fairlead check -c fairlead.toml
  fairlead check --primary postgresql://app:secret@db1/app --replica postgresql://db2

Ends with 0 when all is well, 1 on a problem, 4 when a node does not answer.)";

/// All nodes at once: the slowest one decides how long it takes.
std::vector<NodeReport> ask_all(const std::string& name, const config::Cluster& cluster) {
  std::vector<std::future<Result<NodeAnswer>>> answers;
  for (const config::NodeAddress& node : cluster.nodes)
    answers.push_back(std::async(std::launch::async, ask_node, std::cref(cluster), node));
  std::vector<NodeReport> out;
  for (size_t i = 0; i < answers.size(); ++i)
    out.push_back({name, cluster.nodes[i].to_string(), answers[i].get()});
  return out;
}

/// Of each database that the configuration names: whether its catalog could be read. All at once,
/// too. That no primary is known is told by others.
std::vector<Finding> check_databases(const config::Config& config, const std::string& name,
                                     const config::Cluster& cluster,
                                     const std::vector<NodeReport>& nodes) {
  const NodeReport* primary = only_primary(nodes);
  if (primary == nullptr) return {};
  const config::NodeAddress& address = cluster.nodes[static_cast<size_t>(primary - nodes.data())];
  const std::vector<NamedDatabase> databases = named_databases(config, name);
  std::vector<std::future<Result<void>>> answers;
  for (const NamedDatabase& database : databases)
    answers.push_back(std::async(std::launch::async, ask_in_database, std::cref(cluster),
                                 std::cref(address), std::cref(database.name)));
  std::vector<Finding> out;
  for (size_t i = 0; i < answers.size(); ++i)
    if (const auto answer = answers[i].get(); !answer)
      out.push_back(judge_database(databases[i], answer.error(), cluster));
  return out;
}

CheckReport check_nodes(const config::Config& config) {
  CheckReport report;
  for (const std::string& warning : config::warnings(config))
    report.findings.push_back(
        {Finding::Severity::kWarning, "configuration", {ErrorCode::kConfig, warning, {}, {}}});
  for (const auto& [name, cluster] : config.clusters) {
    std::optional<proxy::PatroniDiscovery> patroni;
    const auto whole = discovered(cluster, patroni);
    if (!whole) {
      report.findings.push_back({Finding::Severity::kProblem, "cluster " + name, whole.error()});
      continue;
    }
    std::vector<NodeReport> nodes = ask_all(name, *whole);
    if (patroni) {
      report.manager_unreachable |= is_unreachable(*patroni);
      for (Finding& finding : judge_patroni(name, *patroni, nodes))
        report.findings.push_back(std::move(finding));
    }
    if (nodes.empty()) continue;
    for (Finding& finding : judge(config, name, nodes))
      report.findings.push_back(std::move(finding));
    for (Finding& finding : check_databases(config, name, *whole, nodes))
      report.findings.push_back(std::move(finding));
    for (NodeReport& node : nodes) report.nodes.push_back(std::move(node));
  }
  return report;
}

/// The same form as a report on nodes, so that a script reads one shape.
CheckReport report_of(const ConfigFailure& failure) {
  CheckReport report;
  for (const config::Problem& problem : failure.problems) {
    Finding finding{Finding::Severity::kProblem, problem.key, problem.error};
    if (problem.line != 0) {
      finding.where = fmt::format("{}:{}:{}", failure.file_name, problem.line, problem.column);
      if (!problem.key.empty())
        finding.error.message = fmt::format("{}: {}", problem.key, problem.error.message);
    }
    report.findings.push_back(std::move(finding));
  }
  if (failure.problems.empty())
    report.findings.push_back({Finding::Severity::kProblem, "configuration", failure.error});
  return report;
}

ExitCode run_check(const CheckOptions& options) {
  auto loaded = load_config(options.config);
  if (!loaded) {
    if (options.json) print(report_json(report_of(loaded.error())));
    return complain(loaded.error());
  }
  const auto config = std::make_shared<const config::Config>(std::move(*loaded));
  CheckReport report = check_nodes(*config);
  if (auto unusable = check_files(config)) report.findings.push_back(std::move(*unusable));
  print(options.json ? report_json(report)
                     : nodes_text(report) + "\n" + findings_text(report, stdout_style()));
  return verdict(report);
}

}  // namespace

void add_check(CommandBuilder root, Command& chosen) {
  auto options = std::make_shared<CheckOptions>();
  CommandBuilder command =
      root.add_subcommand("check", "Validate, connect, and explain what is wrong");
  add_config_options(command, options->config);
  add_proxy_options(command, options->config);
  command.add_flag("--json", options->json, "As JSON");
  command.footer(kCheckFooter);
  command.callback([options, &chosen] { chosen = [options] { return run_check(*options); }; });
}

}  // namespace fairlead::app
