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
  state.stopped = true;
  state.spec.sync = {SyncRule::Method::kFirst, 1};
  state.nodes[1].standing = Standing::kNeedsRejoin;
  Operation operation;
  operation.kind = OperationKind::kAddReplica;
  operation.text = "add-replica \"node2\"";
  operation.plan = {{StepKind::kClone, 1, 0}, {StepKind::kAdmit, 1}};
  operation.open_ended = true;
  operation.steps_done = 1;
  operation.step_begun = true;
  operation.giving_up = true;
  operation.patience = std::chrono::milliseconds(10'500);
  operation.primary = 1;
  operation.sync = {SyncRule::Method::kAny, 2};
  operation.standings = {Standing::kJoining};
  state.operation = operation;
  return state;
}

TEST(ClusterState, IsReadBackAsItWasWritten) {
  const auto read = state_from_json(to_json(some_state()));
  ASSERT_TRUE(read.has_value()) << describe(read.error());
  EXPECT_EQ(*read, some_state());
}

TEST(ClusterState, WithoutAnOperationIsReadBackAsItWasWritten) {
  ClusterState state = some_state();
  state.operation.reset();
  const auto read = state_from_json(to_json(state));
  ASSERT_TRUE(read.has_value()) << describe(read.error());
  EXPECT_EQ(*read, state);
}

TEST(ClusterState, EveryTruncationIsAnError) {
  std::string text = to_json(some_state());
  text.pop_back();  // The line break after the last brace is not part of the document.
  for (size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(state_from_json(text.substr(0, size)).has_value()) << size;
}

TEST(ClusterState, AMissingOrMistypedFieldIsAnErrorThatNamesIt) {
  const std::string good = to_json(some_state());
  for (const char* name :
       {"phase", "steps_done", "step_begun", "pg_major", "dir", "replicas", "settings", "monitor",
        "nodes", "throw_away", "base_port", "operation", "stopped"}) {
    std::string text = good;
    const size_t at = text.find("\"" + std::string(name) + "\"");
    ASSERT_NE(at, std::string::npos) << name;
    text.replace(at + 1, 1, "?");
    const auto read = state_from_json(text);
    ASSERT_FALSE(read.has_value()) << name;
    EXPECT_EQ(read.error().detail, std::string(name) + " is missing or wrong");
  }
}

TEST(ClusterState, AnOperationThatIsNotWholeIsAnErrorThatNamesWhatIsWrong) {
  const auto broken = [](const std::string& what, const std::string& with) {
    std::string text = to_json(some_state());
    const size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    const auto read = state_from_json(text.replace(at, what.size(), with));
    return read ? std::string("nothing") : read.error().detail;
  };
  EXPECT_EQ(broken("\"kind\":\"clone\"", "\"kind\":\"clown\""),
            "operation.plan.kind is missing or wrong");
  EXPECT_EQ(broken("\"admit\",\"node\":1", "\"admit\",\"node\":2"),
            "operation.plan is missing or wrong");
  EXPECT_EQ(broken("\"giving_up\":true", "\"giving_up\":1"),
            "operation.giving_up is missing or wrong");
  EXPECT_EQ(broken("\"sync\":\"any 2\"", "\"sync\":\"any\""), "operation.sync is missing or wrong");
  EXPECT_EQ(broken("\"primary\":1,\"sync\"", "\"primary\":2,\"sync\""),
            "operation.standings is missing or wrong");
}

TEST(ClusterState, APortThatIsNoneIsAnError) {
  std::string text = to_json(some_state());
  text.replace(text.find("65535"), 5, "65536");
  EXPECT_FALSE(state_from_json(text).has_value());
}

TEST(ClusterState, AnotherFormatIsRefused) {
  std::string text = to_json(some_state());
  const size_t at = text.find("\"format\":2");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 10, "\"format\":3");
  const auto read = state_from_json(text);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().detail, "it was written by another version of fairlead");
}

}  // namespace
}  // namespace fairlead::cluster
