// The command line as the commands describe it: subcommands, options, what they run.
//
// CLI11 parses it. Only command_line.cc and program.cc read its header, which takes seconds to
// compile. Both builders are handles: copies mean the same, and the tree (program.cc) outlives
// them. Targets of options must live until the command has run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace fairlead::app {

class OptionBuilder {
 public:
  explicit OptionBuilder(CLI::Option& option) : option_(&option) {}

  OptionBuilder& required();
  /// The word for its value in the help, such as "DIR".
  OptionBuilder& type_name(std::string name);
  /// The help tells what its target has now.
  OptionBuilder& shows_default();
  /// One word after each mention: the next one is another argument.
  OptionBuilder& takes_one();
  /// The heading in the help under which it stands; empty: it is understood, and not offered.
  OptionBuilder& group(std::string heading);
  OptionBuilder& range(int lowest, int highest);
  OptionBuilder& one_of(std::vector<std::string> words);
  OptionBuilder& not_empty(std::string complaint);

 private:
  CLI::Option* option_;
};

class CommandBuilder {
 public:
  using Taker = std::function<Result<void>(const std::string& value)>;

  explicit CommandBuilder(CLI::App& app) : app_(&app) {}

  CommandBuilder add_subcommand(std::string name, std::string description);
  /// One of its subcommands at most; none is for program.cc to complain about.
  void is_group();
  /// Below the options in the help: examples.
  void footer(std::string text);
  /// Called when the command line is right and names this command.
  void callback(std::function<void()> call);

  OptionBuilder add_flag(std::string names, bool& target, std::string description);
  OptionBuilder add_option(std::string names, std::string& target, std::string description);
  OptionBuilder add_option(std::string names, int& target, std::string description);
  OptionBuilder add_option(std::string names, uint16_t& target, std::string description);
  OptionBuilder add_option(std::string names, size_t& target, std::string description);
  OptionBuilder add_option(std::string names, std::vector<std::string>& target,
                           std::string description);
  /// `take` is called with the value; an error is one of usage.
  OptionBuilder add_option(std::string names, Taker take, std::string description);
  /// One that may be given several times: `take` is called with each value.
  OptionBuilder add_repeatable(std::string names, Taker take, std::string description);

 private:
  CLI::App* app_;
};

}  // namespace fairlead::app
