// What the parts of classify() share while one text is read. Private to src/sql.
#pragma once

#include <cstddef>
#include <string_view>

#include "sql/facts.h"
#include "sql/lexer.h"
#include "sql/parse_tree.h"

namespace fairlead::sql {

/// Reasons for the primary that are no sign of a change that others can see: where a statement must
/// run, what it locks, what it sets for its own session.
constexpr bool leaves_data_alone(Reason reason) {
  switch (reason) {
    case Reason::kRead:
    case Reason::kEmpty:
    case Reason::kSystemCatalog:
    case Reason::kTransaction:
    case Reason::kSessionState:
    case Reason::kSerializable:
    case Reason::kReadWriteTransaction:
    case Reason::kSessionFunction:
    case Reason::kAdvisoryLock:
    case Reason::kListen:
    case Reason::kCursor:  // DECLARE and CLOSE; FETCH, which executes, is noted as a utility too.
      return true;
    default:
      return false;
  }
}

struct Unit {
  std::string_view text;
  LexOptions options;
  const ParseTree& tree;
  QueryFacts& facts;
  size_t begin = 0;  // The statement being read, as bytes of `text`.
  size_t end = 0;
  size_t temp_names = 0;    // Mentions of the schema pg_temp.
  size_t temp_objects = 0;  // That statements of the unit make.
  size_t temp_objects_dropped_on_commit = 0;
  bool executes = true;  // False inside a plain EXPLAIN: nothing that is called happens.

  /// The statement is not a read. The first strong reason stays; a reason that the session may
  /// overrule gives way to any other.
  void note(Reason reason) {
    if (!leaves_data_alone(reason)) facts.may_write = true;
    if (!is_same_on_replica(reason)) facts.primary_only = true;
    if (facts.access == Access::kRead ||
        (session_decides(facts.reason) && !session_decides(reason))) {
      facts.access = Access::kPrimary;
      facts.reason = reason;
    }
  }
  void pin(PinEvent event) {
    if (executes) facts.pins.add(event);
  }
};

/// Reads everything below a node, at any depth: functions, relations, locks, what no read may
/// contain (tree_scan.cc). `written`: the relations named directly belong to a statement that
/// changes them.
void scan_tree(Unit& unit, size_t node, bool written);

/// The operators that one node of the tree applies, whether the text writes or implies them
/// (tree_operators.cc).
void collect_operators(Unit& unit, size_t node, std::string_view type);

/// Reads the statement in a wrapper object such as {"SelectStmt": {...}} (statements.cc).
void read_statement(Unit& unit, size_t wrapper);

/// The statements of which more than their contents has to be read (special_statements.cc). False:
/// none of them.
bool read_special_statement(Unit& unit, size_t body);

/// SET, RESET, PREPARE, EXECUTE, DEALLOCATE and transaction commands (session_commands.cc). `body`
/// is the statement's own object.
void read_variable_set(Unit& unit, size_t body);
void read_prepare(Unit& unit, size_t body);
void read_execute(Unit& unit, size_t body);
void read_deallocate(Unit& unit, size_t body);
void read_transaction(Unit& unit, size_t body);

/// The last name of a list of String nodes, as in schema.function; empty when it is not one.
std::string_view last_name(const ParseTree& tree, size_t list);

/// Facts of a single statement in a wrapper object, as if it were a unit of its own (PREPARE's
/// body). `begin` and `end` are where it stands in the text.
QueryFacts facts_of(const Unit& unit, size_t wrapper, size_t begin, size_t end);

}  // namespace fairlead::sql
