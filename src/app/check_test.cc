#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/check_findings.h"
#include "app/check_render.h"

namespace fairlead::app {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

config::Config two_nodes() {
  config::Config config;
  config.clusters["main"].nodes = {{"a", 1}, {"b", 2}};
  config.databases["*"];
  return config;
}

NodeAnswer healthy(bool in_recovery) {
  NodeAnswer answer;
  answer.version = "15.20";
  answer.version_num = 150020;
  answer.in_recovery = in_recovery;
  answer.timeline = 1;
  answer.system_identifier = "7";
  answer.position = Lsn{in_recovery ? 1000u : 5000u};
  answer.streams = in_recovery;
  answer.sees_receiver = true;
  answer.connections_max = 97;
  return answer;
}

std::vector<NodeReport> healthy_pair() {
  return {{"main", "a:1", healthy(false)}, {"main", "b:2", healthy(true)}};
}

std::vector<std::string> messages(const std::vector<Finding>& findings) {
  std::vector<std::string> out;
  for (const Finding& finding : findings) out.push_back(finding.error.message);
  return out;
}

TEST(Judge, AHealthyPairHasNoFindings) {
  EXPECT_THAT(messages(judge(two_nodes(), "main", healthy_pair())), IsEmpty());
}

TEST(Judge, NoPrimaryAndTwoPrimariesAreProblems) {
  auto nodes = healthy_pair();
  nodes[0].answer = healthy(true);
  EXPECT_THAT(messages(judge(two_nodes(), "main", nodes)),
              testing::ElementsAre(HasSubstr("no node is known to be the primary")));
  nodes[0].answer = healthy(false);
  nodes[1].answer = healthy(false);
  EXPECT_THAT(messages(judge(two_nodes(), "main", nodes)),
              testing::ElementsAre("a:1 and b:2 both accept writes"));
}

TEST(Judge, OneServerUnderTwoNamesIsNoSecondPrimary) {
  auto nodes = healthy_pair();
  nodes[0].answer->started_us = "100";
  nodes[1].answer->started_us = "200";
  nodes.push_back({"main", "c:3", nodes[0].answer});
  const auto findings = judge(two_nodes(), "main", nodes);
  EXPECT_THAT(messages(findings),
              testing::ElementsAre("a:1 and c:3 are one server under several names"));
  EXPECT_THAT(findings[0].error.hint, HasSubstr("out of nodes"));
  nodes[2] = {"main", "c:3", nodes[1].answer};
  EXPECT_THAT(messages(judge(two_nodes(), "main", nodes)),
              testing::ElementsAre("b:2 and c:3 are one server under several names"));
  nodes.push_back({"main", "d:4", nodes[1].answer});
  EXPECT_THAT(messages(judge(two_nodes(), "main", nodes)),
              testing::ElementsAre("b:2 and c:3 and d:4 are one server under several names"));
  nodes[2].answer = healthy(false);
  nodes[2].answer->started_us = "300";
  nodes.pop_back();
  EXPECT_THAT(messages(judge(two_nodes(), "main", nodes)),
              testing::ElementsAre("a:1 and c:3 both accept writes"));
}

TEST(Judge, ForeignNodesAndTimelinesAreTold) {
  auto nodes = healthy_pair();
  nodes[1].answer->timeline = 2;
  EXPECT_THAT(messages(judge(two_nodes(), "main", nodes)),
              testing::ElementsAre("the nodes are on different timelines"));
  nodes[1].answer->system_identifier = "8";
  EXPECT_THAT(messages(judge(two_nodes(), "main", nodes)),
              testing::ElementsAre("these nodes are not one cluster"));
  nodes[1].answer->in_recovery = false;  // The primary of its own cluster: no second complaint.
  const auto findings = judge(two_nodes(), "main", nodes);
  EXPECT_THAT(messages(findings), testing::ElementsAre("these nodes are not one cluster"));
  EXPECT_THAT(findings[0].error.detail, HasSubstr("a:1 of 7; b:2 of 8"));
}

TEST(Judge, TellsAboutVersionPrivilegesAndReceivers) {
  auto nodes = healthy_pair();
  nodes[0].answer->version_num = 120022;
  nodes[0].answer->version = "12.22";
  EXPECT_THAT(messages(judge(two_nodes(), "main", nodes)),
              testing::ElementsAre("PostgreSQL 12.22 is too old"));
  nodes = healthy_pair();
  for (NodeReport& node : nodes) node.answer->sees_receiver = false;
  nodes[1].answer->streams = false;
  const auto findings = judge(two_nodes(), "main", nodes);
  ASSERT_EQ(findings.size(), 1u);  // That it does not stream cannot be known then.
  EXPECT_EQ(findings[0].severity, Finding::Severity::kWarning);
  EXPECT_THAT(findings[0].error.hint, HasSubstr("GRANT pg_monitor TO \"fairlead\""));
  nodes = healthy_pair();
  for (NodeReport& node : nodes) node.answer->is_superuser = true;
  const auto superuser = judge(two_nodes(), "main", nodes);
  ASSERT_EQ(superuser.size(), 1u);  // Once, not for every node.
  EXPECT_THAT(superuser[0].error.hint, HasSubstr("CREATE ROLE fairlead LOGIN"));
  nodes = healthy_pair();
  nodes[1].answer->streams = false;
  EXPECT_THAT(messages(judge(two_nodes(), "main", nodes)),
              testing::ElementsAre("this replica receives no WAL"));
}

TEST(Judge, APoolLargerThanTheServerAllowsIsAProblem) {
  auto config = two_nodes();
  config.databases["*"].pool_size = 98;
  EXPECT_EQ(judge(config, "main", healthy_pair()).size(), 2u);
}

TEST(NamedDatabases, AreThoseWhoseNameOnTheServersIsKnown) {
  config::Config config = two_nodes();
  config.databases["shop"];
  config.databases["short"].database = "long";
  config.databases["elsewhere"].cluster = "other";
  EXPECT_THAT(
      named_databases(config, "main"),
      testing::UnorderedElementsAre(NamedDatabase{"shop", "shop"}, NamedDatabase{"short", "long"}));
  config.databases["*"].database = "all";
  EXPECT_THAT(named_databases(config, "main"), testing::Contains(NamedDatabase{"*", "all"}));
}

TEST(JudgeDatabase, TellsWhatIsMissingThereAndWhatFollows) {
  const auto judged = [](std::string detail) {
    return judge_database(
        {"shop", "shop_live"},
        {ErrorCode::kConnectionFailure, "the server refused the login", std::move(detail)}, {});
  };
  const Finding missing = judged("database \"shop_live\" does not exist");
  EXPECT_EQ(missing.severity, Finding::Severity::kProblem);
  EXPECT_EQ(missing.where, "database shop");
  EXPECT_THAT(missing.error.message, HasSubstr("no read there leaves the primary"));
  EXPECT_THAT(missing.error.detail, HasSubstr("\"shop_live\" does not exist"));
  EXPECT_THAT(missing.error.hint, HasSubstr("one that exists"));
  EXPECT_THAT(judged("permission denied for database \"shop_live\"").error.hint,
              HasSubstr("GRANT CONNECT ON DATABASE \"shop_live\" TO \"fairlead\""));
  EXPECT_THAT(judged("no pg_hba.conf entry for host \"10.0.0.1\"").error.hint,
              HasSubstr("pg_hba.conf"));
}

TEST(OnlyPrimary, IsNoneWhereSeveralSaySo) {
  auto nodes = healthy_pair();
  EXPECT_EQ(only_primary(nodes), &nodes[0]);
  nodes[1].answer->in_recovery = false;
  EXPECT_EQ(only_primary(nodes), nullptr);
}

TEST(NextStep, FitsTheCause) {
  const config::Cluster cluster;
  const auto step = [&](std::string detail) {
    return next_step({ErrorCode::kConnectionFailure, "", std::move(detail)}, cluster);
  };
  EXPECT_THAT(step("password authentication failed for user \"fairlead\""),
              HasSubstr("monitor_password"));
  EXPECT_THAT(step("no pg_hba.conf entry for host \"10.0.0.1\""), HasSubstr("pg_hba.conf"));
  EXPECT_THAT(step("role \"fairlead\" does not exist"), HasSubstr("CREATE ROLE \"fairlead\""));
  EXPECT_THAT(step("Connection refused"), HasSubstr("listen_addresses"));
  EXPECT_THAT(step("looking up the name: Name or service not known"), HasSubstr("spelling"));
  EXPECT_THAT(step("looking up the name: No address associated with hostname"),
              HasSubstr("spelling"));
  EXPECT_THAT(step("looking up the name: Temporary failure in name resolution"),
              HasSubstr("name servers"));
  EXPECT_THAT(step("no name server has answered for the name within 2500 ms"),
              HasSubstr("name servers"));
  EXPECT_THAT(step("no answer within 5000 ms"), HasSubstr("firewall"));
  EXPECT_THAT(step("the certificate was not accepted: self-signed certificate"),
              HasSubstr("tls_mode"));
}

TEST(NextStep, IsWhatTheErrorItselfSaysWhereItSaysOne) {
  EXPECT_EQ(next_step({ErrorCode::kInvalidAuthorization, "TLS", "", "add \"md5\" to server_auth"},
                      config::Cluster{}),
            "add \"md5\" to server_auth");
}

TEST(LagOf, CountsBytesBehindTheOnlyPrimary) {
  auto nodes = healthy_pair();
  EXPECT_EQ(lag_of(nodes[1], nodes), 4000u);
  EXPECT_EQ(lag_of(nodes[0], nodes), std::nullopt);
  nodes[1].answer->position = Lsn{6000};
  EXPECT_EQ(lag_of(nodes[1], nodes), 0u);
  nodes[1].answer->timeline = 2;
  EXPECT_EQ(lag_of(nodes[1], nodes), std::nullopt);
}

TEST(Verdict, UnreachableBeatsProblemsBeatsWarnings) {
  CheckReport report{.nodes = healthy_pair(), .findings = {}};
  EXPECT_EQ(verdict(report), ExitCode::kOk);
  report.findings.push_back({Finding::Severity::kWarning, "x", {}});
  EXPECT_EQ(verdict(report), ExitCode::kOk);
  report.findings.push_back({Finding::Severity::kProblem, "x", {}});
  EXPECT_EQ(verdict(report), ExitCode::kError);
  report.nodes[0].answer = fail(ErrorCode::kConnectionFailure, "gone");
  EXPECT_EQ(verdict(report), ExitCode::kUnreachable);
}

TEST(CheckText, ShowsEveryNodeAndEachNextStep) {
  CheckReport report{.nodes = healthy_pair(), .findings = {}};
  report.nodes[1].answer = fail(ErrorCode::kConnectionFailure, "cannot connect to b:2", "refused");
  report.findings = judge(two_nodes(), "main", report.nodes);
  EXPECT_THAT(nodes_text(report), HasSubstr("main     b:2   unreachable  -"));
  const std::string text = findings_text(report, Style(false));
  EXPECT_THAT(text, HasSubstr("problem: b:2: cannot connect to b:2\n  why:  refused\n  next: "));
  EXPECT_THAT(text, HasSubstr("1 problem\n"));
}

TEST(CheckJson, TellsTheSameToMachines) {
  const CheckReport report{.nodes = healthy_pair(), .findings = {}};
  const std::string json = report_json(report);
  EXPECT_THAT(json, HasSubstr(R"({"ok":true,)"));
  EXPECT_THAT(json, HasSubstr(R"("role":"replica")"));
  EXPECT_THAT(json, HasSubstr(R"("lag_bytes":4000)"));
}

}  // namespace
}  // namespace fairlead::app
