// Asks Patroni's REST addresses what there is, has patroni/judgement.h decide what of it is to be
// believed, and passes that on.
//
// It carries out and decides nothing itself. One coroutine for each address, so that one that hangs
// delays nobody else's news. Everything runs on one loop, the control thread's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/http_url.h"
#include "net/http_client.h"
#include "net/spawner.h"
#include "patroni/judgement.h"
#include "patroni/remote_clock.h"

namespace fairlead::proxy {

struct PatroniSettings {
  std::vector<config::HttpUrl> urls;
  std::string authorization;                  // Of every question; empty: none.
  std::shared_ptr<const net::TlsClient> tls;  // For https; null: no URL is of that.
  Duration interval = std::chrono::seconds(1);
  Duration timeout = std::chrono::seconds(2);
  patroni::JudgeConfig judge;
};

/// What `cluster` says of Patroni. Errors: a certificate file that cannot be used.
Result<PatroniSettings> make_patroni_settings(const config::Cluster& cluster);

/// One question to one address: GET `path`. The error says what is wrong and what to do: not
/// reached, no status 200, or no answer of Patroni's.
net::Task<Result<net::HttpAnswer>> ask_patroni(net::Loop& loop, const PatroniSettings& settings,
                                               config::HttpUrl url, std::string path);

/// One address, and what it said.
struct PatroniAddress {
  config::HttpUrl url;
  bool wants_history = false;  // GET /history, too.
  bool over = false;           // Set from outside: nothing more is asked.
  patroni::RemoteClock clock = {};
  patroni::Report report = {};
};

/// Asks it all that there is to ask, and keeps what is good of it in its report, with the trouble,
/// if any. Takes up to three timeouts; one when it is set to be over.
net::Task<void> renew_report(net::Loop& loop, const PatroniSettings& settings,
                             PatroniAddress& address);

class PatroniWatch {
 public:
  /// Called on the loop after each round with an address; first when all were asked once, or one
  /// timeout has passed.
  using OnNews = std::function<void(const patroni::Judgement&)>;

  /// `loop` must outlive the watch, and stop() must be awaited before it is destroyed.
  PatroniWatch(net::Loop& loop, std::string cluster, PatroniSettings settings, OnNews on_news);
  ~PatroniWatch();

  void start();
  /// Joins; an address that does not answer delays it by a timeout.
  net::Task<void> stop();

  /// From now on these addresses, asked in this way; what the others have said is forgotten. A
  /// round with an address that stays ends as it was begun.
  void set_settings(PatroniSettings settings);
  /// While nobody takes writes, news is looked for more often, and at once when this begins.
  void set_hurry(bool hurry);

 private:
  struct Watched;

  net::Task<void> watch(Watched& watched);
  void add(const config::HttpUrl& url);
  bool all_asked() const;
  void tell();
  void log_troubles(const patroni::Judgement& judgement);

  net::Loop& loop_;
  const std::string cluster_;
  PatroniSettings settings_;
  const OnNews on_news_;
  net::Spawner spawner_;
  std::vector<std::unique_ptr<Watched>> addresses_;
  std::vector<std::unique_ptr<Watched>> leaving_;  // Until their coroutine has ended.
  std::vector<std::string> known_troubles_;        // What they are about.
  Time started_at_{};                              // Time{}: not yet.
  bool told_ = false;
  bool hurry_ = false;
  bool stopping_ = false;
};

}  // namespace fairlead::proxy
