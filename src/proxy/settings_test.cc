// What becomes of the files that a configuration names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "net/alarm.h"
#include "net/dial.h"
#include "net/spawner.h"
#include "proxy/shared.h"

namespace fairlead::proxy {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class UsersFileOfSettings : public testing::Test {
 protected:
  UsersFileOfSettings() {
    std::string name = testing::TempDir() + "/fl-XXXXXX";
    dir_ = mkdtemp(name.data());
  }
  ~UsersFileOfSettings() override { std::filesystem::remove_all(dir_); }

  static Result<SettingsPtr> with(std::string users_file) {
    config::Config config;
    config.auth.users_file = std::move(users_file);
    return make_settings(std::make_shared<const config::Config>(std::move(config)));
  }
  static std::string why(std::string users_file) {
    const auto settings = with(std::move(users_file));
    return settings ? "it was read" : describe(settings.error());
  }

  std::string dir_;
};

TEST_F(UsersFileOfSettings, MayBeEmptyAndThenNamesNobody) {
  std::ofstream(dir_ + "/empty").close();
  std::ofstream(dir_ + "/one") << "\"bob\" \"pw\"\n";
  const auto none = with(dir_ + "/empty");
  ASSERT_TRUE(none) << describe(none.error());
  EXPECT_EQ((*none)->users.size(), 0U);
  EXPECT_EQ(with(dir_ + "/one").value()->users.size(), 1U);
}

TEST_F(UsersFileOfSettings, ThatCannotBeReadSaysWhy) {
  EXPECT_THAT(why(dir_), AllOf(HasSubstr("auth.users_file: cannot read " + dir_),
                               HasSubstr("Is a directory")));
  EXPECT_THAT(why(dir_ + "/none"),
              AllOf(HasSubstr(dir_ + "/none"), HasSubstr("No such file or directory")));
  std::ofstream(dir_ + "/file").close();
  EXPECT_THAT(why(dir_ + "/file/x"), HasSubstr("Not a directory"));
}

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

/// `came`: somebody has connected meanwhile.
net::Task<void> renew_and_accept(net::Loop& loop, const PatroniSettings& settings,
                                 PatroniAddress& address, net::Acceptor& acceptor, bool& came) {
  co_await renew_report(loop, settings, address);
  const net::Alarm nobody(loop, std::chrono::milliseconds(50), [&] { acceptor.close(); });
  came = (co_await acceptor.accept()).has_value();
  loop.stop();
}

TEST(PatroniSettings, WithoutTlsNothingIsSentToAnAddressThatNeedsIt) {
  net::Loop loop;
  auto acceptor = net::listen(loop, "127.0.0.1", 0, false);
  ASSERT_TRUE(acceptor);
  const PatroniSettings settings = make_patroni_settings(managed_by({"http://127.0.0.1"})).value();
  PatroniAddress address{
      .url = {.tls = true, .host = "127.0.0.1", .port = acceptor->port(), .path = {}}};
  bool came = true;
  net::start(loop, renew_and_accept(loop, settings, address, *acceptor, came));
  loop.run();
  ASSERT_TRUE(address.report.trouble);
  EXPECT_THAT(describe(*address.report.trouble), HasSubstr("is not asked"));
  EXPECT_FALSE(came);
}

}  // namespace
}  // namespace fairlead::proxy
