// One value of one setting, in a form that says the same on any server connection.
//
// The text that a client wrote does not: what 'a\'b' means depends on standard_conforming_strings,
// what the byte 0xE9 means on client_encoding, and both may be different on the connection that the
// setting is replayed on. So arguments are read once, under the rules in force, and kept as values;
// rendering (replay.h) writes a text that no rule reads differently. What cannot be read with
// certainty becomes unknown, and is asked of the server (read-back in variables.h).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::core {

/// How a text from a client is to be read: what the client's server last reported (C1).
struct TextRules {
  bool standard_conforming_strings = true;
  std::string_view client_encoding = "UTF8";
};

class Setting {
 public:
  /// Changed to something that only the server knows.
  static Setting unknown() { return Setting({}, {}, true); }
  /// A whole value as set_config(), a start-up packet, current_setting() or ParameterStatus has it.
  /// With a zero byte in it, or beyond ASCII in an encoding whose name is not one: unknown.
  static Setting from_value(std::string_view value, std::string_view client_encoding);
  /// What stood after TO or = in SET, in the client's own words: 'text', word, "name", 5, -1.5, and
  /// lists of them. `name` is canonical. DEFAULT is not a value: see SessionVariables::on_reset().
  static Setting from_argument(std::string_view name, std::string_view argument, TextRules rules);
  /// The same when somebody else has read the items, each with its escapes resolved and its case
  /// folded. The value is what PostgreSQL makes of them: joined with ", ", and in a list of names
  /// each quoted where needed.
  static Setting from_items(std::string_view name, std::span<const std::string> items,
                            std::string_view client_encoding);

  bool is_unknown() const { return unknown_; }
  /// The bytes of the value.
  const std::string& text() const { return text_; }
  /// Of `text`; empty when it is all ASCII, which means the same in every encoding.
  const std::string& encoding() const { return encoding_; }
  size_t bytes() const { return text_.size() + encoding_.size(); }

  bool operator==(const Setting&) const = default;

 private:
  Setting(std::string text, std::string encoding, bool unknown)
      : text_(std::move(text)), encoding_(std::move(encoding)), unknown_(unknown) {}

  std::string text_;
  std::string encoding_;
  bool unknown_ = false;
};

/// The items of a list of names such as search_path, if SET with these items as literals gives this
/// very text again; else nullopt. ASCII only.
std::optional<std::vector<std::string>> split_name_list(std::string_view text);

}  // namespace fairlead::core
