#include "patroni/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace fairlead::patroni {
namespace {

using ::testing::HasSubstr;

// As Patroni 3.0.2 gives it.
constexpr std::string_view kCluster =
    R"({"members": [
      {"name": "a", "role": "leader", "state": "running", "api_url": "http://10.0.0.1:8008/patroni",
       "host": "10.0.0.1", "port": 5432, "timeline": 2},
      {"name": "b", "role": "sync_standby", "state": "running", "host": "10.0.0.2", "port": 5433,
       "timeline": 2, "tags": {"noloadbalance": true, "nofailover": true}, "lag": 0},
      {"name": "c", "role": "replica", "state": "starting", "api_url": "http://10.0.0.3:8008/patroni",
       "host": "10.0.0.3", "port": 5434, "tags": {"clonefrom": true}, "lag": "unknown"}]})";

// As newer ones do (4.0): positions in several forms, a scope.
constexpr std::string_view kNewer =
    R"({"members": [
      {"name": "a", "role": "leader", "state": "running", "host": "::1", "port": 5432,
       "timeline": 3, "pending_restart": true},
      {"name": "b", "role": "quorum_standby", "state": "streaming", "host": "db2", "port": 5432,
       "timeline": 3, "receive_lsn": "0/4000060", "receive_lag": 0, "replay_lsn": "0/4000060",
       "replay_lag": 0, "lsn": "0/4000060", "lag": 0},
      {"name": "c", "role": "replica", "state": "stopped", "receive_lsn": "unknown",
       "receive_lag": "unknown", "replay_lag": "unknown", "lag": "unknown"}],
      "scope": "shop", "pause": true,
      "scheduled_switchover": {"at": "2026-11-27T10:00:00+01:00", "from": "a", "to": "b"}})";

constexpr std::string_view kStatus =
    R"({"state": "running", "postmaster_start_time": "2026-11-27 08:50:00.1+00:00",
        "role": "master", "server_version": 150020, "xlog": {"location": 67109184}, "timeline": 1,
        "replication": [{"usename": "replicator", "application_name": "b", "client_addr": null,
        "state": "streaming", "sync_state": "async", "sync_priority": 0}],
        "dcs_last_seen": 1795769643, "database_system_identifier": "7711482577408329754",
        "patroni": {"version": "3.0.2", "scope": "shop"}})";

std::string with(std::string_view text, std::string_view what, std::string_view instead) {
  std::string out(text);
  const size_t at = out.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return out.replace(at, what.size(), instead);
}

std::string why_refused(std::string_view body) {
  const auto answer = parse_cluster(body);
  return answer ? "accepted" : describe(answer.error());
}

TEST(ClusterAnswer, NamesTheMembersTheLeaderAndWhatTheirTagsForbid) {  // E31
  const auto answer = parse_cluster(kCluster);
  ASSERT_TRUE(answer) << describe(answer.error());
  ASSERT_EQ(answer->members.size(), 3u);
  ASSERT_NE(answer->leader(), nullptr);
  EXPECT_EQ(answer->leader()->name, "a");
  EXPECT_EQ(answer->leader()->address, (config::NodeAddress{"10.0.0.1", 5432}));
  EXPECT_TRUE(answer->members[1].noloadbalance);
  EXPECT_TRUE(answer->members[1].nofailover);
  EXPECT_FALSE(answer->members[2].noloadbalance);
  EXPECT_EQ(answer->members[2].state, "starting");
  EXPECT_FALSE(answer->paused);
  EXPECT_EQ(answer->switchover, std::nullopt);
}

