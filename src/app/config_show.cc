// `fairlead config show`: every value in force, and where it came from.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>

#include "app/commands.h"
#include "app/config_source.h"
#include "app/terminal.h"
#include "config/describe.h"

namespace fairlead::app {

namespace {

struct ShowOptions {
  ConfigOptions config;
  bool origin = false;
  bool json = false;
};

std::string settings_json(const std::vector<config::Setting>& settings) {
  boost::json::array out;
  for (const config::Setting& setting : settings)
    out.push_back({{"key", setting.key},
                   {"value", setting.value},
                   {"default", setting.default_value},
                   {"origin", config::to_string(setting.origin.kind)},
                   {"where", setting.origin.where},
                   {"needs_restart", setting.apply == config::Apply::kRestart}});
  return boost::json::serialize(out) + "\n";
}

std::string plain_text(const std::vector<config::Setting>& settings) {
  std::string out;
  for (const config::Setting& setting : settings)
    out += fmt::format("{} = {}\n", setting.key, setting.value);
  return out;
}

ExitCode run_show(const ShowOptions& options) {
  const auto config = load_config(options.config);
  if (!config) return complain(config.error());
  const auto settings = config::describe(*config);
  if (options.json)
    print(settings_json(settings));
  else
    print(options.origin ? config::to_text(settings) : plain_text(settings));
  return ExitCode::kOk;
}

}  // namespace

void add_config(CommandBuilder root, Command& chosen) {
  CommandBuilder group = root.add_subcommand("config", "Show the configuration in force");
  group.is_group();
  group.footer("\nExample:\n  fairlead config show --origin -c fairlead.toml");
  auto options = std::make_shared<ShowOptions>();
  CommandBuilder command = group.add_subcommand("show", "Every value; secrets are masked");
  add_config_options(command, options->config);
  add_proxy_options(command, options->config);
  command.add_flag("--origin", options->origin, "Tell where each value came from");
  command.add_flag("--json", options->json, "As JSON; values are written as in the file");
  command.footer("\nExample:\n  fairlead config show --origin -c fairlead.toml");
  command.callback([options, &chosen] { chosen = [options] { return run_show(*options); }; });
}

}  // namespace fairlead::app
