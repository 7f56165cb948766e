// Planning, the texts of servers' files and the tools' command lines: nothing here touches the
// machine.
#include "cluster/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/server_files.h"
#include "cluster/tool_commands.h"

namespace fairlead::cluster {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

ClusterState two_replicas() {
  ClusterState state;
  state.spec.dir = "/srv/db";
  state.spec.pg_bin = "/opt/pg/bin";
  state.spec.os_user = "postgres";
  state.pg_major = 15;
  state.secrets = {"super-secret", "monitor-secret", "replication-secret", ""};
  state.nodes = {{"node1", 5601}, {"node2", 5602}, {"node3", 5603}};
  return state;
}

TEST(Plan, TheFirstNodeIsCompleteBeforeItIsCloned) {
  const Plan plan = plan_create(two_replicas());
  const Plan expected = {
      {StepKind::kMakeFolders, 0},    {StepKind::kInitialize, 0},  {StepKind::kConfigure, 0},
      {StepKind::kStart, 0},          {StepKind::kCreateRoles, 0}, {StepKind::kClone, 1},
      {StepKind::kConfigure, 1},      {StepKind::kStart, 1},       {StepKind::kClone, 2},
      {StepKind::kConfigure, 2},      {StepKind::kStart, 2},       {StepKind::kAwaitStreaming, 1},
      {StepKind::kAwaitStreaming, 2},
  };
  EXPECT_EQ(plan, expected);
}

TEST(Plan, DependsOnTheStateAloneAndNotOnHowFarItIs) {
  ClusterState later = two_replicas();
  later.steps_done = 7;
  later.step_begun = true;
  EXPECT_EQ(plan_create(later), plan_create(two_replicas()));
}

TEST(Plan, StepsThatMakeDataAreUndoneByRemovingIt) {
  EXPECT_EQ(undo_of(StepKind::kInitialize), UndoKind::kRemoveData);
  EXPECT_EQ(undo_of(StepKind::kClone), UndoKind::kDropClone);
  EXPECT_EQ(undo_of(StepKind::kStart), UndoKind::kStopNode);
}

TEST(Plan, IsPrintedWithItsCommandsAndUndosAndWithoutPasswords) {
  const std::string text = render(plan_create(two_replicas()), two_replicas());
  EXPECT_THAT(text, HasSubstr(" 6. clone node1 into node2\n"));
  EXPECT_THAT(text, HasSubstr("/opt/pg/bin/pg_basebackup"));
  EXPECT_THAT(text, HasSubstr("undo: remove the data of node2 and its replication slot\n"));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
}

TEST(Plan, OfASynchronousClusterWaitsForReplicasOnlyOnceTheyStream) {
  ClusterState state = two_replicas();
  state.spec.sync = {SyncRule::Method::kAny, 1};
  const Plan plan = plan_create(state);
  ASSERT_EQ(plan.size(), 19U);
  EXPECT_EQ(plan[12], (Step{StepKind::kAwaitStreaming, 2}));
  EXPECT_EQ(plan[13], (Step{StepKind::kAdmit, 1}));
  EXPECT_EQ(plan[15], (Step{StepKind::kReconfigure, 0}));
  EXPECT_EQ(plan[17], (Step{StepKind::kReconfigure, 2}));
  EXPECT_EQ(plan[18], (Step{StepKind::kAwaitSync, 0}));
}

TEST(Plan, GivingUpRestoresTheRecordAndKeepsANewNodeAsOneThatIsToBeRemoved) {
  ClusterState state = two_replicas();
  const Operation operation = operation_on(state, 0, OperationKind::kAddReplica, "", {});
  state.spec.sync = {SyncRule::Method::kAny, 1};
  state.nodes[0].standing = Standing::kNeedsRejoin;
  state.nodes.push_back({"node4", 5604});
  restore(state, operation);
  EXPECT_EQ(state.spec.sync, SyncRule{});
  EXPECT_EQ(state.nodes[0].standing, Standing::kMember);
  EXPECT_EQ(state.nodes[3].standing, Standing::kJoining);
}

TEST(ToolCommands, ABaseBackupMakesItsSlotAndNamesItsReplica) {
  const ClusterState state = two_replicas();
  const Arguments arguments = base_backup_arguments(state, state.nodes[0], state.nodes[2]);
  EXPECT_THAT(arguments, Contains("--slot=node3"));
  EXPECT_THAT(arguments, Contains("--create-slot"));
  EXPECT_THAT(arguments, Not(Contains("--write-recovery-conf")));
  EXPECT_THAT(
      arguments,
      Contains("--dbname=host='127.0.0.1' port=5601 user='replicator' application_name='node3'"));
}

TEST(ToolCommands, OnlyAThrowAwayClusterIsMadeWithoutSyncs) {
  ClusterState state = two_replicas();
  EXPECT_THAT(initdb_arguments(state, state.nodes[0]), Not(Contains("--no-sync")));
  EXPECT_THAT(initdb_arguments(state, state.nodes[0]), Contains("--data-checksums"));
  EXPECT_THAT(render_fairlead_conf(state, state.nodes[0], nullptr), Not(HasSubstr("fsync")));
  state.spec.throw_away = true;
  EXPECT_THAT(initdb_arguments(state, state.nodes[0]), Contains("--no-sync"));
  EXPECT_THAT(render_fairlead_conf(state, state.nodes[0], nullptr), HasSubstr("fsync = 'off'"));
}

TEST(ServerFiles, PgHbaLetsNobodyInWithoutAPasswordAndOnlyTheNodesAddress) {
  const std::string text = render_pg_hba(two_replicas().spec);
  EXPECT_THAT(text, Not(HasSubstr("trust")));
  EXPECT_THAT(text, Not(HasSubstr("peer")));
  EXPECT_THAT(text, Not(HasSubstr("0.0.0.0")));
  EXPECT_THAT(
      text,
      HasSubstr("host    replication  replicator         127.0.0.1/32          scram-sha-256\n"));
  ClusterSpec six = two_replicas().spec;
  six.host = "::1";
  EXPECT_THAT(render_pg_hba(six), HasSubstr("::1/128"));
}

TEST(ServerFiles, EachNodeHasItsPortAndNameAndTheSameWalSettings) {
  const ClusterState state = two_replicas();
  const std::string text = render_fairlead_conf(state, state.nodes[1], nullptr);
  EXPECT_THAT(text, HasSubstr("port = '5602'"));
  EXPECT_THAT(text, HasSubstr("cluster_name = 'node2'"));
  EXPECT_THAT(text, HasSubstr("unix_socket_directories = '/srv/db/s'"));
  EXPECT_THAT(text, HasSubstr("max_wal_senders = '22'"));
}

TEST(ServerFiles, AReplicaNamesWhomItFollowsAndItsSlotThere) {
  const ClusterState state = two_replicas();
  const std::string text = render_fairlead_conf(state, state.nodes[1], &state.nodes[2]);
  EXPECT_THAT(text,
              HasSubstr("primary_conninfo = 'host=''127.0.0.1'' port=5603 user=''replicator'' "
                        "application_name=''node2'' password=''replication-secret'''"));
  EXPECT_THAT(text, HasSubstr("primary_slot_name = 'node2'"));
  EXPECT_THAT(render_fairlead_conf(state, state.nodes[0], nullptr), Not(HasSubstr("conninfo")));
}

// E10, E11: a commit waits for members, and the rule holds while too few of them are left.
TEST(ServerFiles, ThePrimaryWaitsForTheOtherMembersAndNeverForFewerThanTheRuleSays) {
  ClusterState state = two_replicas();
  EXPECT_EQ(standby_names(state.spec.sync, standbys_of(state, state.nodes[0])), "");
  state.spec.sync = {SyncRule::Method::kAny, 1};
  EXPECT_THAT(render_fairlead_conf(state, state.nodes[1], nullptr),
              HasSubstr("synchronous_standby_names = 'ANY 1 (\"node1\", \"node3\")'"));
  const auto names = [&] {
    return standby_names(state.spec.sync, standbys_of(state, state.nodes[1]));
  };
  state.nodes[0].standing = Standing::kNeedsRejoin;
  EXPECT_EQ(names(), "ANY 1 (\"node3\")");
  state.nodes[2].standing = Standing::kJoining;
  EXPECT_EQ(names(), "ANY 1 (\"node1\")");
}

TEST(ServerFiles, OnlyWhatBelongsToUsIsTakenOutOfTheFileOfAlterSystem) {
  EXPECT_EQ(without_overrides("# Do not edit\nwork_mem = '1MB'\nprimary_conninfo = 'host=a'\n"
                              "synchronous_standby_names='x'\nprimary_slot_names = 'y'\n"),
            "# Do not edit\nwork_mem = '1MB'\nprimary_slot_names = 'y'\n");
}

TEST(ServerFiles, ChosenSettingsComeLastAndTheirQuotesAreEscaped) {
  ClusterState state = two_replicas();
  state.spec.settings = {{"search_path", "a'b\\c"}};
  const std::string text = render_fairlead_conf(state, state.nodes[0], nullptr);
  EXPECT_TRUE(text.ends_with("search_path = 'a''b\\\\c'\n")) << text;
}

}  // namespace
}  // namespace fairlead::cluster
