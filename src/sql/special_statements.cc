// Statements of which more has to be read than what they contain (A15-A31): COPY, EXPLAIN, cursors,
// LISTEN, DISCARD, maintenance, and the ones of session_commands.cc.
#include <array>

#include "sql/aliases.h"
#include "sql/unit.h"

namespace fairlead::sql {
namespace {

void read_copy(Unit& unit, size_t body) {
  const ParseTree& tree = unit.tree;
  const bool on_server = !tree.text(body, "filename").empty() || tree.flag(body, "is_program");
  if (tree.flag(body, "is_from")) {
    unit.note(Reason::kCopyFrom);
    if (!on_server) unit.facts.copy_in = true;
    scan_tree(unit, tree.member(body, "relation"), true);
    scan_tree(unit, tree.member(body, "whereClause"), false);
    return;
  }
  if (on_server) unit.note(Reason::kCopyToFile);  // A19: a replica would do it.
  unit.facts.copy_to_file |= on_server;
  unit.facts.copy_out |= !on_server;
  scan_tree(unit, tree.member(body, "relation"), false);
  if (const size_t query = tree.member(body, "query"); query != ParseTree::kNone)
    read_statement(unit, query);
}

// EXPLAIN goes where its statement would go; only ANALYZE executes it (A15, A16).
void read_explain(Unit& unit, size_t body) {
  const ParseTree& tree = unit.tree;
  bool analyze = false;
  const size_t options = tree.member(body, "options");
  for (size_t i = tree.first(options); i != ParseTree::kNone; i = tree.next(i)) {
    const size_t option = tree.member(i, "DefElem");
    if (tree.text(option, "defname") != "analyze") continue;
    analyze = true;  // "off" in any spelling would not matter much: pins are taken too early, that
                     // is all.
  }
  unit.facts.explain = true;
  const bool executed = unit.executes;
  unit.executes = executed && analyze;
  if (const size_t query = tree.member(body, "query"); query != ParseTree::kNone)
    read_statement(unit, query);
  else
    unit.note(Reason::kUtility);
  unit.executes = executed;
}

void read_create_table_as(Unit& unit, size_t body) {
  const size_t temp_before = unit.temp_objects + unit.temp_names;
  unit.note(Reason::kSelectInto);
  scan_tree(unit, unit.tree.member(body, "into"), true);
  if (unit.temp_objects + unit.temp_names == temp_before) unit.facts.changes_catalog = true;
  const size_t target = unit.tree.member(unit.tree.member(body, "into"), "rel");
  if (unit.tree.text(target, "relpersistence") == "u") unit.facts.may_unprove_reads = true;
  if (unit.temp_names > 0) unit.pin(PinEvent::kTempObject);
  if (const size_t query = unit.tree.member(body, "query"); query != ParseTree::kNone)
    read_statement(unit, query);
}

void read_declare_cursor(Unit& unit, size_t body) {
  constexpr int64_t kHold = 0x0020;  // CURSOR_OPT_HOLD of parsenodes.h.
  unit.note(Reason::kCursor);
  if ((unit.tree.number(body, "options") & kHold) != 0) {
    unit.pin(PinEvent::kHoldCursor);
    unit.facts.primary_only = true;  // It would hold the client on a replica (C14, C22).
  }
  if (const size_t query = unit.tree.member(body, "query"); query != ParseTree::kNone)
    read_statement(unit, query);
}

void read_close(Unit& unit, size_t body) {
  unit.note(Reason::kCursor);
  unit.pin(unit.tree.text(body, "portalname").empty() ? PinEvent::kCloseAllCursors
                                                      : PinEvent::kCloseCursor);
}

void read_discard(Unit& unit, size_t body) {
  const std::string_view target = unit.tree.text(body, "target");
  unit.note(Reason::kSessionState);
  Discard discard = Discard::kAll;  // The enumerator 0, which libpg_query might leave out.
  if (target == "DISCARD_PLANS") discard = Discard::kPlans;
  if (target == "DISCARD_TEMP") discard = Discard::kTemp;
  if (target == "DISCARD_SEQUENCES") discard = Discard::kSequences;
  if (discard == Discard::kTemp) unit.pin(PinEvent::kDrop);
  if (discard == Discard::kAll) unit.facts.needs_no_transaction_block = true;
  if (discard == Discard::kAll || unit.facts.discard == Discard::kNone)
    unit.facts.discard = discard;
}

void read_unlisten(Unit& unit, size_t body) {
  unit.note(Reason::kListen);
  unit.pin(unit.tree.text(body, "conditionname").empty() ? PinEvent::kUnlistenAll
                                                         : PinEvent::kUnlisten);
}

void read_listen(Unit& unit, size_t) {
  unit.note(Reason::kListen);
  unit.pin(PinEvent::kListen);
}

void read_vacuum(Unit& unit, size_t body) {
  unit.note(Reason::kMaintenance);
  if (unit.tree.flag(body, "is_vacuumcmd")) unit.facts.needs_no_transaction_block = true;
  scan_tree(unit, body, false);
}

void read_cluster(Unit& unit, size_t body) {
  unit.note(Reason::kMaintenance);
  if (unit.tree.member(body, "relation") == ParseTree::kNone)
    unit.facts.needs_no_transaction_block = true;
  scan_tree(unit, body, false);
}

void read_reindex(Unit& unit, size_t body) {
  unit.note(Reason::kMaintenance);
  const std::string_view kind = unit.tree.text(body, "kind");
  bool concurrently = false;
  for (size_t i = body; i < unit.tree[body].end; ++i)
    if (unit.tree.key(i) == "defname" && unit.tree[i].text == "concurrently") concurrently = true;
  if (concurrently || (kind != "REINDEX_OBJECT_INDEX" && kind != "REINDEX_OBJECT_TABLE"))
    unit.facts.needs_no_transaction_block = true;
  scan_tree(unit, body, false);
}

// The session answers with what its client has set; the name is kept for a unit of one statement.
void read_show(Unit& unit, size_t body) {
  unit.note(Reason::kSessionState);
  unit.facts.show = std::string(translate_setting(unit.tree.text(body, "name")));
}

struct SpecialStatement {
  std::string_view node;
  void (*read)(Unit&, size_t body);
};

constexpr std::array kSpecialStatements{
    SpecialStatement{"TransactionStmt", read_transaction},
    SpecialStatement{"VariableSetStmt", read_variable_set},
    SpecialStatement{"VariableShowStmt", read_show},
    SpecialStatement{"ExplainStmt", read_explain},
    SpecialStatement{"CopyStmt", read_copy},
    SpecialStatement{"PrepareStmt", read_prepare},
    SpecialStatement{"ExecuteStmt", read_execute},
    SpecialStatement{"DeallocateStmt", read_deallocate},
    SpecialStatement{"DiscardStmt", read_discard},
    SpecialStatement{"DeclareCursorStmt", read_declare_cursor},
    SpecialStatement{"ClosePortalStmt", read_close},
    SpecialStatement{"CreateTableAsStmt", read_create_table_as},
    SpecialStatement{"ListenStmt", read_listen},
    SpecialStatement{"UnlistenStmt", read_unlisten},
    SpecialStatement{"VacuumStmt", read_vacuum},
    SpecialStatement{"ClusterStmt", read_cluster},
    SpecialStatement{"ReindexStmt", read_reindex},
};

}  // namespace

bool read_special_statement(Unit& unit, size_t body) {
  for (const SpecialStatement& special : kSpecialStatements) {
    if (special.node != unit.tree.key(body)) continue;
    special.read(unit, body);
    return true;
  }
  return false;
}

}  // namespace fairlead::sql
