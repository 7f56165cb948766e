// The statements that act on the session rather than on data: SET and its kin (C2), SQL-level
// prepared statements (A22, C17), transaction commands (B2-B7, B12, B15).
#include <vector>

#include "base/ascii.h"
#include "sql/aliases.h"
#include "sql/guc_values.h"
#include "sql/unit.h"

namespace fairlead::sql {
namespace {

// The tokens of the statement being read, without comments and its semicolon. Both the commands
// that need them are short; `limit` bounds what a long PREPARE costs.
std::vector<Token> tokens_of(const Unit& unit, size_t limit) {
  std::vector<Token> tokens;
  Lexer lexer(unit.text, unit.options, unit.begin);
  while (tokens.size() < limit) {
    const Token token = lexer.next_significant();
    if (token.kind == TokenKind::kEnd || token.begin >= unit.end) break;
    if (token.kind == TokenKind::kPunctuation && unit.text[token.begin] == ';') break;
    tokens.push_back(token);
  }
  return tokens;
}

// A single constant as text: what SET would store for it.
std::optional<std::string> constant_text(const ParseTree& tree, size_t wrapper) {
  const size_t constant = tree.member(wrapper, "A_Const");
  if (constant == ParseTree::kNone) return std::nullopt;
  if (const size_t s = tree.member(constant, "sval"); s != ParseTree::kNone)
    return std::string(tree.text(s, "sval"));
  if (const size_t f = tree.member(constant, "fval"); f != ParseTree::kNone)
    return std::string(tree.text(f, "fval"));
  if (const size_t i = tree.member(constant, "ival"); i != ParseTree::kNone)
    return std::to_string(tree.number(i, "ival"));
  return std::nullopt;
}

// libpg_query's JSON has lost the value of a negative integer, so the text itself has to tell it:
// "-7", "- 7", "+7".
std::string integer_text(std::string_view argument) {
  std::string number;
  Lexer lexer(argument);
  for (Token token = lexer.next_significant(); token.kind != TokenKind::kEnd;
       token = lexer.next_significant())
    if (token.in(argument) != "+") number += token.in(argument);
  return number;
}

// From a list of DefElem: transaction_isolation, transaction_read_only, transaction_deferrable.
TransactionModes modes_of(const ParseTree& tree, size_t list) {
  TransactionModes modes;
  for (size_t i = tree.first(list); i != ParseTree::kNone; i = tree.next(i)) {
    const size_t element = tree.member(i, "DefElem");
    const std::string value = constant_text(tree, tree.member(element, "arg")).value_or("");
    const TransactionModes one = modes_of_setting(tree.text(element, "defname"), value);
    if (one.read_only) modes.read_only = one.read_only;
    if (one.isolation) modes.isolation = one.isolation;
    if (one.deferrable) modes.deferrable = one.deferrable;
  }
  return modes;
}

// B4, B5: what a replica refuses whatever follows.
bool note_modes(Unit& unit, const TransactionModes& modes) {
  if (modes.isolation == Isolation::kSerializable) {
    unit.note(Reason::kSerializable);
    return true;
  }
  if (modes.read_only == false) {
    unit.note(Reason::kReadWriteTransaction);
    return true;
  }
  return false;
}

// Index of the first token of the value part of a SET. The forms without TO or = have a fixed word
// before their value.
size_t argument_token(const Unit& unit, const std::vector<Token>& tokens) {
  const auto word = [&](size_t i, std::string_view expected) {
    return i < tokens.size() && is_word(unit.text, tokens[i], expected);
  };
  const auto assigns = [&](size_t i) {
    return word(i, "to") || (i < tokens.size() && tokens[i].in(unit.text) == "=");
  };
  size_t i = 1;
  for (const std::string_view scope : {"local", "session"})
    if (word(i, scope) && !assigns(i + 1)) ++i;  // LOCAL SESSION AUTHORIZATION has both.
  if (word(i, "time") && word(i + 1, "zone")) return i + 2;
  if (word(i, "xml") && word(i + 1, "option")) return i + 2;
  if (word(i, "transaction") && word(i + 1, "snapshot")) return i + 2;
  for (const std::string_view fixed :
       {"names", "schema", "role", "catalog", "authorization", "transaction"})
    if (word(i, fixed) && !assigns(i + 1)) return i + 1;
  if (word(i, "characteristics")) return i + 3;  // AS TRANSACTION
  while (i < tokens.size() && !assigns(i)) ++i;
  return i + 1;
}

VariableCommand::Kind multi_kind(std::string_view name) {
  if (name == "TRANSACTION") return VariableCommand::Kind::kTransaction;
  if (name == "TRANSACTION SNAPSHOT") return VariableCommand::Kind::kTransactionSnapshot;
  return VariableCommand::Kind::kSessionCharacteristics;
}

// SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE has no form with TO. PostgreSQL itself stores it
// as a text, which SET timezone TO takes.
std::optional<std::string> interval_argument(const ParseTree& tree, size_t arguments) {
  const size_t cast = tree.member(tree.first(arguments), "TypeCast");
  if (cast == ParseTree::kNone) return std::nullopt;
  const auto value = constant_text(tree, tree.member(cast, "arg"));
  // Without a colon the meaning hangs on the fields named after it.
  if (!value || value->find(':') == std::string::npos || value->find('\'') != std::string::npos)
    return "";
  return "'INTERVAL ''" + *value + "'''";
}

void read_set_value(Unit& unit, size_t body, VariableCommand& command) {
  const ParseTree& tree = unit.tree;
  const size_t arguments = tree.member(body, "args");
  if (tree.count(arguments) == 1) command.value = constant_text(tree, tree.first(arguments));
  if (const auto interval = interval_argument(tree, arguments)) {
    command.argument = *interval;
    if (interval->empty()) unit.facts.opaque_side_effects = true;
  }
  if (command.argument.empty()) {
    const std::vector<Token> tokens = tokens_of(unit, tree.count(arguments) * 4 + 64);
    const size_t first = argument_token(unit, tokens);
    if (first < tokens.size())
      command.argument =
          unit.text.substr(tokens[first].begin, tokens.back().end - tokens[first].begin);
  }
  if (tree.member(tree.member(tree.first(arguments), "A_Const"), "ival") != ParseTree::kNone &&
      command.value)
    command.value = integer_text(command.argument);
  if (command.value) command.modes = modes_of_setting(command.name, *command.value);
}

// The byte range of the name of a prepared statement: the token after the keyword, or after
// DEALLOCATE PREPARE. `keyword` may stand anywhere (EXPLAIN ANALYZE EXECUTE p).
size_t name_token(const Unit& unit, const std::vector<Token>& tokens, std::string_view keyword) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!is_word(unit.text, tokens[i], keyword)) continue;
    const bool spelled_out = keyword == "deallocate" && i + 2 < tokens.size() &&
                             is_word(unit.text, tokens[i + 1], "prepare");
    return spelled_out ? i + 2 : i + 1;
  }
  return tokens.size();
}

