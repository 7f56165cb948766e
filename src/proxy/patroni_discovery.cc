#include "proxy/patroni_discovery.h"

#include "proxy/patroni_watch.h"

namespace fairlead::proxy {
namespace {

net::Task<void> ask_all(net::Loop& loop, const PatroniSettings& settings,
                        std::vector<patroni::Report>& reports) {
  std::vector<patroni::RemoteClock> clocks(reports.size());
  net::Spawner spawner(loop);
  for (size_t i = 0; i < settings.urls.size(); ++i)
    spawner.spawn(renew_report(loop, settings, settings.urls[i], false, clocks[i], reports[i]));
  co_await spawner.join();
  loop.stop();
}

}  // namespace

Result<PatroniDiscovery> discover_patroni(const config::Cluster& cluster) {
  const auto settings = make_patroni_settings(cluster);
  if (!settings) return std::unexpected(settings.error());
  PatroniDiscovery found;
  found.reports.resize(settings->urls.size());
  for (size_t i = 0; i < settings->urls.size(); ++i)
    found.reports[i].url = settings->urls[i].to_string();
  net::Loop loop;
  net::asio::co_spawn(loop.executor(), ask_all(loop, *settings, found.reports),
                      [](std::exception_ptr error) {
                        if (error) std::rethrow_exception(error);
                      });
  loop.run();
  found.judgement = patroni::judge(found.reports, settings->judge, net::Loop::now());
  return found;
}

}  // namespace fairlead::proxy
