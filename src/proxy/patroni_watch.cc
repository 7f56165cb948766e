#include "proxy/patroni_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "patroni/timestamps.h"

namespace fairlead::proxy {
namespace {

// Between two rounds while there is no primary: a new leader is named within a second or two.
constexpr Duration kHurryInterval = std::chrono::milliseconds(250);
// GET /history is asked after a change of the leader, and this often besides: it may come late.
constexpr uint32_t kRoundsPerHistory = 30;

/// The date of an answer; our own clock stands in for a server that sends none.
int64_t date_of(const net::HttpAnswer& answer) {
  if (const auto date = patroni::parse_http_date(answer.date)) return *date;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

std::string leader_of(const patroni::Report& report) {
  const patroni::Member* leader = report.cluster ? report.cluster->leader() : nullptr;
  return leader == nullptr ? std::string{} : leader->name;
}

}  // namespace

net::Task<Result<net::HttpAnswer>> ask_patroni(net::Loop& loop, const PatroniSettings& settings,
                                               config::HttpUrl url, std::string path) {
  if (url.tls && !settings.tls)  // Never in plain text instead: the password would be in it.
    co_return fail(
        ErrorCode::kConnectionFailure,
        fmt::format("{} is not asked: there is nothing to verify it with", url.to_string()), {},
        "Reload or restart Fairlead.");
  auto answer = co_await net::http_get(loop, {.host = url.host,
                                              .port = url.port,
                                              .target = url.path + path,
                                              .authorization = settings.authorization,
                                              .tls = url.tls ? settings.tls : nullptr,
                                              .timeout = settings.timeout,
                                              .body_max = patroni::kAnswerMax});
  if (!answer) {
    answer.error().hint =
        "Check that Patroni runs there, and that the address is its restapi.connect_address.";
    co_return answer;
  }
  if (answer->status == 200) co_return answer;
  const bool is_kept_out = answer->status == 401 || answer->status == 403;
  co_return fail(ErrorCode::kConnectionFailure,
                 fmt::format("GET {} was answered with status {}", path, answer->status), {},
                 is_kept_out ? "Check patroni_user and patroni_password_file, and the allowlist of "
                               "Patroni's REST API."
                             : "Check that the URL is that of Patroni's REST API.");
}

net::Task<void> renew_report(net::Loop& loop, const PatroniSettings& settings,
                             PatroniAddress& address) {
  patroni::Report& report = address.report;
  report.url = address.url.to_string();
  std::optional<Error> trouble;
  const auto note = [&](Error& error) {
    if (!trouble) trouble = std::move(error);
  };
  // The list first: the store was heard at least when the status says afterwards.
  Time asked_at = net::Loop::now();
  if (auto answer = co_await ask_patroni(loop, settings, address.url, "/cluster"); !answer) {
    note(answer.error());
  } else if (auto cluster = patroni::parse_cluster(answer->body); !cluster) {
    note(cluster.error());
  } else {
    report.cluster = std::move(*cluster);
    report.cluster_asked_at = asked_at;
    report.cluster_date_s = address.clock.read(date_of(*answer), asked_at);
  }
  if (address.over) co_return;
  asked_at = net::Loop::now();
  if (auto answer = co_await ask_patroni(loop, settings, address.url, "/patroni"); !answer) {
    note(answer.error());
  } else if (auto status = patroni::parse_status(answer->body); !status) {
    note(status.error());
  } else {
    report.status = std::move(*status);
    report.status_asked_at = asked_at;
    report.status_date_s = address.clock.read(date_of(*answer), asked_at);
  }
  if (address.wants_history && !address.over) {
    auto answer = co_await ask_patroni(loop, settings, address.url, "/history");
    auto history = answer ? patroni::parse_history(answer->body) : std::unexpected(answer.error());
    // Without it less is known of the nodes, and nothing wrong.
    if (history) report.history = std::move(*history);
  }
  report.trouble = std::move(trouble);
}

struct PatroniWatch::Watched {
  Watched(net::Loop& loop, config::HttpUrl url) : asked{.url = std::move(url)}, poked(loop) {
    report.url = asked.url.to_string();
  }

