#include "app/cluster_status_report.h"

#include <gtest/gtest.h>

namespace fairlead::app {
namespace {

using cluster::Role;
using cluster::StatusRow;

std::vector<StatusRow> some_rows() {
  StatusRow node1;
  node1.name = "node1";
  node1.state = "running";
  node1.host = "127.0.0.1";
  node1.port = 5601;
  node1.system_identifier = "7277694203142172922";
  node1.timeline = 2;
  node1.replay_lsn = Lsn{0x3000060};
  StatusRow node2 = node1;
  node2.name = "node2";
  node2.role = Role::kReplica;
  node2.state = "streaming";
  node2.port = 5602;
  node2.sync_state = "quorum";
  node2.receive_lsn = Lsn{0x3000060};
  node2.receive_lag_bytes = 0;
  node2.replay_lsn = Lsn{0x3000000};
  node2.lag_bytes = 96;
  node2.lag_time = Duration{4'000};
  StatusRow node3;
  node3.name = "node3";
  node3.role = Role::kReplica;
  node3.state = "stopped";
  node3.host = "::1";
  node3.port = 5603;
  return {node1, node2, node3};
}

TEST(ClusterStatusReport, IsATableInPatronisWordsWithADashForWhatIsUnknown) {
  EXPECT_EQ(status_text("c", some_rows()),
            "Cluster: c (7277694203142172922)\n"
            "Member  Host            Role            State      TL  Receive LSN  Receive Lag  "
            "Replay LSN  Replay Lag  Time Lag\n"
            "node1   127.0.0.1:5601  Leader          running     2  -            -            "
            "0/3000060   -           -\n"
            "node2   127.0.0.1:5602  Quorum Standby  streaming   2  0/3000060    0 B          "
            "0/3000000   96 B        4.0 ms\n"
            "node3   [::1]:5603      Replica         stopped     -  -            -            "
            "-           -           -\n");
}

TEST(ClusterStatusReport, ATitleSaysNoMoreThanIsKnown) {
  EXPECT_EQ(status_title("c", {some_rows()[2]}), "Cluster: c");
}

TEST(ClusterStatusReport, IsJsonWithNullForWhatIsUnknown) {
  EXPECT_EQ(status_json("c", {some_rows()[2]}),
            R"([{"cluster":"c","system_identifier":null,"name":"node3","role":"replica",)"
            R"("state":"stopped","sync_state":null,"host":"::1","port":5603,"timeline":null,)"
            R"("receive_lsn":null,"receive_lag_bytes":null,"replay_lsn":null,"lag_bytes":null,)"
            R"("lag_ms":null}])");
  const std::string known = status_json("c", {some_rows()[1]});
  EXPECT_NE(known.find(R"("receive_lag_bytes":0,"replay_lsn":"0/3000000","lag_bytes":96,)"
                       R"("lag_ms":4)"),
            std::string::npos)
      << known;
}

}  // namespace
}  // namespace fairlead::app
