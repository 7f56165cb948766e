// `fairlead cluster up`.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <memory>

#include "app/cluster_group.h"
#include "app/commands.h"
#include "cluster/supervisor.h"
#include "config/units.h"

namespace fairlead::app {

namespace {

struct UpOptions {
  cluster::SupervisorOptions supervisor;
  std::string restart_limit = "10s";
  bool json = false;
};

constexpr const char* kClusterUpFooter = R"(
Examples:
  fairlead cluster up --dir /tmp/c --auto-failover
  fairlead cluster up --dir /tmp/c --auto-failover --restart-limit 0s --json

Starts what does not run, then watches the servers and brings back what is gone: replicas are
restarted, nodes that are out rejoin. When the primary is gone: with synchronous replication the most
advanced replica is promoted, if that loses no acknowledged commit. With asynchronous replication the
primary is restarted in place, which loses nothing; only when it is not up within --restart-limit,
or keeps dying, the most advanced replica is promoted, and commits that it had not received are lost.

This is for one host. It cannot outlive the host, and elects nobody: for several hosts use Patroni
and let fairlead up follow it (topology = "patroni").

Ctrl-C ends the watching; the servers go on until fairlead cluster stop.)";

/// A line for each event, at once: somebody follows them.
class EventLines final : public cluster::EventSink {
 public:
  explicit EventLines(bool json) : json_(json) {}

  void happened(const cluster::SupervisorEvent& event) override {
    const auto now =
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const std::string at =
        fmt::format("{:%FT%T}.{:03}Z", std::chrono::floor<std::chrono::seconds>(now),
                    now.time_since_epoch().count() % 1000);
    if (json_)
      print(boost::json::serialize(boost::json::object{
                {"at", at}, {"event", event.kind}, {"node", event.node}, {"text", event.text}}) +
            "\n");
    else
      print(fmt::format("{}  {:<9}  {}{}{}\n", at, event.kind, event.node,
                        event.node.empty() ? "" : ": ", event.text));
    (void)std::fflush(stdout);
  }

 private:
  bool json_;
};

ExitCode run_up(UpOptions options) {
  const auto limit = config::parse_duration(options.restart_limit);
  if (!limit) {
    complain(limit.error());
    return ExitCode::kUsage;
  }
  options.supervisor.restart_limit = std::chrono::ceil<std::chrono::milliseconds>(*limit);
  StopSignals signals(StopSignals::Hangup::kStops, kClusterStopsMax);
  EventLines events(options.json);
  const auto done = cluster::supervise(options.supervisor, events, signals.stop_flag());
  return done ? ExitCode::kOk : cluster_failed(done.error());
}

}  // namespace

void add_cluster_up(CommandBuilder group, Command& chosen) {
  auto options = std::make_shared<UpOptions>();
  CommandBuilder command =
      group.add_subcommand("up", "Watch the servers of this host and bring back what is gone");
  add_dir_option(command, options->supervisor.dir);
  command.add_flag("--auto-failover", options->supervisor.failover,
                   "Promote a replica when the primary is gone");
  command
      .add_option("--restart-limit", options->restart_limit,
                  "How long an asynchronous primary may take to come up again; 0s: no restart")
      .type_name("SPAN")
      .shows_default();
  command.add_flag("--json", options->json, "Events as JSON, one a line");
  command.footer(kClusterUpFooter);
  command.callback([options, &chosen] { chosen = [options] { return run_up(*options); }; });
}

}  // namespace fairlead::app
