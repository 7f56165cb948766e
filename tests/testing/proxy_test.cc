// The proxy fixture, on small programs that stand in for fairlead: what it does with a start that
// fails, an exit code and a program that does not listen.
#include "testing/proxy.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <set>

#include "testing/eventually.h"

namespace fairlead::test {
namespace {

/// Makes `script` the program under test for one test.
class ProxyFixture : public ::testing::Test {
 protected:
  void program(const std::string& script) {
    const std::string path = dir_.write("program", "#!/bin/sh\n" + script);
    ASSERT_EQ(chmod(path.c_str(), 0700), 0);
    setenv("FAIRLEAD_BINARY", path.c_str(), 1);
  }
  void TearDown() override { unsetenv("FAIRLEAD_BINARY"); }

 private:
  TempDir dir_;
};

TEST_F(ProxyFixture, APortOfAProgramThatListensIsWaitedFor) {
  program(R"sh(exec python3 -c '
import signal, socket, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])  # One that came before sigwait() is kept.
print("config", open(sys.argv[3]).read())
s = socket.create_server(("127.0.0.1", int(open(sys.argv[3]).read().split("=")[1])))
print("listening", flush=True)
signal.sigwait([signal.SIGTERM])
' "$@")sh");
  const uint16_t port = free_port();
  auto proxy = Proxy::start("port = " + std::to_string(port), {port});
  ASSERT_TRUE(proxy.has_value()) << describe(proxy.error());
  EXPECT_TRUE(accepts_connections(port));
  EXPECT_NE((*proxy)->log().find("listening"), std::string::npos);
  const ProxyEnding ending = (*proxy)->stop();
  EXPECT_EQ(ending.exit_code, 0);
  EXPECT_EQ(ending.signal, 0);
  EXPECT_FALSE(accepts_connections(port));
}

TEST_F(ProxyFixture, AProgramThatEndsBeforeItListensIsAnErrorWithItsLog) {
  program("echo 'unknown key: prot' >&2; exit 2");
  const auto proxy = Proxy::start("prot = 1", {free_port()});
  ASSERT_FALSE(proxy.has_value());
  EXPECT_EQ(proxy.error().detail, "unknown key: prot");
}

TEST_F(ProxyFixture, AProgramThatNeverListensIsEndedAndAnError) {
  program("exec sleep 100");
  const auto proxy = Proxy::start("", {free_port()}, std::chrono::milliseconds(200));
  ASSERT_FALSE(proxy.has_value());
  EXPECT_EQ(proxy.error().message, "the proxy does not listen in time");
}

TEST_F(ProxyFixture, AProgramThatIgnoresSigtermIsKilledAndTheEndingSaysSo) {
  program("trap '' TERM; echo up; while :; do sleep 0.05; done");
  auto proxy = Proxy::run({"up"}, {});
  ASSERT_TRUE(proxy.has_value());
  ASSERT_TRUE(eventually([&] { return !(*proxy)->log().empty(); }));
  EXPECT_EQ((*proxy)->stop(std::chrono::milliseconds(200)).signal, SIGKILL);
}

TEST(ProxyPorts, AreFourDifferentOnes) {
  const auto ports = ProxyPorts().all();
  EXPECT_EQ(std::set<uint16_t>(ports.begin(), ports.end()).size(), 4U);
}

}  // namespace
}  // namespace fairlead::test
