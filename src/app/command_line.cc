#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <utility>

namespace fairlead::app {
namespace {

/// The only way to tell CLI11.
void throw_if_bad(const Result<void>& taken) {
  if (!taken) throw CLI::ValidationError(taken.error().message, taken.error().hint);
}

}  // namespace

OptionBuilder& OptionBuilder::required() {
  option_->required();
  return *this;
}

OptionBuilder& OptionBuilder::type_name(std::string name) {
  option_->type_name(std::move(name));
  return *this;
}

OptionBuilder& OptionBuilder::shows_default() {
  option_->capture_default_str();
  return *this;
}

OptionBuilder& OptionBuilder::takes_one() {
  option_->allow_extra_args(false);
  return *this;
}

OptionBuilder& OptionBuilder::group(std::string heading) {
  option_->group(std::move(heading));
  return *this;
}

OptionBuilder& OptionBuilder::range(int lowest, int highest) {
  option_->check(CLI::Range(lowest, highest));
  return *this;
}

OptionBuilder& OptionBuilder::one_of(std::vector<std::string> words) {
  option_->check(CLI::IsMember(std::move(words)));
  return *this;
}

OptionBuilder& OptionBuilder::not_empty(std::string complaint) {
  option_->check([complaint = std::move(complaint)](const std::string& value) {
    return value.empty() ? complaint : std::string();
  });
  return *this;
}

CommandBuilder CommandBuilder::add_subcommand(std::string name, std::string description) {
  return CommandBuilder(*app_->add_subcommand(std::move(name), std::move(description)));
}

void CommandBuilder::is_group() { app_->require_subcommand(0, 1); }

void CommandBuilder::footer(std::string text) { app_->footer(std::move(text)); }

void CommandBuilder::callback(std::function<void()> call) { app_->callback(std::move(call)); }

OptionBuilder CommandBuilder::add_flag(std::string names, bool& target, std::string description) {
  return OptionBuilder(*app_->add_flag(std::move(names), target, std::move(description)));
}

OptionBuilder CommandBuilder::add_option(std::string names, std::string& target,
                                         std::string description) {
  return OptionBuilder(*app_->add_option(std::move(names), target, std::move(description)));
}

OptionBuilder CommandBuilder::add_option(std::string names, int& target, std::string description) {
  return OptionBuilder(*app_->add_option(std::move(names), target, std::move(description)));
}

OptionBuilder CommandBuilder::add_option(std::string names, uint16_t& target,
                                         std::string description) {
  return OptionBuilder(*app_->add_option(std::move(names), target, std::move(description)));
}

OptionBuilder CommandBuilder::add_option(std::string names, size_t& target,
                                         std::string description) {
  return OptionBuilder(*app_->add_option(std::move(names), target, std::move(description)));
}

OptionBuilder CommandBuilder::add_option(std::string names, std::vector<std::string>& target,
                                         std::string description) {
  return OptionBuilder(*app_->add_option(std::move(names), target, std::move(description)));
}

OptionBuilder CommandBuilder::add_option(std::string names, Taker take, std::string description) {
  const auto take_it = [take = std::move(take)](const std::string& value) {
    throw_if_bad(take(value));
  };
  return OptionBuilder(
      *app_->add_option_function<std::string>(std::move(names), take_it, std::move(description)));
}

OptionBuilder CommandBuilder::add_repeatable(std::string names, Taker take,
                                             std::string description) {
  const auto take_all = [take = std::move(take)](const std::vector<std::string>& values) {
    for (const std::string& value : values) throw_if_bad(take(value));
  };
  return OptionBuilder(*app_->add_option_function<std::vector<std::string>>(
      std::move(names), take_all, std::move(description)));
}

}  // namespace fairlead::app
