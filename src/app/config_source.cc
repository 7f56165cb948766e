#include "app/config_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/exit_code.h"
#include "app/terminal.h"
#include "proxy/named_file.h"

namespace fairlead::app {

namespace {

constexpr const char* kDefaultFile = "/etc/fairlead/fairlead.toml";
constexpr const char* kWhiteSpace = " \t\r\n";

OptionBuilder add_flag(CommandBuilder command, ConfigOptions& options, std::string name,
                       std::string key, std::string description) {
  const auto take = [&options, key = std::move(key), name](const std::string& value) {
    options.flags.push_back({key, value, name});
    return Result<void>();
  };
  return command.add_option(name, take, std::move(description)).group("Settings");
}

Error nothing_given() {
  return {ErrorCode::kInvalidParameterValue,
          "there is no configuration",
          {},
          "name a file with -c FILE, or the servers with --primary URL --replica URL (or in "
          "DATABASE_URL and REPLICA_URLS)"};
}

/// Where a file's name came from, and the name.
struct ChosenFile {
  std::string name;
  bool must_exist = true;
};

Result<void> take_file(const ChosenFile& file, const config::FileReader& read_file,
                       config::Sources& sources) {
  auto text = read_file(file.name);
  const bool missing = !text && text.error().code == ErrorCode::kUndefinedObject;
  if (missing && !file.must_exist) return std::unexpected(nothing_given());
  if (!text) return std::unexpected(text.error());
  sources.file_text = std::move(*text);
  sources.file_name = file.name;
  return {};
}

}  // namespace

std::vector<std::string> split_urls(std::string_view text) {
  std::vector<std::string> urls;
  while (true) {
    const size_t begin = text.find_first_not_of(kWhiteSpace);
    if (begin == std::string_view::npos) return urls;
    text.remove_prefix(begin);
    size_t end = text.find_first_of(kWhiteSpace);
    // A comma ends a URL only where the next one begins: "postgresql://a,b/app" names two hosts.
    const size_t comma = text.find(",postgres");
    const bool at_comma = comma != std::string_view::npos && comma < std::min(end, text.size());
    if (at_comma) end = comma;
    std::string_view url = text.substr(0, end);
    while (url.ends_with(',')) url.remove_suffix(1);
    if (!url.empty()) urls.emplace_back(url);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + (at_comma ? 1 : 0));
  }
}

Result<config::FlagValue> parse_set(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(ErrorCode::kInvalidParameterValue, fmt::format("--set {}: no KEY=VALUE", text), {},
                "for example --set listen.port=6000");
  return config::FlagValue{text.substr(0, equals), text.substr(equals + 1), "--set"};
}

void add_config_options(CommandBuilder command, ConfigOptions& options) {
  command.add_option("-c,--config", options.file, "Configuration file (TOML)").type_name("FILE");
  command.add_option("--primary", options.primary_url, "A server's URL, instead of a file")
      .type_name("URL");
  command
      .add_option("--replica", options.replica_urls,
                  "Another server's URL; may be given several times")
      .type_name("URL")
      .takes_one();
  const auto take_set = [&options](const std::string& text) -> Result<void> {
    auto value = parse_set(text);
    if (!value) return std::unexpected(value.error());
    options.flags.push_back(std::move(*value));
    return {};
  };
  command
      .add_repeatable("--set", take_set, "Any value of the configuration, such as listen.port=6000")
      .type_name("KEY=VALUE")
      .takes_one()
      .group("Settings");
}

void add_proxy_options(CommandBuilder command, ConfigOptions& options) {
  add_flag(command, options, "--host", "listen.host", "Address to listen on");
  add_flag(command, options, "--port", "listen.port", "Port of automatic routing");
  add_flag(command, options, "--read-port", "listen.read_port", "Port of reads on replicas");
  add_flag(command, options, "--primary-port", "listen.primary_port", "Port of the primary");
  add_flag(command, options, "--http-port", "listen.http_port", "Port of metrics and dashboard")
      .group("");  // Understood, and not offered before something listens there.
  add_flag(command, options, "--workers", "proxy.workers", "Threads that serve clients");
  add_flag(command, options, "--users-file", "auth.users_file", "Who may log in");
  add_flag(command, options, "--log-level", "proxy.log_level", "debug, info, warning, error, off");
}

Result<config::Sources> find_sources(const ConfigOptions& options,
                                     const config::Environment& environment,
                                     const config::FileReader& read_file) {
  config::Sources sources;
  sources.flags = options.flags;
  sources.environment = environment;
  sources.read_file = read_file;
  if (!options.file.empty() && (!options.primary_url.empty() || !options.replica_urls.empty()))
    return fail(ErrorCode::kInvalidParameterValue,
                "-c and --primary or --replica exclude each other", {},
                "name the nodes in the file, or leave -c out");
  if (options.primary_url.empty() && !options.replica_urls.empty())
    return fail(ErrorCode::kInvalidParameterValue, "--replica needs --primary beside it", {},
                "give each server's URL; which one is the primary, fairlead finds out");

  const auto named = environment("FAIRLEAD_CONFIG");
  const auto database_url = environment("DATABASE_URL");
  if (!options.file.empty()) {
    if (auto taken = take_file({options.file}, read_file, sources); !taken)
      return std::unexpected(taken.error());
  } else if (!options.primary_url.empty()) {
    sources.primary_url = {options.primary_url, "--primary"};
    for (const std::string& url : options.replica_urls)
      sources.replica_urls.push_back({url, "--replica"});
  } else if (named) {
    if (auto taken = take_file({*named}, read_file, sources); !taken)
      return std::unexpected(taken.error());
  } else if (database_url) {
    sources.primary_url = {*database_url, "DATABASE_URL"};
    for (std::string& url : split_urls(environment("REPLICA_URLS").value_or("")))
      sources.replica_urls.push_back({std::move(url), "REPLICA_URLS"});
  } else if (environment("REPLICA_URLS")) {
    return fail(ErrorCode::kInvalidParameterValue, "REPLICA_URLS needs DATABASE_URL beside it", {},
                "give each server's URL; which one is the primary, fairlead finds out");
  } else if (!environment("FAIRLEAD_CLUSTER_MAIN_NODES")) {
    if (auto taken = take_file({kDefaultFile, false}, read_file, sources); !taken)
      return std::unexpected(taken.error());
  }
  return sources;
}

std::expected<config::Config, ConfigFailure> load_config(const ConfigOptions& options) {
  auto sources = find_sources(options, process_environment(), proxy::read_named_file);
  if (!sources) return std::unexpected(ConfigFailure{std::move(sources.error()), {}, {}});
  sources->variables = process_variables();
  auto config = config::load(*sources);
  if (!config)
    return std::unexpected(ConfigFailure{{}, std::move(config.error()), sources->file_name});
  return std::move(*config);
}

ExitCode complain(const ConfigFailure& failure) {
  if (failure.problems.empty()) {
    complain(failure.error);
    return failure.error.code == ErrorCode::kInvalidParameterValue ? ExitCode::kUsage
                                                                   : ExitCode::kError;
  }
  const Style style = stderr_style();
  for (const config::Problem& problem : failure.problems)
    say(fmt::format("{} {}", style.red("error:"), config::describe(problem, failure.file_name)));
  const bool usage = std::ranges::all_of(failure.problems, &config::Problem::by_flag);
  return usage ? ExitCode::kUsage : ExitCode::kError;
}

}  // namespace fairlead::app
