// One probe against real servers: what a node that cannot wait for a position makes of being asked
// to.
#include "proxy/probe.h"

#include <gtest/gtest.h>

#include "integration/control_thread.h"
#include "testing/test_cluster.h"

namespace fairlead::test {
namespace {

using namespace std::chrono_literals;
using core::ProbeResult;
using proxy::ProbeOutcome;

// D19: WAIT FOR LSN is a syntax error to PostgreSQL 15, as it may be to a server that only calls
// itself 19.
TEST(NodeProber, ANodeThatRefusesToWaitAnswersAllTheSame) {
  TestCluster& cluster = TestCluster::shared();
  const cluster::Node& replica = cluster.node(1);
  ControlThread control;
  proxy::NodeProber prober(control.loop(), endpoint_of(replica),
                           login_of(cluster.cluster().as_monitor(replica)));
  const auto probe = [&](std::optional<Lsn> awaited) {
    ProbeOutcome outcome;
    control.finish([](auto& prober, auto awaited, auto& outcome) -> net::Task<void> {
      outcome = co_await prober.probe(1s, awaited);
    }(prober, awaited, outcome));
    return outcome;
  };
  const auto expect_well = [](const ProbeOutcome& outcome) {
    ASSERT_EQ(outcome.result, ProbeResult::kOk) << outcome.detail;
    EXPECT_TRUE(outcome.seen->in_recovery);
    EXPECT_NE(outcome.seen->replay_lsn, Lsn{});
  };
  expect_well(probe({}));
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 3; ++i) expect_well(probe(Lsn{1}));
  const std::string said = ::testing::internal::GetCapturedStderr();
  const size_t first = said.find("does not take WAIT FOR LSN");
  EXPECT_NE(first, std::string::npos) << said;
  EXPECT_EQ(said.find("does not take WAIT FOR LSN", first + 1), std::string::npos) << "said once";
  control.run([&] { prober.disconnect(); });
}

}  // namespace
}  // namespace fairlead::test
