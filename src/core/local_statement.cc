#include "core/local_statement.h"

#include "core/variable_names.h"

namespace fairlead::core {
namespace {

using sql::VariableCommand;

// Answered by Fairlead and never set.
constexpr std::string_view kLastRoute = "fairlead.last_route";
constexpr std::string_view kShowVersion = "fairlead.version";
constexpr std::string_view kToken = "fairlead.token";
constexpr std::string_view kPrefix = "fairlead.";

LocalAnswer one_row(std::vector<std::string_view> columns,
                    std::vector<std::optional<std::string>> row) {
  return {.columns = std::move(columns), .rows = {std::move(row)}, .tag = "SHOW"};
}

/// As SHOW answers everything: text.
LocalAnswer report_answer(const LocalSources& sources) {
  LocalAnswer answer{.columns = {}, .rows = {}, .tag = "SHOW"};
  for (const wire::ResultColumn& column : sources.report_columns)
    answer.columns.push_back(column.name);
  if (sources.report == nullptr) return answer;
  for (const auto& row : sources.report->rows) {
    auto& cells = answer.rows.emplace_back();
    for (const wire::ResultCell& cell : row) cells.push_back(wire::text_of(cell));
  }
  return answer;
}

Result<LocalAnswer> show(const std::string& name, const SessionState& session,
                         const LocalSources& sources) {
  if (name == kLastRoute) {
    const LastRoute& last = sources.last_route;
    return one_row({"target", "node", "reason", "attempts", "waited_us"},
                   {last.target == Target::kPrimary ? "primary" : "replica",
                    std::string(sources.node_name), std::string(sql::reason_name(last.reason)),
                    std::to_string(last.attempts), std::to_string(last.waited_us)});
  }
  if (name == kToken) return one_row({"token"}, {std::string(sources.token)});
  if (name == kShowVersion) return one_row({"version"}, {std::string(kVersion)});
  for (const std::string_view known : sql::kSettingNames) {
    if (known != name) continue;
    const Setting* setting = session.variables.find(name);
    return one_row({known}, {setting == nullptr ? std::string{} : setting->text()});
  }
  if (!sources.report_columns.empty()) return report_answer(sources);
  return std::unexpected(sql::read_setting(name, "").error());
}

Result<LocalAnswer> set(const VariableCommand& command, SessionState& session) {
  const auto scope =
      command.scope == VariableCommand::Scope::kLocal ? SetScope::kLocal : SetScope::kSession;
  if (command.kind == VariableCommand::Kind::kReset ||
      command.kind == VariableCommand::Kind::kSetDefault) {
    session.variables.on_reset(command.name, scope);
    return LocalAnswer{.columns = {},
                       .rows = {},
                       .tag = command.kind == VariableCommand::Kind::kReset ? "RESET" : "SET"};
  }
  const std::string value = command.value.value_or(command.argument);
  if (const auto valid = sql::read_setting(command.name, value); !valid)
    return std::unexpected(valid.error());
  session.variables.on_set(command.name,
                           Setting::from_value(value, session.text_rules().client_encoding), scope);
  return LocalAnswer{.columns = {}, .rows = {}, .tag = "SET"};
}

}  // namespace

bool is_local_statement(const sql::QueryFacts& facts) {
  if (facts.statements != 1) return false;
  if (facts.show) return sql::is_fairlead_setting(*facts.show);
  if (facts.variables.size() != 1) return false;
  const auto kind = facts.variables[0].kind;
  const bool is_change = kind == VariableCommand::Kind::kSet ||
                         kind == VariableCommand::Kind::kReset ||
                         kind == VariableCommand::Kind::kSetDefault;
  return is_change && sql::is_fairlead_setting(facts.variables[0].name);
}

bool asks_for_token(const sql::QueryFacts& facts) { return facts.show && *facts.show == kToken; }

std::string_view report_name(const sql::QueryFacts& facts) {
  if (!facts.show || !is_local_statement(facts)) return {};
  const std::string_view name = *facts.show;
  if (name == kLastRoute || name == kShowVersion || name == kToken) return {};
  return name.substr(kPrefix.size());
}

Result<LocalAnswer> execute_local(const sql::QueryFacts& facts, SessionState& session,
                                  const LocalSources& sources) {
  if (facts.show) return show(*facts.show, session, sources);
  auto answer = set(facts.variables[0], session);
  if (answer && session.status == wire::TxStatus::kIdle) session.variables.on_commit();
  return answer;
}

}  // namespace fairlead::core
