#include "cluster/state.h"

#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

ClusterState some_state() {
  ClusterState state;
  state.phase = Phase::kReady;
  state.spec.dir = "/srv/\"d\"b";
  state.spec.replicas = 1;
  state.spec.pg_bin = "/opt/pg/bin";
  state.spec.os_user = "postgres";
  state.spec.application_user = "app";
  state.spec.settings = {{"work_mem", "8MB"}, {"search_path", "\"a\", 'b'"}};
  state.spec.throw_away = true;
  state.pg_major = 17;
  state.secrets = {"a", "b", "c", "d"};
  state.nodes = {{"node1", 5601}, {"node2", 65535}};
  state.steps_done = 9;
  state.step_begun = true;
  return state;
}

TEST(ClusterState, IsReadBackAsItWasWritten) {
  const auto read = state_from_json(to_json(some_state()));
  ASSERT_TRUE(read.has_value()) << describe(read.error());
  EXPECT_EQ(*read, some_state());
}

TEST(ClusterState, EveryTruncationIsAnError) {
  std::string text = to_json(some_state());
  text.pop_back();  // The line break after the last brace is not part of the document.
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(state_from_json(text.substr(0, size)).has_value()) << size;
}

TEST(ClusterState, AMissingOrMistypedFieldIsAnErrorThatNamesIt) {
  const std::string good = to_json(some_state());
  for (const char* name : {"phase", "steps_done", "step_begun", "pg_major", "dir", "replicas",
                           "settings", "monitor", "nodes", "throw_away", "base_port"}) {
    std::string text = good;
    const size_t at = text.find("\"" + std::string(name) + "\"");
    ASSERT_NE(at, std::string::npos) << name;
    text.replace(at + 1, 1, "?");
    const auto read = state_from_json(text);
    ASSERT_FALSE(read.has_value()) << name;
    EXPECT_EQ(read.error().detail, std::string(name) + " is missing or wrong");
  }
}

TEST(ClusterState, APortThatIsNoneIsAnError) {
  std::string text = to_json(some_state());
  text.replace(text.find("65535"), 5, "65536");
  EXPECT_FALSE(state_from_json(text).has_value());
}

TEST(ClusterState, AnotherFormatIsRefused) {
  std::string text = to_json(some_state());
  const size_t at = text.find("\"format\":1");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 10, "\"format\":2");
  const auto read = state_from_json(text);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().detail, "it was written by another version of fairlead");
}

}  // namespace
}  // namespace fairlead::cluster
