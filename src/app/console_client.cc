#include "app/console_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "app/terminal.h"
#include "auth/users_file.h"
#include "cluster/sql_connection.h"
#include "proxy/named_file.h"

namespace fairlead::app {

namespace {

constexpr const char* kConsoleDatabase = "fairlead";

/// Who listens on every address is reached on this machine's own.
std::string reachable(const std::string& host) {
  if (host == "0.0.0.0" || host == "*" || host.empty()) return "127.0.0.1";
  return host == "::" ? "::1" : host;
}

/// Somebody who may log in, and with which password as far as it is on file: the one that was asked
/// for, or the first that has one.
Result<config::User> find_user(const config::Auth& auth, std::string name) {
  if (name.empty() && std::getenv("PGUSER") != nullptr) name = std::getenv("PGUSER");
  for (const config::User& user : auth.url_users)
    if (name.empty() || user.name == name) return user;
  if (!auth.users_file.empty()) {
    const auto text = proxy::read_named_file(auth.users_file);
    if (!text) return std::unexpected(text.error());
    const auto users = auth::parse_users_file(*text);
    if (!users) return std::unexpected(users.error());
    for (const auto& [known, secret] : users->users()) {
      const auto* plain = std::get_if<auth::PlainPassword>(&secret);
      if (plain != nullptr && (name.empty() || known == name))
        return config::User{known, {std::string(plain->text.view())}};
    }
  }
  if (!name.empty()) return config::User{.name = name, .password = {}};
  if (auth.method == config::AuthMethod::kTrust)
    return config::User{.name = "fairlead", .password = {}};
  return fail(ErrorCode::kInvalidParameterValue, "which user asks the console?",
              "users_file holds no password in plain text that could be used",
              "add --user NAME; its password is read from PGPASSWORD or ~/.pgpass");
}

std::expected<std::string, ExitCode> find_console(const ConsoleOptions& options) {
  if (!options.url.empty()) return options.url;
  const auto config = load_config(options.config);
  if (!config) return std::unexpected(complain(config.error()));
  if (config->listen.port == 0) {
    complain(Error{ErrorCode::kInvalidParameterValue, "which port does fairlead up listen on?",
                   "listen.port is 0, so the system has picked one",
                   "add --url; its log says which"});
    return std::unexpected(ExitCode::kUsage);
  }
  const auto user = find_user(config->auth, options.user);
  if (!user) {
    complain(user.error());
    return std::unexpected(user.error().code == ErrorCode::kInvalidParameterValue
                               ? ExitCode::kUsage
                               : ExitCode::kError);
  }
  return cluster::Endpoint{.host = reachable(config->listen.host),
                           .port = config->listen.port,
                           .user = user->name,
                           .password = user->password.text,
                           .database = kConsoleDatabase}
      .conninfo();
}

wire::ResultCell typed(const cluster::Cell& cell, wire::ColumnType type) {
  if (!cell) return std::monostate{};
  switch (type) {
    case wire::ColumnType::kInt8:
      return int64_t{std::strtoll(cell->c_str(), nullptr, 10)};
    case wire::ColumnType::kFloat8:
      return std::strtod(cell->c_str(), nullptr);
    case wire::ColumnType::kText:
      break;
  }
  return *cell;
}

ConsoleTable typed(const cluster::SqlRows& rows, console::View view) {
  const auto known = console::columns_of(view);
  ConsoleTable table{.columns = rows.columns, .rows = {}};
  for (const auto& row : rows.rows) {
    auto& cells = table.rows.emplace_back();
    for (size_t i = 0; i < row.size(); ++i) {
      const auto column = std::ranges::find(known, rows.columns[i], &wire::ResultColumn::name);
      cells.push_back(
          typed(row[i], column == known.end() ? wire::ColumnType::kText : column->type));
    }
  }
  return table;
}

const wire::ResultCell* cell_of(const ConsoleTable& table, size_t row, std::string_view column) {
  const auto found = std::ranges::find(table.columns, column);
  if (found == table.columns.end()) return nullptr;
  return &table.rows[row][static_cast<size_t>(found - table.columns.begin())];
}

}  // namespace

void add_console_options(CommandBuilder command, ConsoleOptions& options) {
  add_config_options(command, options.config);
  command.add_option("--url", options.url, "The console itself, instead of a configuration")
      .type_name("URL");
  command.add_option("--user", options.user, "Who asks; else PGUSER or a user of users_file")
      .type_name("NAME");
  command.add_flag("--json", options.json, "As JSON");
}

std::string ConsoleTable::text(size_t row, std::string_view column) const {
  const auto* cell = cell_of(*this, row, column);
  return cell == nullptr ? std::string{} : wire::text_of(*cell).value_or("");
}

int64_t ConsoleTable::number(size_t row, std::string_view column) const {
  const auto* cell = cell_of(*this, row, column);
  const auto* value = cell == nullptr ? nullptr : std::get_if<int64_t>(cell);
  return value == nullptr ? 0 : *value;
}

double ConsoleTable::real(size_t row, std::string_view column) const {
  const auto* cell = cell_of(*this, row, column);
  const auto* value = cell == nullptr ? nullptr : std::get_if<double>(cell);
  return value == nullptr ? 0 : *value;
}

std::expected<std::vector<ConsoleTable>, ExitCode> ask_console(
    const ConsoleOptions& options, const std::vector<console::View>& views) {
  const auto conninfo = find_console(options);
  if (!conninfo) return std::unexpected(conninfo.error());
  auto connection = cluster::SqlConnection::open(*conninfo);
  if (!connection) {
    Error error = connection.error();
    error.hint =
        "is fairlead up running with this configuration? --url and --user name another "
        "console and another user";
    complain(error);
    return std::unexpected(ExitCode::kUnreachable);
  }
  std::vector<ConsoleTable> tables;
  for (const console::View view : views) {
    const std::string_view name = console::views()[static_cast<size_t>(view)].name;
    const auto rows = connection->query(fmt::format("SHOW {}", name));
    if (!rows) {
      complain(rows.error());
      return std::unexpected(ExitCode::kError);
    }
    tables.push_back(typed(*rows, view));
  }
  return tables;
}

}  // namespace fairlead::app
