// `fairlead demo`: a throw-away cluster with sample data, the proxy in front of it, clients, and a
// table that shows what happens. In the foreground; everything is gone when it ends.
#include <fmt/format.h>

#include <memory>

#include "app/commands.h"
#include "app/demo_break.h"
#include "app/demo_intro.h"
#include "app/demo_place.h"
#include "app/demo_screen.h"
#include "app/demo_verdict.h"
#include "app/demo_workload.h"
#include "app/own_name.h"
#include "app/progress_lines.h"
#include "app/stop_signals.h"
#include "app/terminal.h"
#include "base/log.h"
#include "cluster/postmaster.h"
#include "cluster/sql_connection.h"
#include "config/units.h"
#include "net/open_files.h"
#include "proxy/proxy.h"

namespace fairlead::app {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct DemoOptions {
  bool no_workload = false;
  bool json = false;
  int replicas = 2;
  std::string span;
  std::optional<BreakTarget> breaks;
};

constexpr const char* kDemoFooter = R"(
Examples:
  fairlead demo
  fairlead demo --for 20s --replicas 3
  fairlead demo --break primary

Needs PostgreSQL's server programs (Debian: postgresql). Ctrl-C removes everything.)";

constexpr Duration kRoutedPatience = 10s;
constexpr Duration kSlice = 100ms;
constexpr Duration kTick = 1s;
/// For statements that are under way when it ends.
constexpr Duration kDrain = 500ms;
/// With --break: enough load that somebody is always in the middle of something.
constexpr DemoLoad kBreakLoad{.clients = 16, .requests_per_second = 400};
constexpr Duration kBreakSpan = 15s;
/// Quorum replication, so that nothing is lost, and one replica to be lost later on.
constexpr int kBreakReplicasMin = 2;
/// It takes this many to leave the cluster behind: the first ones remove it.
constexpr int kStopsMax = 5;

Duration since(Clock::time_point began) {
  return std::chrono::duration_cast<Duration>(Clock::now() - began);
}

std::string primary_of(const proxy::Stats& stats) {
  for (const proxy::NodeStats& node : stats.nodes)
    if (node.role == "primary") return node.name;
  return {};
}

class Demo {
 public:
  Demo(const DemoOptions& options, Duration span, StopSignals& signals)
      : options_(options), span_(span), signals_(signals) {}

  bool lost() const { return lost_; }

  Result<void> run() {
    auto place = DemoPlace::make();
    if (!place) return std::unexpected(std::move(place.error()));
    place_ = std::move(*place);
    auto shown = build();
    if (shown) shown = show_until_end();
    // An interrupted step is the visitor's wish, not an error.
    if (!shown && signals_.stop_requested()) shown = {};
    auto gone = clean_up();
    return shown ? gone : shown;
  }

 private:
  Result<void> build() {
    ProgressLines progress;
    const auto& stop = signals_.stop_flag();
    const bool quorum = options_.breaks == BreakTarget::kPrimary;
    const cluster::SyncRule sync =
        quorum ? cluster::SyncRule{cluster::SyncRule::Method::kAny, 1} : cluster::SyncRule{};
    if (auto made = place_->create_cluster(options_.replicas, sync, progress, stop); !made)
      return made;
    auto config = place_->write_config();
    if (!config) return std::unexpected(std::move(config.error()));
    net::raise_open_files_max();
    auto proxy = proxy::Proxy::start(std::move(*config));
    if (!proxy) return std::unexpected(std::move(proxy.error()));
    proxy_ = std::move(*proxy);
    const auto began = Clock::now();
    while (!proxy_->wait_until_routed(kSlice)) {
      if (stop.load()) return fail(ErrorCode::kQueryCanceled, "stopped on request");
      if (since(began) > kRoutedPatience)
        return fail(ErrorCode::kCannotConnectNow, "the proxy finds no primary among the nodes");
    }
    return {};
  }

  DemoIntro intro() const {
    const proxy::Ports ports = proxy_->ports();
    DemoIntro out{.program = own_name(),
                  .cluster_dir = place_->cluster_dir(),
                  .config_file = place_->config_file(),
                  .automatic_url = place_->endpoint(ports.automatic).url(),
                  .read_url = place_->endpoint(ports.read).url(),
                  .primary_url = place_->endpoint(ports.primary).url(),
                  .replica_address = {}};
    for (const cluster::Node* replica : place_->cluster().replicas()) {
      const auto server = cluster::find_postmaster(replica->data_dir);
      if (!server) continue;
      out.replica_address = replica->address();
      out.replica_pid = server->pid;
      break;
    }
    return out;
  }

  Result<void> show_until_end() {
    print(options_.json ? intro_json(intro()) : intro_text(intro()));
    const DemoLoad load = options_.breaks ? kBreakLoad : DemoLoad{};
    if (!options_.no_workload) workload_.emplace(place_->endpoint(proxy_->ports().automatic), load);
    if (options_.breaks) break_.emplace(*place_, *options_.breaks);
    const auto began = Clock::now();
    DemoFrame frame;
    frame.now = proxy_->stats();
    while (!signals_.stop_requested() && (span_.count() == 0 || since(began) < span_)) {
      signals_.wait(span_.count() == 0 ? kTick : std::min(kTick, span_ - since(began)));
      next_frame(frame, since(began));
      if (!signals_.stop_requested()) show(frame);
      if (break_ && !break_->has_struck() && !signals_.stop_requested() &&
          since(began) >= span_ / 3)
        if (auto struck = break_->strike(); !struck) return struck;
    }
    auto seen = break_ && !signals_.stop_requested() ? pronounce() : Result<void>{};
    if (workload_) workload_->request_stop();
    proxy_->stop(kDrain);
    print(options_.json ? summary_json(frame) : "\n" + summary_text(frame));
    return seen;
  }

