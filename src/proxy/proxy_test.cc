#include "proxy/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/dial.h"

namespace fairlead::proxy {
namespace {

TEST(ProxyStart, SaysWhichPortIsHeldWhenOthersAreOpenAlready) {
  net::Loop loop;
  const auto holder = net::listen(loop, "127.0.0.1", 0, false);
  ASSERT_TRUE(holder) << describe(holder.error());
  const uint16_t held = holder->port();

  config::Config config;
  config.proxy.workers = 2;
  config.listen.port = config.listen.primary_port = 0;
  config.listen.read_port = held;
  const auto started = Proxy::start(std::make_shared<const config::Config>(std::move(config)));
  ASSERT_FALSE(started);
  EXPECT_THAT(describe(started.error()),
              testing::HasSubstr("cannot listen on 127.0.0.1:" + std::to_string(held)));
}

}  // namespace
}  // namespace fairlead::proxy