void locate_name(PreparedCommand& command, const std::vector<Token>& tokens, size_t index) {
  if (index >= tokens.size()) return;
  command.name_begin = tokens[index].begin;
  command.name_end = tokens[index].end;
}

constexpr size_t kNameTokensMax = 64;  // EXPLAIN's options and CREATE TABLE AS stand before it.

}  // namespace

void read_variable_set(Unit& unit, size_t body) {
  using Kind = VariableCommand::Kind;
  const ParseTree& tree = unit.tree;
  const std::string_view kind = tree.text(body, "kind");
  VariableCommand command;
  command.name = translate_setting(lower(tree.text(body, "name")));
  if (command.name == "seed") unit.facts.opaque_side_effects = true;  // C19
  if (tree.flag(body, "is_local")) command.scope = VariableCommand::Scope::kLocal;
  if (kind == "VAR_SET_VALUE") {
    read_set_value(unit, body, command);
  } else if (kind == "VAR_SET_DEFAULT") {
    command.kind = Kind::kSetDefault;
  } else if (kind == "VAR_RESET") {
    command.kind = Kind::kReset;
  } else if (kind == "VAR_RESET_ALL") {
    command.kind = Kind::kResetAll;
  } else if (kind == "VAR_SET_MULTI") {
    command.kind = multi_kind(tree.text(body, "name"));
    command.name.clear();
    if (command.kind == Kind::kTransactionSnapshot)
      command.value = constant_text(tree, tree.first(tree.member(body, "args")));
    else
      command.modes = modes_of(tree, tree.member(body, "args"));
  } else {  // SET x FROM CURRENT: rare, and its value is the server's business.
    unit.facts.opaque_side_effects = true;
    unit.note(Reason::kUtility);
    return;
  }
  if (command.kind == Kind::kTransactionSnapshot)
    unit.note(Reason::kNodeFunction);  // A snapshot can be imported only where it was exported.
  else if (!note_modes(unit, command.modes))
    unit.note(Reason::kSessionState);
  command.statement = unit.facts.statements - 1;
  unit.facts.variables.push_back(std::move(command));
}

