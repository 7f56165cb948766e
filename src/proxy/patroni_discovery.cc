#include "proxy/patroni_discovery.h"

#include "proxy/patroni_watch.h"

namespace fairlead::proxy {
namespace {

net::Task<void> ask_all(net::Loop& loop, const PatroniSettings& settings,
                        std::vector<PatroniAddress>& addresses) {
  net::Spawner spawner(loop);
  for (PatroniAddress& address : addresses) spawner.spawn(renew_report(loop, settings, address));
  co_await spawner.join();
  loop.stop();
}

}  // namespace

Result<PatroniDiscovery> discover_patroni(const config::Cluster& cluster) {
  const auto settings = make_patroni_settings(cluster);
  if (!settings) return std::unexpected(settings.error());
  std::vector<PatroniAddress> addresses;
  for (const config::HttpUrl& url : settings->urls) addresses.push_back({.url = url});
  net::Loop loop;
  net::start(loop, ask_all(loop, *settings, addresses));
  loop.run();
  PatroniDiscovery found;
  for (PatroniAddress& address : addresses) found.reports.push_back(std::move(address.report));
  found.judgement = patroni::judge(found.reports, settings->judge, net::Loop::now());
  return found;
}

}  // namespace fairlead::proxy