  PatroniAddress asked;    // Of the round that is on its way.
  patroni::Report report;  // Of the last one that was whole.
  net::Signal poked;
  uint32_t rounds = 0;
  bool ended = false;  // Its coroutine.
};

PatroniWatch::PatroniWatch(net::Loop& loop, std::string cluster, PatroniSettings settings,
                           OnNews on_news)
    : loop_(loop),
      cluster_(std::move(cluster)),
      settings_(std::move(settings)),
      on_news_(std::move(on_news)),
      spawner_(loop) {}

PatroniWatch::~PatroniWatch() = default;

void PatroniWatch::start() {
  started_at_ = net::Loop::now();
  for (const config::HttpUrl& url : settings_.urls) add(url);
}

void PatroniWatch::add(const config::HttpUrl& url) {
  addresses_.push_back(std::make_unique<Watched>(loop_, url));
  spawner_.spawn(watch(*addresses_.back()));
}

net::Task<void> PatroniWatch::stop() {
  stopping_ = true;
  for (const auto& address : addresses_) {
    address->asked.over = true;
    address->poked.notify_all();
  }
  co_await spawner_.join();
}

void PatroniWatch::set_settings(PatroniSettings settings) {
  settings_ = std::move(settings);
  if (started_at_ == Time{}) return;
  const std::vector<config::HttpUrl>& urls = settings_.urls;
  std::erase_if(leaving_, [](const auto& address) { return address->ended; });
  for (auto& address : addresses_) {
    if (std::ranges::find(urls, address->asked.url) != urls.end()) continue;
    address->asked.over = true;
    address->poked.notify_all();
    leaving_.push_back(std::move(address));
  }
  std::erase(addresses_, nullptr);
  for (const config::HttpUrl& url : urls) {
    const bool is_known = std::ranges::any_of(
        addresses_, [&](const auto& address) { return address->asked.url == url; });
    if (!is_known) add(url);
  }
}

void PatroniWatch::set_hurry(bool hurry) {
  const bool begins = hurry && !hurry_;
  hurry_ = hurry;
  if (!begins) return;
  for (const auto& address : addresses_) address->poked.notify_all();
}

net::Task<void> PatroniWatch::watch(Watched& watched) {
  PatroniAddress& asked = watched.asked;
  std::string leader_before;
  while (!asked.over) {
    const std::string leader = leader_of(watched.report);
    asked.wants_history = leader != leader_before || watched.rounds % kRoundsPerHistory == 0;
    leader_before = leader;
    const PatroniSettings settings = settings_;  // set_settings() may come meanwhile.
    co_await renew_report(loop_, settings, asked);
    if (asked.over) break;
    watched.report = asked.report;
    ++watched.rounds;
    tell();
    if (asked.over) break;
    co_await watched.poked.wait_for(hurry_ ? std::min(kHurryInterval, settings_.interval)
                                           : settings_.interval);
  }
  watched.ended = true;
}

bool PatroniWatch::all_asked() const {
  return std::ranges::all_of(addresses_, [](const auto& address) { return address->rounds > 0; });
}

void PatroniWatch::tell() {
  // The first word would count for all of them; but one that is out of reach must not keep it back.
  const bool is_early = !told_ && net::Loop::now() - started_at_ < settings_.timeout;
  if (is_early && !all_asked()) return;
  told_ = true;
  std::vector<patroni::Report> reports;
  reports.reserve(addresses_.size());
  for (const auto& address : addresses_) reports.push_back(address->report);
  const patroni::Judgement judgement = patroni::judge(reports, settings_.judge, net::Loop::now());
  log_troubles(judgement);
  on_news_(judgement);
}

/// Each once, however often it is met.
void PatroniWatch::log_troubles(const patroni::Judgement& judgement) {
  std::vector<std::string> about;
  for (const patroni::Trouble& trouble : judgement.troubles) {
    about.push_back(trouble.about);
    if (std::ranges::find(known_troubles_, trouble.about) == known_troubles_.end())
      log::warning("cluster {}: Patroni: {}", cluster_, trouble.text());
  }
  for (const std::string& known : known_troubles_) {
    if (std::ranges::find(about, known) == about.end())
      log::info("cluster {}: Patroni: all is well again with {}", cluster_,
                known.empty() ? "what the addresses say together" : known);
  }
  known_troubles_ = std::move(about);
}

}  // namespace fairlead::proxy
