#include "app/program.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/planned_commands.h"
#include "app/terminal.h"
#include "app/version.h"
#include "config/suggest.h"

namespace fairlead::app {

namespace {

constexpr const char* kShortHelp =
    R"(fairlead: one URL in front of PostgreSQL; reads go to replicas, writes to the primary.

  fairlead demo                                     try it: a throw-away cluster and the proxy
  fairlead up --primary URL --replica URL           run the proxy in front of your own servers

Commands:
{}
fairlead COMMAND --help tells more, with an example.
)";

std::string command_list(const CLI::App& root) {
  std::string out;
  for (const CLI::App* command : root.get_subcommands([](const CLI::App*) { return true; }))
    out += fmt::format("  {:<9} {}\n", command->get_name(), command->get_description());
  return out;
}

/// The command that the words so far lead to: the root, a group, or a command itself.
const CLI::App* deepest(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return app;
}

std::string path_of(const CLI::App* app) {
  if (app->get_parent() == nullptr) return app->get_name();
  return path_of(app->get_parent()) + " " + app->get_name();
}

std::vector<std::string> commands_of(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app->get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

std::vector<std::string> options_of(const CLI::App* app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app->get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::string nearest_of(const std::string& word, const std::vector<std::string>& names) {
  const std::vector<std::string_view> known(names.begin(), names.end());
  return std::string(config::nearest(word, known).value_or(""));
}

ExitCode usage_error(const std::string& message, const std::string& hint) {
  complain(Error{ErrorCode::kConfig, message, {}, hint});
  return ExitCode::kUsage;
}

/// A word that nobody knows: an option, or a command at the level where it stands.
ExitCode unknown_word(const CLI::App* at, const std::string& word) {
  if (at->get_parent() == nullptr)
    if (const auto instead = instead_of_planned(word))
      return usage_error(fmt::format("{} {} is not available in this version", path_of(at), word),
                         std::string(*instead));
  const bool is_option = word.starts_with("-");
  const auto known = is_option ? options_of(at) : commands_of(at);
  const std::string name = is_option ? word.substr(0, word.find('=')) : word;
  const std::string near = nearest_of(name, known);
  const char* kind = is_option ? "option" : known.empty() ? "argument" : "command";
  return usage_error(fmt::format("{}: unknown {} {}", path_of(at), kind, name),
                     near.empty() ? fmt::format("{} --help lists what there is", path_of(at))
                                  : fmt::format("did you mean {}?", near));
}

/// CLI11's words for two common slips do not say what the slip is.
std::string words_of(const CLI::ParseError& error) {
  std::string text = error.what();
  constexpr std::string_view kTwice = ": At Most 1 required";
  constexpr std::string_view kUnread = "Could not convert: ";
  if (const size_t at = text.find(kTwice); at != std::string::npos)
    return text.substr(0, at) + " is given more than once";
  if (text.starts_with(kUnread))
    return text.substr(kUnread.size()) + ": not a number, or not one that is allowed there";
  return text;
}

ExitCode wrong_usage(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App* at = deepest(&root);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    const std::vector<std::string> extras = root.remaining(true);
    if (!extras.empty()) return unknown_word(at, extras.front());
  }
  return usage_error(fmt::format("{}: {}", path_of(at), words_of(error)),
                     fmt::format("{} --help shows how it is used", path_of(at)));
}

void add_commands(CommandBuilder root, Command& chosen) {
  add_demo(root, chosen);
  add_up(root, chosen);
  add_check(root, chosen);
  add_explain(root, chosen);
  add_routes(root, chosen);
  add_pins(root, chosen);
  add_observe(root, chosen);
  add_cluster(root, chosen);
  add_config(root, chosen);
  add_version(root, chosen);
}

/// To every command, because nobody knows before which word an option belongs.
void add_no_color(CLI::App& app) {
  app.add_flag_callback("--no-color", [] { setenv("NO_COLOR", "1", 1); }, "No colour");
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; }))
    add_no_color(*command);
}

constexpr const char* kProgramFooter = R"(
Examples:
  fairlead demo
  fairlead up --primary postgresql://app:secret@db1/app --replica postgresql://db2
  fairlead explain "SELECT * FROM users WHERE id = 7"

Exit codes: 0 ok, 1 error, 2 usage, 3 a bad result (cluster verify found a
difference, demo lost a post), 4 unreachable.
Environment: FAIRLEAD_CONFIG, DATABASE_URL and REPLICA_URLS, FAIRLEAD_SECTION_KEY, NO_COLOR.)";

}  // namespace

ExitCode run(int argc, const char* const* argv) {
  CLI::App root("One URL in front of PostgreSQL: reads go to replicas, writes to the primary.",
                "fairlead");
  root.footer(kProgramFooter);
  root.require_subcommand(0, 1);
  root.fallthrough(false);
  root.set_version_flag("--version", fmt::format("fairlead {}", kVersion));
  Command chosen;
  add_commands(CommandBuilder(root), chosen);
  add_no_color(root);
  if (argc <= 1) {
    print(fmt::format(fmt::runtime(kShortHelp), command_list(root)));
    return ExitCode::kOk;
  }
  try {
    root.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    print(root.help());
    return ExitCode::kOk;
  } catch (const CLI::CallForVersion& version) {
    print(fmt::format("{}\n", version.what()));
    return ExitCode::kOk;
  } catch (const CLI::ParseError& error) {
    return wrong_usage(root, error);
  }
  if (chosen) return chosen();
  const CLI::App* at = deepest(&root);
  fmt::print(stderr, "{}", root.help());
  return usage_error(fmt::format("{}: which command?", path_of(at)), "choose one of those above");
}

}  // namespace fairlead::app
