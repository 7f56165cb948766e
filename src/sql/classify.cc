#include "sql/classify.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sql/aliases.h"
#include "sql/nesting.h"
#include "sql/parse_tree.h"
#include "sql/unit.h"

namespace fairlead::sql {
namespace {

// A text that was not understood: it could do anything to the session and to the catalog (C4, A42).
QueryFacts refused(Reason reason) {
  QueryFacts facts;
  facts.statements = 1;
  facts.reason = reason;
  facts.opaque_side_effects = true;
  facts.changes_catalog = true;
  return facts;
}

// Whether the text may be given to libpg_query, which knows neither zeros nor
// standard_conforming_strings = off, and recurses.
std::optional<Reason> refusal(std::string_view text, LexOptions options) {
  if (!options.ascii_safe_encoding) return Reason::kClientEncoding;
  if (text.size() > kClassifyBytesMax) return Reason::kTooLarge;
  if (text.find('\0') != std::string_view::npos) return Reason::kParseError;
  if (nesting_bound(text, options, kClassifyNestingMax) > kClassifyNestingMax)
    return Reason::kTooLarge;
  if (options.standard_conforming_strings) return std::nullopt;
  Lexer lexer(text, options);
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next())
    if (token.backslash) return Reason::kNonstandardStrings;
  return std::nullopt;
}

bool is_advisory_unlock_all(const ParseTree& tree, size_t select) {
  for (size_t i = tree.first(select); i != ParseTree::kNone; i = tree.next(i))
    if (tree.key(i) != "targetList" && tree.key(i) != "limitOption" && tree.key(i) != "op")
      return false;
  const size_t targets = tree.member(select, "targetList");
  if (tree.count(targets) != 1) return false;
  const size_t value = tree.member(tree.member(tree.first(targets), "ResTarget"), "val");
  const size_t call = tree.member(value, "FuncCall");
  return last_name(tree, tree.member(call, "funcname")) == "pg_advisory_unlock_all" &&
         tree.member(call, "args") == ParseTree::kNone;
}

// A statement that does nothing to a session that has no state.
bool is_reset(const ParseTree& tree, size_t wrapper) {
  const size_t body = tree.first(wrapper);
  if (body == ParseTree::kNone) return false;
  const std::string_view node = tree.key(body);
  if (node == "VariableSetStmt") return tree.text(body, "kind").starts_with("VAR_RESET");
  if (node == "SelectStmt") return is_advisory_unlock_all(tree, body);
  return node == "DiscardStmt" || node == "UnlistenStmt" || node == "ClosePortalStmt" ||
         node == "DeallocateStmt";
}

// Whether it does the same whatever the session's settings are. BEGIN does not: the defaults of
// transactions are among them.
bool is_indifferent(const ParseTree& tree, size_t wrapper) {
  constexpr std::array<std::string_view, 5> kEnds{"TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK",
                                                  "TRANS_STMT_SAVEPOINT", "TRANS_STMT_RELEASE",
                                                  "TRANS_STMT_ROLLBACK_TO"};
  const size_t body = tree.first(wrapper);
  if (body == ParseTree::kNone) return false;
  const std::string_view node = tree.key(body);
  if (node == "TransactionStmt")
    return std::ranges::find(kEnds, tree.text(body, "kind")) != kEnds.end();
  return node == "VariableSetStmt" || is_reset(tree, wrapper);
}

void sort_unique(auto& values) {
  std::ranges::sort(values);
  const auto repeated = std::ranges::unique(values);
  values.erase(repeated.begin(), repeated.end());
}

void finish(Unit& unit) {
  QueryFacts& facts = unit.facts;
  sort_unique(facts.functions);
  sort_unique(facts.attributes);
  sort_unique(facts.operators);
  sort_unique(facts.relations);
  sort_unique(facts.with_names);
  if (unit.temp_objects > 0 && unit.temp_objects == unit.temp_objects_dropped_on_commit)
    facts.pins.add(PinEvent::kTempDropsOnCommit);
}

QueryFacts new_facts() {
  QueryFacts facts;
  facts.access = Access::kRead;
  facts.reason = Reason::kRead;
  facts.may_write = false;
  facts.primary_only = false;
  return facts;
}

// Where one statement stands. libpg_query leaves a length of 0 for one that goes on to the end.
void locate(Unit& unit, size_t raw_statement) {
  const auto location = static_cast<size_t>(unit.tree.number(raw_statement, "stmt_location"));
  const auto length = static_cast<size_t>(unit.tree.number(raw_statement, "stmt_len"));
  unit.begin = std::min(location, unit.text.size());
  unit.end = length == 0 ? unit.text.size() : std::min(unit.begin + length, unit.text.size());
}

// Reads one statement, and whether it asks for the value of a sequence that nothing before it in
// the unit can have taken (C18).
void read_in_order(Unit& unit, size_t wrapper) {
  QueryFacts& facts = unit.facts;
  const bool wrote = facts.may_write;
  const PinEvents earlier = std::exchange(facts.pins, {});
  read_statement(unit, wrapper);
  if (facts.pins.has(PinEvent::kSequenceRead) && !facts.pins.has(PinEvent::kSequenceValue) &&
      !wrote)
    facts.reads_earlier_sequence = true;
  facts.pins.bits = static_cast<uint16_t>(facts.pins.bits | earlier.bits);
}

QueryFacts read_unit(std::string_view text, LexOptions options, const ParseTree& tree) {
  QueryFacts facts = new_facts();
  Unit unit{.text = text, .options = options, .tree = tree, .facts = facts};
  const size_t statements = tree.member(0, "stmts");
  bool any_read = false;
  facts.resets_only = true;
  for (size_t i = tree.first(statements); i != ParseTree::kNone; i = tree.next(i)) {
    const size_t wrapper = tree.member(i, "stmt");
    if (is_indifferent(tree, wrapper)) facts.indifferent.push_back(facts.statements);
    ++facts.statements;
    locate(unit, i);
    facts.resets_only = facts.resets_only && is_reset(tree, wrapper);
    const Access before = facts.access;
    read_in_order(unit, wrapper);
    if (before == Access::kRead && facts.access == Access::kRead && facts.transaction.empty())
      any_read = true;
  }
  if (facts.empty()) {
    facts.reason = Reason::kEmpty;
    facts.resets_only = false;
  }
  if (facts.statements != 1) facts.show.reset();
  // A4: the reads of the message go to the primary because of what stands beside them.
  if (any_read && facts.access == Access::kPrimary && !session_decides(facts.reason))
    facts.reason = Reason::kMultiStatementWrite;
  finish(unit);
  return facts;
}

}  // namespace

QueryFacts facts_of(const Unit& outer, size_t wrapper, size_t begin, size_t end) {
  QueryFacts facts = new_facts();
  facts.statements = 1;
  Unit unit{.text = outer.text,
            .options = outer.options,
            .tree = outer.tree,
            .facts = facts,
            .begin = begin,
            .end = end};
  if (wrapper == ParseTree::kNone) return refused(Reason::kParseError);
  read_in_order(unit, wrapper);
  finish(unit);
  return facts;
}

bool may_parse(std::string_view text, LexOptions options) { return !refusal(text, options); }

QueryFacts classify(std::string_view text, LexOptions options) {
  if (const auto reason = refusal(text, options)) return refused(*reason);
  const Result<ParseTree> tree = ParseTree::of(text);
  if (tree) return read_unit(text, options, *tree);
  const auto ours = translate_command(text, options);
  return ours ? classify(*ours, options) : refused(Reason::kParseError);
}

}  // namespace fairlead::sql
