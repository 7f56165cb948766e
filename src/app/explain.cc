// `fairlead explain`: where a statement would go, and why.
#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <memory>

#include "app/ask_node.h"
#include "app/check_patroni.h"
#include "app/commands.h"
#include "app/config_source.h"
#include "app/explanation.h"
#include "app/terminal.h"
#include "config/url.h"
#include "proxy/catalog_query.h"

namespace fairlead::app {

namespace {

struct ExplainOptions {
  ConfigOptions config;
  std::string statement;
  std::string database;
  std::string user;
  bool json = false;
};

using Catalog = std::shared_ptr<const sql::FunctionCatalog>;

constexpr const char* kExplainFooter = R"help(
Examples:
  fairlead explain "SELECT * FROM users WHERE id = 7"
  fairlead explain -c fairlead.toml --database app "SELECT total(7)"
  fairlead explain --json - < statement.sql

Without -c or --primary nothing is connected to, so what a called function does is not known and
such a statement is explained as going to the primary.)help";

/// A database that is served, and its name on the servers.
struct Served {
  const config::Database& options;
  std::string name;
};

Error which_database(std::string detail) {
  return {ErrorCode::kInvalidParameterValue, "which database's functions are to be looked up?",
          std::move(detail), "add --database NAME"};
}

/// The one that was asked for by the name that clients use, else the only one that has a name.
/// monitor_database is none of them: applications have their functions elsewhere.
Result<Served> find_served(const config::Config& config, std::string asked_for) {
  if (asked_for.empty() && config.databases.size() == 1)
    asked_for = config.databases.begin()->first;
  if (asked_for.empty())
    return std::unexpected(which_database("the configuration has several [database.NAME]"));
  const config::Database* found = config.find_database(asked_for);
  if (found == nullptr)
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("the database \"{}\" is not served", asked_for),
                "the configuration has no [database] of that name, and none for \"*\"",
                "--database wants a name that clients use");
  if (!found->database.empty()) return Served{*found, found->database};
  if (asked_for == "*")
    return std::unexpected(which_database("[database.\"*\"] serves all there are"));
  return Served{*found, std::move(asked_for)};
}

/// What is known of the database that the statement is for.
struct Known {
  Catalog catalog;
  config::Database options;
};

/// The functions of one database, as the proxy itself asks for them.
Result<Known> look_up(const config::Config& config, const std::string& asked_for) {
  const auto served = find_served(config, asked_for);
  if (!served) return std::unexpected(served.error());
  const config::Cluster& its_cluster = config.cluster_of(served->options);
  std::optional<proxy::PatroniDiscovery> patroni;
  const auto cluster = discovered(its_cluster, patroni);
  if (!cluster) return std::unexpected(cluster.error());
  const auto answers =
      ask_primary(*cluster, served->name,
                  {std::string(proxy::kCatalogMarkSql), std::string(proxy::kFunctionsSql),
                   std::string(proxy::kDependenciesSql)});
  if (!answers) return std::unexpected(answers.error());
  std::vector<proxy::Row> all;
  for (const std::vector<proxy::Row>& rows : *answers)
    all.insert(all.end(), rows.begin(), rows.end());
  auto catalog = proxy::read_catalog(all, 1, {}, config::routing_lists(its_cluster));
  if (!catalog) return std::unexpected(std::move(catalog.error()));
  return Known{std::move(catalog->functions), served->options};
}

/// "" when the URL names none, or is none.
std::string database_of(const std::string& url) {
  const auto parsed = config::ConnectionUrl::parse(url);
  return parsed ? parsed->database.value_or("") : std::string{};
}

ExitCode failed(const Error& error) {
  complain(error);
  if (error.code == ErrorCode::kInvalidParameterValue) return ExitCode::kUsage;
  return error.code == ErrorCode::kConnectionFailure ? ExitCode::kUnreachable : ExitCode::kError;
}

ExitCode run_explain(ExplainOptions options) {
  if (options.statement == "-")
    options.statement.assign(std::istreambuf_iterator<char>(std::cin), {});
  // Only what the command line names is connected to: an explanation of a text should not depend on
  // what happens to be in the environment.
  Known known;
  if (!options.config.file.empty() || !options.config.primary_url.empty()) {
    const auto config = load_config(options.config);
    if (!config) return complain(config.error());
    if (options.database.empty()) options.database = database_of(options.config.primary_url);
    auto found = look_up(*config, options.database);
    if (!found) return failed(found.error());
    known = std::move(*found);
    known.options = config::for_user(std::move(known.options), config->find_user(options.user));
  }
  const auto explanation = explain(options.statement, known.catalog.get(), known.options);
  if (!explanation) {
    complain(explanation.error());
    return ExitCode::kError;
  }
  print(options.json ? explanation_json(*explanation) : explanation_text(*explanation));
  return ExitCode::kOk;
}

}  // namespace

void add_explain(CommandBuilder root, Command& chosen) {
  auto options = std::make_shared<ExplainOptions>();
  CommandBuilder command = root.add_subcommand("explain", "Where a statement would go, and why");
  command.add_option("SQL", options->statement, "The statement; - reads it from standard input")
      .required();
  add_config_options(command, options->config);
  command
      .add_option("--database", options->database, "Whose functions to look up; else the only one")
      .type_name("NAME");
  command.add_option("--user", options->user, "Who sends it; [user.NAME] may say what is different")
      .type_name("NAME");
  command.add_flag("--json", options->json, "As JSON");
  command.footer(kExplainFooter);
  command.callback([options, &chosen] { chosen = [options] { return run_explain(*options); }; });
}

}  // namespace fairlead::app