  /// --break: what the clients saw, once everything is repaired and answered.
  Result<void> pronounce() {
    if (auto repaired = break_->finish(); !repaired) return repaired;
    workload_->finish();
    auto found = place_->find_posts(proxy_->ports().primary);
    if (!found) return std::unexpected(std::move(found.error()));
    const DemoVerdict verdict{
        .killed_role = std::string(to_string(*options_.breaks)),
        .killed_node = break_->victim(),
        .primary_now = primary_of(proxy_->stats()),
        .totals = workload_->totals(),
        .posts = compare_posts(workload_->acknowledged_posts(), std::move(*found))};
    print(options_.json ? verdict_json(verdict) : verdict_text(verdict));
    lost_ = !verdict.lost_nothing();
    return {};
  }

  void next_frame(DemoFrame& frame, Duration elapsed) const {
    frame.before = std::move(frame.now);
    frame.now = proxy_->stats();
    frame.between = elapsed - frame.elapsed;
    frame.elapsed = elapsed;
    if (workload_) frame.totals = workload_->totals();
  }

  void show(const DemoFrame& frame) {
    if (options_.json)
      print(frame_json(frame));
    else if (stdout_is_terminal())
      redraw_.show(frame_lines(frame, stdout_style()));
    else
      print(frame_line(frame));
  }

  Result<void> clean_up() {
    if (workload_) workload_->request_stop();
    // Ends what the proxy still holds, so that the clients' threads come back.
    proxy_.reset();
    workload_.reset();
    break_.reset();
    auto gone = place_->remove();
    if (gone) say("removed everything");
    return gone;
  }

  const DemoOptions& options_;
  const Duration span_;  // 0: until it is stopped.
  StopSignals& signals_;
  std::unique_ptr<DemoPlace> place_;
  std::unique_ptr<proxy::Proxy> proxy_;
  std::optional<DemoWorkload> workload_;
  std::optional<DemoBreak> break_;
  bool lost_ = false;  // Something that was acknowledged (--break).
  Redraw redraw_;
};

/// What cannot be shown together.
Result<void> check(const DemoOptions& options) {
  if (!options.breaks) return {};
  if (options.no_workload)
    return fail(ErrorCode::kInvalidParameterValue, "--break shows what clients see", {},
                "leave out --no-workload");
  const int needed = options.breaks == BreakTarget::kPrimary ? kBreakReplicasMin : 1;
  if (options.replicas >= needed) return {};
  return fail(ErrorCode::kInvalidParameterValue,
              fmt::format("--break {} needs {} replicas", to_string(*options.breaks), needed), {},
              fmt::format("--replicas {}", needed));
}

ExitCode run_demo(const DemoOptions& options) {
  if (const auto good = check(options); !good) {
    complain(good.error());
    return ExitCode::kUsage;
  }
  Duration span = options.breaks ? kBreakSpan : Duration{0};
  if (!options.span.empty()) {
    const auto parsed = config::parse_duration(options.span);
    if (!parsed || parsed->count() == 0) {
      complain(Error{ErrorCode::kInvalidParameterValue,
                     fmt::format("--for {}: not a span of time", options.span),
                     {},
                     "for example --for 20s"});
      return ExitCode::kUsage;
    }
    span = *parsed;
  }
  // A log line in the middle of the table would break it, and the table shows what happens.
  log::set_level(stdout_is_terminal() ? log::Level::kOff : log::Level::kWarning);
  cluster::forget_libpq_variables();
  StopSignals signals(StopSignals::Hangup::kStops, kStopsMax);
  remove_abandoned_demos();
  Demo demo(options, span, signals);
  const auto result = demo.run();
  if (result) return demo.lost() ? ExitCode::kThreshold : ExitCode::kOk;
  complain(result.error());
  return ExitCode::kError;
}

}  // namespace

void add_demo(CommandBuilder root, Command& chosen) {
  auto options = std::make_shared<DemoOptions>();
  CommandBuilder command =
      root.add_subcommand("demo", "A throw-away cluster, sample data, clients and the proxy");
  const auto take_break = [options](const std::string& word) {
    options->breaks = word == "primary" ? BreakTarget::kPrimary : BreakTarget::kReplica;
    return Result<void>();
  };
  command.add_option("--replicas", options->replicas, "How many replicas")
      .range(0, cluster::kReplicasMax)
      .shows_default();
  command.add_option("--for", options->span, "End by itself after this long").type_name("SPAN");
  command
      .add_option("--break", take_break,
                  "Kill the primary or a replica under load, and say what clients saw")
      .one_of({"primary", "replica"})
      .type_name("WHOM");
  command.add_flag("--no-workload", options->no_workload, "No clients of its own");
  command.add_flag("--json", options->json, "One JSON object a line");
  command.footer(kDemoFooter);
  command.callback([options, &chosen] { chosen = [options] { return run_demo(*options); }; });
}

}  // namespace fairlead::app
