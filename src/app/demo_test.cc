#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "app/demo_intro.h"
#include "app/demo_requests.h"
#include "app/demo_screen.h"
#include "app/text_table.h"

namespace fairlead::app {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(TextTable, AlignsWordsLeftAndNumbersRight) {
  TextTable table({"name", "count"});
  table.add({"a", "7"});
  table.add({"longer", "1234567"});
  EXPECT_THAT(table.lines(), ElementsAre("name      count", "a             7", "longer  1234567"));
}

TEST(DemoRequests, AreMostlyReadsAndAlwaysTheSame) {
  std::map<DemoRequest::Kind, int> kinds;
  for (uint64_t i = 0; i < 10'000; ++i) ++kinds[make_request(i, {}).kind];
  EXPECT_NEAR(kinds[DemoRequest::Kind::kUserById], 5500, 300);
  EXPECT_NEAR(kinds[DemoRequest::Kind::kNewPost] + kinds[DemoRequest::Kind::kMove], 1000, 150);
  EXPECT_EQ(make_request(7, {}).sql, make_request(7, {}).sql);
}

TEST(DemoRequests, StayInsideTheSampleData) {
  const cluster::SampleSize tiny{.users = 1, .posts = 1, .friendships = 0};
  for (uint64_t i = 0; i < 200; ++i) {
    const auto request = make_request(i, tiny);
    if (request.kind == DemoRequest::Kind::kUserById)
      EXPECT_EQ(request.sql, "SELECT * FROM users WHERE id = 1");
  }
}

DemoFrame frame_of_one_second() {
  DemoFrame frame;
  frame.elapsed = 20s;
  frame.between = 1s;
  frame.before.statements_total = 100;
  frame.before.nodes = {{.name = "a:1", .role = "primary", .state = "up", .statements_total = 10},
                        {.name = "b:2", .role = "replica", .state = "up", .statements_total = 90}};
  frame.now.statements_total = 140;
  frame.now.clients = 4;
  frame.now.nodes = {{.name = "a:1", .role = "primary", .state = "up", .statements_total = 14},
                     {.name = "b:2",
                      .role = "replica",
                      .state = "up",
                      .statements_total = 126,
                      .lag_bytes = 2048,
                      .lag = 1500us,
                      .servers_in_use = 1,
                      .servers_idle = 2,
                      .usable_for_reads = true}};
  frame.now.routes = {{"read", 1, 126}, {"write", 10, 0}, {"own_write", 3, 0}};
  frame.totals = {.reads = 130,
                  .writes = 10,
                  .errors = 0,
                  .posts_read_back = 6,
                  .posts_missing = 0,
                  .last_error = {},
                  .errors_by_state = {},
                  .longest_wait = {}};
  return frame;
}

TEST(DemoScreen, CountsProvenReadsThatThePrimaryHadToAnswer) {
  const ReadShare share = read_share(frame_of_one_second().now);
  EXPECT_EQ(share.on_replicas, 126u);
  EXPECT_EQ(share.on_primary, 4u);
  EXPECT_NEAR(share.percent(), 96.9, 0.1);
  EXPECT_EQ(ReadShare{}.percent(), 0);
}

TEST(DemoScreen, ShowsRatesPerNodeLagAndReasons) {
  const auto lines = frame_lines(frame_of_one_second(), Style(false));
  const std::string text = fmt::format("{}", fmt::join(lines, "\n"));
  EXPECT_THAT(text, HasSubstr("20 s   40 statements/s   4 clients   96.9 % of reads on replicas"));
  EXPECT_THAT(text, HasSubstr("b:2   replica  up          36    126  1.5 ms, 2.0 KiB  1 busy, 2"));
  EXPECT_THAT(text, HasSubstr("own_write           3            0"));
}

TEST(DemoScreen, APipeGetsOneLineASecond) {
  const std::string line = frame_line(frame_of_one_second());
  EXPECT_THAT(line, HasSubstr("primary a:1 4/s  replica b:2 36/s lag 1.5 ms"));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
}

TEST(DemoScreen, ADeadReplicaIsNamedAsSuch) {
  DemoFrame frame = frame_of_one_second();
  frame.now.nodes[1].state = "down";
  frame.now.nodes[1].reason = "refused";
  EXPECT_THAT(frame_line(frame), HasSubstr("replica b:2 36/s down"));
  EXPECT_THAT(fmt::format("{}", fmt::join(frame_lines(frame, Style(true)), "\n")),
              HasSubstr("\x1b[31mb:2"));
}

TEST(DemoScreen, TheSummaryHoldsShareErrorsAndOwnWrites) {
  const std::string text = summary_text(frame_of_one_second());
  EXPECT_THAT(text, HasSubstr("140 statements, 96.9 % of reads on replicas"));
  EXPECT_THAT(text, HasSubstr("130 reads, 10 writes, 0 errors"));
  EXPECT_THAT(text, HasSubstr("6 of 6 new posts"));
  EXPECT_THAT(summary_json(frame_of_one_second()), HasSubstr(R"("event":"summary")"));
}

TEST(CutLine, CountsVisibleCharactersAndKeepsColoursWhole) {
  EXPECT_EQ(cut_line("abcdef", 3), "abc");
  EXPECT_EQ(cut_line("abc", 3), "abc");
  EXPECT_EQ(cut_line("\x1b[31mabcdef\x1b[0m", 10), "\x1b[31mabcdef\x1b[0m");
  EXPECT_EQ(cut_line("\x1b[31mabcdef\x1b[0m", 3), "\x1b[31mabc\x1b[0m\x1b[0m");
}

TEST(DemoIntro, NamesTheUrlsAndAReplicaToKill) {
  DemoIntro intro{.program = "build/release/fairlead",
                  .cluster_dir = "/tmp/d/cluster",
                  .config_file = "/tmp/d/fairlead.toml",
                  .automatic_url = "postgresql://app:x@127.0.0.1:6432/app",
                  .read_url = "r",
                  .primary_url = "p",
                  .replica_address = "127.0.0.1:5602",
                  .replica_pid = 4711};
  EXPECT_THAT(intro_text(intro), HasSubstr("psql 'postgresql://app:x@127.0.0.1:6432/app'"));
  EXPECT_THAT(intro_text(intro), HasSubstr("kill -9 4711 "));
  EXPECT_THAT(intro_text(intro),
              HasSubstr("\n  build/release/fairlead cluster start --dir /tmp/d/"));
  EXPECT_THAT(intro_json(intro), HasSubstr(R"("pid":4711)"));
  intro.replica_pid = 0;
  EXPECT_THAT(intro_text(intro), testing::Not(HasSubstr("kill")));
}

}  // namespace
}  // namespace fairlead::app