void read_prepare(Unit& unit, size_t body) {
  PreparedCommand command{.kind = PreparedCommand::Kind::kPrepare,
                          .name = std::string(unit.tree.text(body, "name"))};
  const std::vector<Token> tokens = tokens_of(unit, static_cast<size_t>(-1));
  const size_t name = name_token(unit, tokens, "prepare");
  locate_name(command, tokens, name);
  size_t depth = 0;
  for (size_t i = name; i + 1 < tokens.size(); ++i) {
    const std::string_view token = tokens[i].in(unit.text);
    if (token == "(") ++depth;
    if (token == ")" && depth > 0) --depth;
    if (depth > 0 || !is_word(unit.text, tokens[i], "as") || i == name) continue;
    command.body_begin = tokens[i + 1].begin;
    command.body_end = tokens.back().end;
    break;
  }
  command.body = std::make_shared<const QueryFacts>(
      facts_of(unit, unit.tree.member(body, "query"), command.body_begin, command.body_end));
  unit.note(Reason::kPreparedStatement);
  unit.facts.prepared.push_back(std::move(command));
}

void read_execute(Unit& unit, size_t body) {
  PreparedCommand command{.kind = PreparedCommand::Kind::kExecute,
                          .name = std::string(unit.tree.text(body, "name"))};
  const std::vector<Token> tokens = tokens_of(unit, kNameTokensMax);
  locate_name(command, tokens, name_token(unit, tokens, "execute"));
  scan_tree(unit, unit.tree.member(body, "params"), false);
  unit.note(Reason::kPreparedStatement);
  unit.facts.prepared.push_back(std::move(command));
}

void read_deallocate(Unit& unit, size_t body) {
  PreparedCommand command{.kind = PreparedCommand::Kind::kDeallocate,
                          .name = std::string(unit.tree.text(body, "name"))};
  const std::vector<Token> tokens = tokens_of(unit, kNameTokensMax);
  if (unit.tree.member(body, "name") == ParseTree::kNone)
    command.kind = PreparedCommand::Kind::kDeallocateAll;
  else
    locate_name(command, tokens, name_token(unit, tokens, "deallocate"));
  unit.pin(PinEvent::kDeallocate);
  unit.note(Reason::kPreparedStatement);
  unit.facts.prepared.push_back(std::move(command));
}

void read_transaction(Unit& unit, size_t body) {
  using Kind = TransactionCommand::Kind;
  const ParseTree& tree = unit.tree;
  const std::string_view kind = tree.text(body, "kind");
  TransactionCommand command;
  command.chain = tree.flag(body, "chain");
  if (kind == "TRANS_STMT_BEGIN" || kind == "TRANS_STMT_START") {
    command.is_start = kind == "TRANS_STMT_START";
    command.modes = modes_of(tree, tree.member(body, "options"));
    if (!note_modes(unit, command.modes) && command.modes.read_only != true)
      unit.note(Reason::kTransaction);  // B2; READ ONLY may go to a replica (B3).
  } else if (kind == "TRANS_STMT_COMMIT") {
    command.kind = Kind::kCommit;
  } else if (kind == "TRANS_STMT_ROLLBACK") {
    command.kind = Kind::kRollback;
  } else if (kind == "TRANS_STMT_SAVEPOINT") {
    command.kind = Kind::kSavepoint;
  } else if (kind == "TRANS_STMT_ROLLBACK_TO") {
    command.kind = Kind::kRollbackTo;
  } else if (kind == "TRANS_STMT_RELEASE") {
    command.kind = Kind::kRelease;
  } else {
    unit.note(Reason::kTwoPhase);
    command.kind = Kind::kPrepareTransaction;
    if (kind == "TRANS_STMT_COMMIT_PREPARED") command.kind = Kind::kCommitPrepared;
    if (kind == "TRANS_STMT_ROLLBACK_PREPARED") command.kind = Kind::kRollbackPrepared;
    if (command.kind != Kind::kPrepareTransaction) unit.facts.needs_no_transaction_block = true;
  }
  command.name = tree.text(body, "savepoint_name");
  if (command.name.empty()) command.name = tree.text(body, "gid");
  command.statement = unit.facts.statements - 1;
  unit.facts.transaction.push_back(std::move(command));
}

}  // namespace fairlead::sql
