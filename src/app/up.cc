// `fairlead up`: the proxy, in the foreground, until it is told to stop.
#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "app/commands.h"
#include "app/config_source.h"
#include "app/free_ports.h"
#include "app/open_files.h"
#include "app/proxy_report.h"
#include "app/stop_signals.h"
#include "app/systemd.h"
#include "app/terminal.h"
#include "app/version.h"
#include "base/assert.h"
#include "base/log.h"
#include "config/diff.h"
#include "config/validate.h"
#include "core/pool_worker.h"
#include "net/open_files.h"
#include "proxy/proxy.h"

namespace fairlead::app {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr Duration kTick = 1s;
/// How long the start waits for the nodes before it goes on without them.
constexpr Duration kRoutedPatience = 10s;
constexpr Duration kSlice = 100ms;
/// Ctrl-C: once is graceful, twice is now, and the third one needs no cooperation of ours.
constexpr int kStopsMax = 3;

// Each end knows its own bound; only here are both seen.
static_assert(config::kWorkersMax == core::kWorkersMax);

constexpr const char* kUpFooter = R"(
Examples:
  fairlead up -c fairlead.toml
  fairlead up --primary postgresql://app:secret@db1/app --replica postgresql://db2
  DATABASE_URL=... REPLICA_URLS="... ..." fairlead up --port 7432

Which server is the primary, fairlead finds out by itself. SIGHUP reads the configuration again;
SIGTERM or Ctrl-C lets running transactions finish, and the second one does not.)";

/// What is in force, and may not be what was meant.
void log_warnings(const config::Config& config) {
  for (const std::string& warning : config::warnings(config)) log::warning("{}", warning);
  if (const auto warning = open_files_warning(config, net::open_files_max()))
    log::warning("{}", *warning);
}

class Daemon {
 public:
  Daemon(const ConfigOptions& options, std::shared_ptr<const config::Config> config,
         std::unique_ptr<proxy::Proxy> proxy, StopSignals& signals)
      : options_(options),
        config_(std::move(config)),
        proxy_(std::move(proxy)),
        signals_(signals) {}

  ExitCode run() {
    announce_ports();
    await_nodes();
    while (!signals_.stop_requested()) {
      signals_.wait(tick_);
      if (signals_.take_reload()) reload();
      tell_systemd();
    }
    return stop();
  }

 private:
  void announce_ports() {
    const proxy::Ports ports = proxy_->ports();
    std::string text = fmt::format("fairlead {}\n", kVersion);
    for (const std::string& line : port_lines(config_->listen.host, ports)) text += line + "\n";
    print(text);
    systemd::ready("waiting for the nodes");
    if (const auto interval = systemd::watchdog_interval()) tick_ = std::min(tick_, *interval / 2);
  }

  void await_nodes() {
    const auto deadline = Clock::now() + kRoutedPatience;
    bool routed = false;
    while (!routed && !signals_.stop_requested() && Clock::now() < deadline) {
      routed = proxy_->wait_until_routed(kSlice);
      systemd::heartbeat();
    }
    if (signals_.stop_requested()) return;
    std::string text;
    for (const std::string& line : node_lines(proxy_->stats())) text += line + "\n";
    print(text);
    if (!routed)
      log::warning("not every node answered within {}; fairlead check tells why",
                   short_time(kRoutedPatience));
  }

  void tell_systemd() {
    // stats() comes back only when every worker has had a turn: that is the heartbeat's meaning.
    systemd::status(status_line(proxy_->stats()));
    systemd::heartbeat();
  }

  void reload() {
    systemd::reloading();
    carry_out_reload();
    systemd::ready(status_line(proxy_->stats()));
  }

  void carry_out_reload() {
    auto loaded = load_config(options_);
    if (!loaded) {
      complain(loaded.error());
      log::error("the configuration was not reloaded; the old one stays in force");
      return;
    }
    const auto changes = config::diff(*config_, *loaded);
    if (auto reloaded = put_into_force(*loaded); !reloaded) {
      log::error("the configuration was not reloaded, the old one stays in force: {}",
                 describe(reloaded.error()));
      return;
    }
    for (const config::Change& change : changes) {
      if (change.apply == config::Apply::kReload)
        log::info("reload: {}", to_string(change));
      else
        log::warning("reload: {}; the old value stays in force until then", to_string(change));
    }
    log_warnings(*config_);
    if (changes.empty())
      log::info("reload: no key has changed; the files that keys name were read again");
  }

  Result<void> put_into_force(const config::Config& loaded) {
    auto kept = config::without_restart(*config_, loaded);
    if (!kept) return std::unexpected(kept.error());
    auto next = std::make_shared<const config::Config>(std::move(*kept));
    const auto restart_needed = proxy_->reload(next);
    if (!restart_needed) return std::unexpected(restart_needed.error());
    require(restart_needed->empty(), "what needs a restart was put back");
    log::set_level(next->proxy.log_level);
    config_ = std::move(next);
    return {};
  }

  ExitCode stop() {
    systemd::stopping();
    proxy_->drain();
    const auto deadline = Clock::now() + config_->proxy.shutdown_timeout;
    bool told = false;
    while (signals_.stops() < 2 && Clock::now() < deadline && !proxy_->is_drained()) {
      signals_.wait(kSlice);  // Whoever is idle has left by then, and is not worth a word.
      systemd::heartbeat();
      if (told || proxy_->is_drained()) continue;
      log::info("stopping: waiting up to {} for running transactions; once more to stop now",
                short_time(config_->proxy.shutdown_timeout));
      told = true;
    }
    proxy_->stop(Duration{0});
    log::info("stopped");
    return ExitCode::kOk;
  }

  const ConfigOptions& options_;
  std::shared_ptr<const config::Config> config_;
  std::unique_ptr<proxy::Proxy> proxy_;
  StopSignals& signals_;
  Duration tick_ = kTick;
};

ExitCode run_up(const ConfigOptions& options) {
  auto loaded = load_config(options);
  if (!loaded) return complain(loaded.error());
  auto config = std::make_shared<const config::Config>(std::move(*loaded));
  log::set_level(config->proxy.log_level);
  net::raise_open_files_max();
  log_warnings(*config);

  StopSignals signals(StopSignals::Hangup::kReloads, kStopsMax);
  if (auto free = check_ports_are_free(config->listen); !free) {
    complain(free.error());
    return ExitCode::kError;
  }
  auto proxy = proxy::Proxy::start(config);
  if (!proxy) {
    complain(proxy.error());
    return ExitCode::kError;
  }
  return Daemon(options, std::move(config), std::move(*proxy), signals).run();
}

}  // namespace

void add_up(CommandBuilder root, Command& chosen) {
  auto options = std::make_shared<ConfigOptions>();
  CommandBuilder command = root.add_subcommand("up", "Run the proxy");
  add_config_options(command, *options);
  add_proxy_options(command, *options);
  command.footer(kUpFooter);
  command.callback([options, &chosen] { chosen = [options] { return run_up(*options); }; });
}

}  // namespace fairlead::app
