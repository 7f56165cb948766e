// The arguments of set_config() calls (C2), which a shape has lost.
#include <span>

#include "sql/classify.h"
#include "sql/guc_values.h"
#include "sql/parse_tree.h"
#include "sql/unit.h"

namespace fairlead::sql {
namespace {

using Argument = SetConfigCall::Argument;

bool is_text_type(std::string_view type) {
  return type == "text" || type == "varchar" || type == "name" || type == "bool";
}

// A constant, a parameter, or one of them with a cast that does not change it.
Argument read_argument(const ParseTree& tree, size_t wrapper) {
  if (const size_t cast = tree.member(wrapper, "TypeCast"); cast != ParseTree::kNone) {
    const std::string_view type =
        last_name(tree, tree.member(tree.member(cast, "typeName"), "names"));
    const size_t inner = tree.member(cast, "arg");
    if (!is_text_type(type) || tree.member(inner, "TypeCast") != ParseTree::kNone) return {};
    return read_argument(tree, inner);
  }
  if (const size_t parameter = tree.member(wrapper, "ParamRef"); parameter != ParseTree::kNone)
    return {.kind = SetConfigCall::Kind::kParameter,
            .parameter = static_cast<uint32_t>(tree.number(parameter, "number"))};
  const size_t constant = tree.member(wrapper, "A_Const");
  if (const size_t text = tree.member(constant, "sval"); text != ParseTree::kNone)
    return {.kind = SetConfigCall::Kind::kLiteral, .text = std::string(tree.text(text, "sval"))};
  if (const size_t flag = tree.member(constant, "boolval"); flag != ParseTree::kNone)
    return {.kind = SetConfigCall::Kind::kLiteral,
            .text = tree.flag(flag, "boolval") ? "true" : "false"};
  return {};
}

SetConfigCall read_call(const ParseTree& tree, size_t call) {
  SetConfigCall result;
  Argument* const positional[] = {&result.name, &result.value, &result.is_local};
  size_t position = 0;
  const size_t arguments = tree.member(call, "args");
  for (size_t i = tree.first(arguments); i != ParseTree::kNone; i = tree.next(i)) {
    const size_t named = tree.member(i, "NamedArgExpr");
    if (named == ParseTree::kNone) {
      if (position < std::size(positional)) *positional[position++] = read_argument(tree, i);
      continue;
    }
    const Argument argument = read_argument(tree, tree.member(named, "arg"));
    const std::string_view name = tree.text(named, "name");
    if (name == "setting_name") result.name = argument;
    if (name == "new_value") result.value = argument;
    if (name == "is_local") result.is_local = argument;
  }
  if (result.is_local.kind == SetConfigCall::Kind::kLiteral) {
    const auto is_local = parse_guc_boolean(result.is_local.text);
    if (is_local)
      result.is_local.text = *is_local ? "true" : "false";
    else
      result.is_local = {};
  }
  return result;
}

/// SELECT set_config(...), set_config(...), without any clause; `calls` is how many stand in it.
bool only_calls(const ParseTree& tree, size_t statement, size_t calls) {
  const size_t select = tree.member(tree.member(statement, "stmt"), "SelectStmt");
  for (size_t i = tree.first(select); i != ParseTree::kNone; i = tree.next(i)) {
    const std::string_view key = tree.key(i);
    if (key != "targetList" && key != "limitOption" && key != "op") return false;
  }
  const size_t targets = tree.member(select, "targetList");
  for (size_t i = tree.first(targets); i != ParseTree::kNone; i = tree.next(i)) {
    const size_t value = tree.member(tree.member(i, "ResTarget"), "val");
    const size_t call = tree.member(value, "FuncCall");
    if (last_name(tree, tree.member(call, "funcname")) != "set_config") return false;
  }
  return targets != ParseTree::kNone &&
         tree.count(targets) == calls;  // Else one is in another's arguments.
}

}  // namespace

std::vector<SetConfigCall> extract_set_config(std::string_view text, LexOptions options) {
  if (!may_parse(text, options)) return {SetConfigCall{}};
  const Result<ParseTree> tree = ParseTree::of(text);
  if (!tree) return {SetConfigCall{}};
  std::vector<SetConfigCall> calls;
  size_t statement = 0;
  for (size_t s = tree->first(tree->member(0, "stmts")); s != ParseTree::kNone; s = tree->next(s)) {
    const size_t first = calls.size();
    for (size_t i = s; i < (*tree)[s].end; ++i) {
      if (tree->key(i) != "FuncCall" ||
          last_name(*tree, tree->member(i, "funcname")) != "set_config")
        continue;
      calls.push_back(read_call(*tree, i));
      calls.back().statement = statement;
    }
    ++statement;
    const std::span of_statement = std::span(calls).subspan(first);
    const bool is_certain = only_calls(*tree, s, of_statement.size());
    for (SetConfigCall& call : of_statement) call.is_certain = is_certain;
  }
  return calls;
}

}  // namespace fairlead::sql
