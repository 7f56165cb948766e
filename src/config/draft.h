// A Config while it is put together from its layers, with where each value came from and what is
// wrong with it. Layers are applied from the weakest to the strongest; a later one overwrites.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "config/document.h"
#include "config/keys.h"
#include "config/load.h"

namespace fairlead::config {

class Draft {
 public:
  /// Reads `value` into the key's member, creating its section where needed. What cannot be read
  /// becomes a problem, and the member keeps what it had.
  void set(const KeyRef& ref, const Value& value, Origin origin, Position at = {});

  /// Makes a named section exist, with its defaults where it is new.
  void add_section(const Section& section, std::string_view name, Position at);

  /// Notes a problem at the place in the file where `name`, or the section that it belongs to, was
  /// set, if it was set there; else with the name of the variable or flag. Nothing is added to a
  /// key that could not be read: a rule would speak of the default that it kept, which nobody
  /// wrote.
  void report(const std::string& name, Error error);
  void report_at(Position at, std::string name, Error error,
                 Origin::Kind by = Origin::Kind::kDefault);

  /// An environment variable means something here, whether it is set or not.
  void take_variable(std::string_view name) { taken_variables_.emplace(name); }
  bool takes_variable(std::string_view name) const { return taken_variables_.contains(name); }

  Config& config() { return config_; }
  const Config& config() const { return config_; }

  /// What is wrong, in the order of the file, then what is not from the file; empties the list.
  Problems take_problems();
  bool has_problems() const { return !problems_.empty(); }

 private:
  Position place_of(const std::string& name) const;

  Config config_;
  std::map<std::string, Position, std::less<>> places_;  // By full name of key or section.
  std::set<std::string, std::less<>> unreadable_;        // Full names of keys.
  std::set<std::string, std::less<>> taken_variables_;
  Problems problems_;
};

}  // namespace fairlead::config
