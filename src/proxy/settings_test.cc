// What a configuration means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxy/shared.h"

namespace fairlead::proxy {
namespace {

using testing::HasSubstr;

config::Cluster managed_by(std::vector<std::string> urls) {
  config::Cluster cluster;
  cluster.topology = config::TopologySource::kPatroni;
  cluster.patroni_urls = std::move(urls);
  cluster.patroni_tls_mode = config::TlsMode::kRequire;
  cluster.patroni_user = "reader";
  return cluster;
}

TEST(PatroniSettings, HaveTlsWhereverAnUrlNeedsIt) {
  EXPECT_EQ(make_patroni_settings(managed_by({"http://db1"})).value().tls, nullptr);
  EXPECT_NE(make_patroni_settings(managed_by({"http://db1", "https://db2"})).value().tls, nullptr);
}

TEST(PatroniSettings, WithoutTlsNothingIsSentToAnAddressThatNeedsIt) {
  net::Loop loop;
  auto acceptor = net::listen(loop, "127.0.0.1", 0, false);
  ASSERT_TRUE(acceptor);
  const PatroniSettings settings = make_patroni_settings(managed_by({"http://127.0.0.1"})).value();
  PatroniAddress address{
      .url = {.tls = true, .host = "127.0.0.1", .port = net::local_port(*acceptor), .path = {}}};
  net::asio::co_spawn(loop.executor(), renew_report(loop, settings, address),
                      [&](std::exception_ptr) { loop.stop(); });
  loop.run();
  ASSERT_TRUE(address.report.trouble);
  EXPECT_THAT(describe(*address.report.trouble), HasSubstr("is not asked"));
  boost::system::error_code error;
  acceptor->non_blocking(true);
  acceptor->accept(error);
  EXPECT_EQ(error, boost::asio::error::would_block) << "nobody came";
}

}  // namespace
}  // namespace fairlead::proxy
