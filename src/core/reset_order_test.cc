#include "core/reset_order.h"

#include <gtest/gtest.h>

#include "core/session_fixture.h"
#include "sql/classify.h"

namespace fairlead::core {
namespace {

using wire::TxStatus;

VariableSet startup_with(std::initializer_list<std::pair<std::string, std::string>> settings) {
  std::vector<VariableSet::Entry> entries;
  for (const auto& [name, value] : settings)
    entries.push_back({name, Setting::from_value(value, "UTF8")});
  return VariableSet(std::move(entries));
}

const VariableSet kStartup = startup_with({{"application_name", "app"},
                                           {"fairlead.route", "primary"},
                                           {"role", "mate"},
                                           {"search_path", "s1"}});

std::string missing(std::string_view text) {
  return std::string(find_missing_setting(sql::classify(text, {}), kStartup).value_or("none"));
}

TEST(ResetOrder, WhatRunsBehindAResetInOneTextIsFound) {  // C24
  EXPECT_EQ(missing("RESET ALL; INSERT INTO t VALUES (1)"), "search_path");
  EXPECT_EQ(missing("SELECT 1; RESET search_path; SELECT 2"), "search_path");
  EXPECT_EQ(missing("SET search_path TO DEFAULT; TABLE t"), "search_path");
  EXPECT_EQ(missing("SET LOCAL search_path TO DEFAULT; TABLE t"), "search_path");
  EXPECT_EQ(missing("BEGIN; RESET ROLE; TABLE t; COMMIT"), "role");
  EXPECT_EQ(missing("RESET SESSION AUTHORIZATION; TABLE t"), "role");
  EXPECT_EQ(missing("RESET ALL; SHOW search_path"), "search_path");
  EXPECT_EQ(missing("RESET ALL; BEGIN"), "search_path");
  EXPECT_EQ(missing("RESET search_path; TABLE t; SET search_path = s2; TABLE t"), "search_path");
}

TEST(ResetOrder, WhatNeedsNoSettingOrHasItsOwnIsLetThrough) {  // C24
  for (const std::string_view text :
       {"RESET ALL", "TABLE t; RESET ALL", "RESET work_mem; TABLE t",
        "RESET application_name; TABLE t", "RESET fairlead.route; TABLE t",
        "RESET search_path; SET search_path = s2; TABLE t",
        "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL;",
        "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; "
        "SELECT pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP",
        "BEGIN; TABLE t; RESET ROLE; COMMIT", "DISCARD TEMP; TABLE t"})
    EXPECT_EQ(missing(text), "none") << text;
  EXPECT_FALSE(find_missing_setting(sql::classify("RESET ALL; TABLE t", {}), {}));
}

std::string executing(std::string_view text) {
  std::string out;
  wire::append_parse(out, "", text);
  wire::append_bind(out, "", "");
  wire::append_execute(out, "");
  return out;
}

std::string synced(std::string messages) {
  wire::append_sync(messages);
  return messages;
}

/// What a server gets of the segment.
std::string sent_for(std::string_view messages) {
  ScriptedSession world(size_t{1} << 20, kStartup);
  world.primary().variables = world.session().state().variables.committed();
  world.client(messages);
  return world.take_sent();
}

size_t sets_in(std::string_view sent, std::string_view setting) {
  size_t count = 0;
  for (size_t at = sent.find(setting); at != std::string_view::npos;
       at = sent.find(setting, at + 1))
    ++count;
  return count;
}

constexpr std::string_view kSetPath = "SET \"search_path\" TO 's1';";
constexpr std::string_view kSetRole = "SET \"role\" TO 'mate';";

TEST(ResetOrder, AmidASegmentTheSettingIsSetAgainBeforeWhatFollows) {  // C24
  const std::string insert = executing("INSERT INTO t VALUES (1)");
  for (const std::string_view reset : {"RESET ALL", "RESET search_path", "DISCARD ALL"}) {
    const std::string sent = sent_for(synced(executing(reset) + insert));
    ASSERT_EQ(sets_in(sent, kSetPath), 1u) << reset;
    EXPECT_LT(sent.find(reset), sent.find(kSetPath)) << reset;
    EXPECT_LT(sent.find(kSetPath), sent.find("INSERT")) << reset;
    EXPECT_EQ(sets_in(sent, kSetRole), reset == "DISCARD ALL" ? 1u : 0u) << reset;
  }
}

TEST(ResetOrder, OfAResetThatNothingFollowsTheSessionTakesCare) {  // C24
  const std::string sent = sent_for(synced(executing("TABLE t") + executing("RESET ALL")));
  EXPECT_EQ(sets_in(sent, kSetPath), 0u);
}

TEST(ResetOrder, BehindAFlushAnythingMayFollow) {  // C24, F23
  std::string messages = executing("RESET ALL");
  wire::append_flush(messages);
  EXPECT_EQ(sets_in(sent_for(messages), kSetPath), 1u);
}

TEST(ResetOrder, OfWhatIsSetAgainTheClientSeesNothing) {  // C24, F32
  ScriptedSession world(size_t{1} << 20, startup_with({{"search_path", "s1"}}));
  world.primary().variables = world.session().state().variables.committed();
  world.client(synced(executing("RESET ALL") + executing("TABLE t")));
  EXPECT_EQ(types_of(world.take_sent()), "PBECPBECCPBES");
  std::string answer;
  const auto executed = [&](std::string_view tag) {
    wire::append_parse_complete(answer);
    wire::append_bind_complete(answer);
    wire::append_command_complete(answer, tag);
  };
  executed("RESET");
  wire::append_close_complete(answer);
  executed("SET");
  wire::append_close_complete(answer);
  wire::append_close_complete(answer);
  executed("SELECT 0");
  wire::append_ready_for_query(answer, TxStatus::kIdle);
  world.server(answer);
  EXPECT_EQ(types_of(world.take_seen()), "12C12C") << "and the follow-up before ReadyForQuery";
  world.server_completes("SET", TxStatus::kIdle);
  EXPECT_EQ(types_of(world.take_seen()), "Z");
}

TEST(ResetOrder, AQueryThatWouldRunWithoutASettingIsRefused) {  // C24
  ScriptedSession world(size_t{1} << 20, kStartup);
  world.query("RESET ALL; INSERT INTO t VALUES (1)");
  EXPECT_EQ(world.take_sent(), "");
  const std::string seen = world.take_seen();
  EXPECT_EQ(types_of(seen), "EZ");
  EXPECT_NE(seen.find("0A000"), std::string::npos);
  EXPECT_NE(seen.find("search_path"), std::string::npos);
}

}  // namespace
}  // namespace fairlead::core
