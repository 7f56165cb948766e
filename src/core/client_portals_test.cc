#include "core/client_portals.h"

#include <gtest/gtest.h>

#include "core/messages_testing.h"
#include "core/session_fixture.h"

namespace fairlead::core {
namespace {

using wire::TxStatus;

std::string bound(std::string_view portal, std::string_view text) {
  return parse("", text) + bind_to("", portal);
}
std::string bind_completes(std::string_view more = {}) {
  std::string out;
  wire::append_parse_complete(out);
  wire::append_bind_complete(out);
  return out.append(more);
}

/// In a transaction that a server knows of.
void begin(ScriptedSession& world) {
  world.client(query("BEGIN; SELECT 1"));
  std::string out;
  wire::append_command_complete(out, "BEGIN");
  world.server(out);
  world.server_completes("SELECT 1", TxStatus::kInTransaction);
}

void commit(ScriptedSession& world) {
  world.client(query("COMMIT"));
  world.take_sent();
  world.server_completes("COMMIT", TxStatus::kIdle);
}

std::string tenant(ScriptedSession& world) {
  const Setting* set = world.session().state().variables.find("app.tenant");
  return set != nullptr ? set->text() : "";
}

TEST(ClientPortals, ASettingThatIsExecutedBehindAFlushIsTheClients) {  // C2, F23
  ScriptedSession world;
  world.client(bound("", "SET app.tenant = '7'") + flush());
  world.server(bind_completes());
  world.client(execute("") + sync());
  world.server_completes("SET", TxStatus::kIdle);
  EXPECT_EQ(tenant(world), "7");
  EXPECT_FALSE(world.session().has_server());
}

TEST(ClientPortals, ASettingThatIsExecutedBehindACutIsTheClients) {  // C2, F20
  ScriptedSession world(40);                                         // Bytes: up to the Bind.
  world.client(bound("p", "SET app.tenant = '7'"));
  world.server(bind_completes());
  world.client(execute("p") + sync());
  world.server_completes("SET", TxStatus::kIdle);
  EXPECT_EQ(tenant(world), "7");
}

TEST(ClientPortals, ALockOfACursorThatIsReadLaterIsAskedFor) {  // C12d, C15
  ScriptedSession world;
  begin(world);
  world.client(bound("c", "select pg_advisory_lock(1)") + sync());
  world.server(bind_completes(ready(TxStatus::kInTransaction)));
  world.client(execute("c", 10) + sync());
  world.server_completes("SELECT 1", TxStatus::kInTransaction);
  commit(world);
  EXPECT_NE(world.take_sent().find("pg_locks"), std::string::npos);
}

TEST(ClientPortals, WhatASuspendedPortalHasSetIsTheClients) {  // C2, C12d, F53
  for (const bool is_read_on : {false, true}) {
    ScriptedSession world;
    begin(world);
    const std::string text =
        "SELECT set_config('app.tenant', '7', false) FROM generate_series(1, 3)";
    world.client(bound("c", text) + execute("c", 1) + sync());
    std::string suspended;
    wire::append_portal_suspended(suspended);
    world.server(bind_completes(suspended + ready(TxStatus::kInTransaction)));
    if (is_read_on) {
      world.client(query("SET app.tenant = '8'"));
      world.server_completes("SET", TxStatus::kInTransaction);
      world.client(execute("c") + sync());
      world.server_completes("SELECT 2", TxStatus::kInTransaction);
    }
    commit(world);
    ASSERT_NE(world.take_sent().find("current_setting('app.tenant'"), std::string::npos);
    world.server_answers({"7"});
    EXPECT_EQ(tenant(world), "7");
  }
}

TEST(ClientPortals, TagsBelongToTheirExecutionsBehindASuspendedOne) {  // C2, F53
  ScriptedSession world;
  begin(world);
  world.client(bound("c", "SELECT 1") + execute("c", 1) + bound("", "SET app.tenant = '7'") +
               execute("") + sync());
  std::string suspended;
  wire::append_portal_suspended(suspended);
  world.server(bind_completes(suspended + bind_completes()));
  world.server_completes("SET", TxStatus::kInTransaction);
  commit(world);
  EXPECT_EQ(tenant(world), "7");
}

TEST(ClientPortals, APortalThatIsNotKnownMayHaveDoneAnything) {  // C4
  ScriptedSession world;
  begin(world);
  world.client(execute("c") + sync());
  world.server_completes("SELECT 1", TxStatus::kInTransaction);
  commit(world);
  EXPECT_NE(world.take_sent().find("pg_locks"), std::string::npos);
}

TEST(ClientPortals, WhatIsReadToItsEndAtOnceIsNotKept) {  // C12d
  ScriptedSession world;
  begin(world);
  world.client(bound("", "SELECT 1") + execute("") + sync());
  EXPECT_EQ(world.session().state().portals.size(), 0u);
  world.server(bind_completes());
  world.server_completes("SELECT 1", TxStatus::kInTransaction);
  world.client(bound("c", "SELECT 1") + sync());
  EXPECT_EQ(world.session().state().portals.size(), 1u);
  world.server(bind_completes(ready(TxStatus::kInTransaction)));
  commit(world);
  EXPECT_EQ(world.session().state().portals.size(), 0u);
  EXPECT_FALSE(world.session().has_server()) << "there is nothing to ask for";
}

TEST(ClientPortals, AreBounded) {
  ClientPortals portals({.portals_max = 2, .bytes_max = 100});
  const auto facts = std::make_shared<const sql::QueryFacts>();
  const auto setting = [&](size_t bytes) {
    SettingChange change{.name = "a", .setting = Setting::from_value(std::string(bytes, 'x'), "")};
    return Execution{.facts = facts, .set_config = {change}};
  };
  portals.keep("large", setting(100));
  EXPECT_EQ(portals.find("large"), nullptr);
  portals.keep("1", setting(50));
  portals.keep("2", setting(10));
  portals.keep("3", setting(10));
  EXPECT_NE(portals.find("2"), nullptr);
  EXPECT_EQ(portals.find("3"), nullptr);
  portals.keep("1", setting(80));
  EXPECT_NE(portals.find("1"), nullptr) << "instead of itself";
  portals.drop("1");
  portals.keep("3", setting(50));
  EXPECT_NE(portals.find("3"), nullptr);
}

}  // namespace
}  // namespace fairlead::core