TEST(ClusterAnswer, NewerFormsSayMoreAndUnknownIsNoError) {  // E31
  const auto answer = parse_cluster(kNewer);
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ(answer->scope, "shop");
  EXPECT_TRUE(answer->paused);
  ASSERT_TRUE(answer->switchover);
  EXPECT_EQ(*answer->switchover, (ScheduledSwitchover{1'795'770'000, "a", "b"}));
  EXPECT_EQ(answer->members[0].address, (config::NodeAddress{"::1", 5432}));
  EXPECT_EQ(answer->members[2].address, std::nullopt) << "it has never run";
}

TEST(ClusterAnswer, AStandbyClustersLeaderIsNoPrimary) {
  const auto answer = parse_cluster(with(kCluster, R"("leader")", R"("standby_leader")"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->leader(), nullptr);
}

TEST(ClusterAnswer, WithoutALockThereIsNoLeader) {
  const auto answer = parse_cluster(with(kCluster, R"("leader")", R"("replica")"));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->leader(), nullptr);
  EXPECT_TRUE(parse_cluster(R"({"members": []})"));
}

TEST(ClusterAnswer, WhatIsHalfWrittenIsNoAnswer) {
  for (size_t length = 0; length < kCluster.size(); ++length)
    EXPECT_FALSE(parse_cluster(kCluster.substr(0, length))) << length;
  EXPECT_THAT(why_refused(kCluster.substr(0, 100)), HasSubstr("100 bytes"));
}

TEST(ClusterAnswer, AMemberThatIsNotUnderstoodIsNotLeftOut) {
  for (const auto& [what, instead, why] :
       {std::tuple{R"("name": "b")", R"("name": 7)", "name"},
        std::tuple{R"("name": "b")", R"("name": null)", "a member's name"},
        std::tuple{R"("name": "b")", R"("name": "a")", "two members are named a"},
        std::tuple{R"("role": "replica")", R"("role": "leader")", "two leaders: a and c"},
        std::tuple{R"("role": "replica")", R"("role": null)", "a member's role"},
        std::tuple{R"("host": "10.0.0.2")", R"("host": "db1\u0000x")", "host"},
        std::tuple{R"("host": "10.0.0.2")", R"("host": "[::1]")", "host"},
        std::tuple{R"("host": "10.0.0.2")", R"("host": "db1%eth0")", "host"},
        std::tuple{R"("host": "10.0.0.2")", R"("host": "db1 'x'")", "host"},
        std::tuple{R"("port": 5433)", R"("port": "5433")", "port"},
        std::tuple{R"("port": 5433)", R"("port": 70000)", "port"},
        std::tuple{R"("port": 5433)", R"("port": 5433.5)", "port"},
        std::tuple{R"("host": "10.0.0.2", "port": 5433)", R"("host": "10.0.0.1", "port": 5432)",
                   "two members listen on 10.0.0.1:5432"},
        std::tuple{R"("tags": {"clonefrom": true})", R"("tags": [1])", "tags"},
        std::tuple{R"({"members": [)", R"({"pause": "yes", "members": [)", "pause"},
        std::tuple{R"({"members": [)", R"({"scheduled_switchover": {"at": "soon"}, "members": [)",
                   "scheduled_switchover.at"}})
    EXPECT_THAT(why_refused(with(kCluster, what, instead)), HasSubstr(why)) << instead;
}

TEST(ClusterAnswer, ATextThatWouldForgeALogLineIsNoAnswer) {
  for (const auto* host : {R"("db1\nerror")", R"("db1\u001b[2J")", R"("db1\u202e")"})
    EXPECT_THAT(why_refused(with(kCluster, R"("10.0.0.2")", host)), HasSubstr("see: host")) << host;
  EXPECT_THAT(why_refused(with(kCluster, R"("name": "b")", R"("name": "b\n")")),
              HasSubstr("see: name"));
}

TEST(ClusterAnswer, OtherJsonIsNoAnswer) {
  for (std::string_view body : {"", "null", "[]", "{}", "3", "\"members\"", R"({"members": {}})",
                                R"({"members": [[]]})", R"({"members": ["a"]})", "<html></html>"})
    EXPECT_FALSE(parse_cluster(body)) << body;
}

TEST(ClusterAnswer, WhatIsTooLargeOrTooDeepIsRefusedAndSaysSo) {
  EXPECT_THAT(why_refused(std::string(kAnswerMax + 1, ' ')), HasSubstr("more than 1048576"));
  EXPECT_THAT(why_refused(std::string(100'000, '[')), HasSubstr("not one JSON value"));
  std::string many = R"({"members": [)";
  for (size_t i = 0; i <= kMembersMax; ++i)
    many += (i > 0 ? "," : "") + std::string(R"({"role": "replica", "name": "n)") +
            std::to_string(i) + "\"}";
  EXPECT_THAT(why_refused(many + "]}"), HasSubstr("more than 500 members"));
}

TEST(ClusterAnswer, ATagIsTakenAsPythonWould) {
  const auto excluded = [](std::string_view tag) {
    const auto answer = parse_cluster(
        with(kCluster, "\"noloadbalance\": true", "\"noloadbalance\": " + std::string(tag)));
    return answer && answer->members[1].noloadbalance;
  };
  for (std::string_view tag : {"true", "1", "\"true\"", "\"yes\""})
    EXPECT_TRUE(excluded(tag)) << tag;
  for (std::string_view tag : {"false", "0", "\"\"", "\"false\"", "null"})
    EXPECT_FALSE(excluded(tag)) << tag;
}

TEST(StatusAnswer, SaysWhenTheStoreWasHeardAndWhichClusterThisIs) {  // E32
  const auto answer = parse_status(kStatus);
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_TRUE(answer->is_primary);
  EXPECT_EQ(answer->dcs_last_seen_s, 1'795'769'643);
  EXPECT_EQ(answer->system_identifier, 7'711'482'577'408'329'754u);
  EXPECT_EQ(answer->scope, "shop");
  EXPECT_EQ(answer->version, "3.0.2");
  EXPECT_FALSE(answer->cluster_unlocked);
  EXPECT_FALSE(answer->failsafe_active);
  EXPECT_FALSE(answer->paused);
}

TEST(StatusAnswer, AMemberWhoseServerIsDownStillSaysWhatItKnows) {  // E32
  const auto answer = parse_status(
      R"({"state": "stopped", "role": "replica", "cluster_unlocked": true, "dcs_last_seen": 0,
          "failsafe_mode_is_active": true, "pause": true, "patroni": {"version": "4.0.1"}})");
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->is_primary);
  EXPECT_TRUE(answer->cluster_unlocked);
  EXPECT_TRUE(answer->failsafe_active);
  EXPECT_TRUE(answer->paused);
  EXPECT_EQ(answer->dcs_last_seen_s, std::nullopt) << "0 is Patroni's word for never";
  EXPECT_EQ(answer->system_identifier, 0u);
}

TEST(StatusAnswer, BothWordsForAPrimaryCountAndAStandbyLeaderIsNone) {
  EXPECT_TRUE(parse_status(with(kStatus, "\"master\"", "\"primary\""))->is_primary);
  EXPECT_FALSE(parse_status(with(kStatus, "\"master\"", "\"standby_leader\""))->is_primary);
}

TEST(StatusAnswer, AnythingElseIsAnError) {
  for (size_t length = 0; length < kStatus.size(); ++length)
    EXPECT_FALSE(parse_status(kStatus.substr(0, length))) << length;
  EXPECT_FALSE(parse_status(with(kStatus, "1795769643", "\"just now\"")));
  EXPECT_FALSE(parse_status(with(kStatus, "1795769643", "-1")));
  EXPECT_FALSE(parse_status(with(kStatus, "\"7711482577408329754\"", "\"x\"")));
  EXPECT_FALSE(parse_status(with(kStatus, "\"master\"", "{}")));
  EXPECT_FALSE(parse_status("{}"));
}

TEST(HistoryAnswer, TellsWhereEachTimelineWasLeft) {  // D20
  const auto history = parse_history(
      R"([[1, 68513472, "no recovery target specified", "2026-11-27T08:50:00+00:00", "b"],
          [2, 83886080, "no recovery target specified"]])");
  ASSERT_TRUE(history) << describe(history.error());
  ASSERT_TRUE(*history);
  EXPECT_EQ((*history)->left_at(1), Lsn{0x4156EC0});
  EXPECT_EQ((*history)->left_at(2), Lsn{0x5000000});
}

TEST(HistoryAnswer, TheEndOfAHistoryIsNone) {
  const auto history = parse_history(R"([[7, 68511424, "x"], [8, 83886080, "x"]])");
  ASSERT_TRUE(history);
  EXPECT_EQ(*history, std::nullopt);
  EXPECT_EQ(*parse_history("[]"), core::TimelineHistory{});
}

TEST(HistoryAnswer, AnythingElseIsAnError) {
  for (std::string_view body :
       {"", "{}", "null", "[1]", "[[]]", "[[1]]", "[[0, 5]]", "[[1, -5]]", "[[1, \"0/5\"]]",
        "[[1, 5], [1, 6]]", "[[2, 5], [1, 6]]", "[[1, 5.5]]", "[[1, 5], 7]"})
    EXPECT_FALSE(parse_history(body)) << body;
}

}  // namespace
}  // namespace fairlead::patroni
