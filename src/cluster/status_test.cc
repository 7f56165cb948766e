#include "cluster/status.h"

#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

std::vector<StatusRow> some_rows() {
  return {{"node1", Role::kPrimary, "running", "127.0.0.1", 5601, 2, {}, Lsn{0x3000060}, {}},
          {"node2", Role::kReplica, "streaming", "127.0.0.1", 5602, 2, Lsn{0x3000060},
           Lsn{0x3000000}, 96},
          {"node3", Role::kReplica, "stopped", "127.0.0.1", 5603, 0, {}, {}, {}}};
}

TEST(Status, IsATableWithADashForWhatIsUnknown) {
  EXPECT_EQ(render_status(some_rows()),
            "name   role     state      host       port  timeline  received   replayed   lag\n"
            "node1  primary  running    127.0.0.1  5601  2         -          0/3000060  -\n"
            "node2  replica  streaming  127.0.0.1  5602  2         0/3000060  0/3000000  96\n"
            "node3  replica  stopped    127.0.0.1  5603  -         -          -          -\n");
}

TEST(Status, IsJsonWithNullForWhatIsUnknown) {
  EXPECT_EQ(status_json({some_rows()[2]}),
            R"([{"name":"node3","role":"replica","state":"stopped","host":"127.0.0.1","port":5603,)"
            R"("timeline":null,"receive_lsn":null,"replay_lsn":null,"lag_bytes":null}])");
}

TEST(Endpoint, QuotesAndEncodesWhatCouldBeMisread) {
  const Endpoint endpoint{"127.0.0.1", 5601, "a b", "p'\\w/@", "d?b"};
  EXPECT_EQ(endpoint.conninfo(),
            R"(host='127.0.0.1' port=5601 user='a b' password='p\'\\w/@' dbname='d?b')");
  EXPECT_EQ(endpoint.url(), "postgresql://a%20b:p%27%5Cw%2F%40@127.0.0.1:5601/d%3Fb");
}

}  // namespace
}  // namespace fairlead::cluster
