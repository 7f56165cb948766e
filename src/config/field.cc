// Reading and printing of the types that a configuration value can have.
#include "config/field.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>

#include "config/not_valid.h"
#include "config/suggest.h"

namespace fairlead::config {
namespace {

/// What somebody wrote, named by its type and never by its content: it may be a secret.
std::string_view type_of(const Value& value) {
  constexpr std::array<std::string_view, std::variant_size_v<Value>> kNames{
      "true or false", "a number", "a number with a fraction", "a text", "a list", "a text",
      "a table",       ""};
  if (const auto* foreign = std::get_if<Foreign>(&value)) return foreign->what;
  return kNames[value.index()];
}

std::unexpected<Error> wrong_type(const Key& key, const Value& value, std::string_view hint = {}) {
  return not_valid(fmt::format("expected {}, found {}", key.type, type_of(value)), hint);
}

Result<void> check_bounds(const Key& key, int64_t value) {
  if (key.min >= key.max || (value >= key.min && value <= key.max)) return {};
  return not_valid(fmt::format("{} is out of bounds: from {} to {}", key.print_bound(value),
                               key.print_bound(key.min), key.print_bound(key.max)));
}

Result<int64_t> read_integer(const Key& key, const Value& value) {
  int64_t number = 0;
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    number = *integer;
  } else if (const auto* text = std::get_if<Text>(&value)) {
    const auto parsed = parse_number(text->text, std::numeric_limits<int64_t>::max());
    if (!parsed) return not_valid(fmt::format("\"{}\" is not a whole number", text->text));
    number = static_cast<int64_t>(*parsed);
  } else {
    return wrong_type(key, value, "write a whole number without quotes");
  }
  if (auto ok = check_bounds(key, number); !ok) return std::unexpected(ok.error());
  return number;
}

template <class T>
Result<void> read_number(const Key& key, const Value& value, T& out) {
  const auto number = read_integer(key, value);
  if (!number) return std::unexpected(number.error());
  if (*number < 0 || *number > std::numeric_limits<T>::max()) {
    return not_valid(
        fmt::format("{} is out of bounds: from 0 to {}", *number, std::numeric_limits<T>::max()));
  }
  out = static_cast<T>(*number);
  return {};
}

}  // namespace

// The text with commas is of the environment or the command line.
Result<std::vector<std::string>> list_of(const Key& key, const Value& value) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) return *list;
  const auto* text = std::get_if<Text>(&value);
  if (text == nullptr) return wrong_type(key, value, "write a list, such as [\"a\", \"b\"]");
  std::vector<std::string> list;
  std::string_view rest = text->text;
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string_view item = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) list.emplace_back(item);
  }
  return list;
}

Result<std::string_view> text_of(const Value& value, std::string_view usage) {
  if (const auto* text = std::get_if<std::string>(&value)) return std::string_view(*text);
  if (const auto* text = std::get_if<Text>(&value)) return std::string_view(text->text);
  return not_valid(fmt::format("expected a text in quotes, found {}", type_of(value)), usage);
}

Error unknown_word(std::string_view word, const std::vector<std::string_view>& words) {
  const auto near = nearest(word, words);
  return {ErrorCode::kConfig,
          fmt::format("\"{}\" is none of: {}", word, fmt::join(words, ", ")),
          {},
          near ? fmt::format("did you mean \"{}\"?", *near) : ""};
}

Result<void> read_field(const Key& key, const Value& value, bool& out) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    out = *flag;
    return {};
  }
  const auto* text = std::get_if<Text>(&value);
  if (text == nullptr) return wrong_type(key, value, "write true or false without quotes");
  if (text->text != "true" && text->text != "false") {
    return not_valid(fmt::format("\"{}\" is neither true nor false", text->text));
  }
  out = text->text == "true";
  return {};
}

Result<void> read_field(const Key& key, const Value& value, uint16_t& out) {
  return read_number(key, value, out);
}

Result<void> read_field(const Key& key, const Value& value, uint32_t& out) {
  return read_number(key, value, out);
}

Result<void> read_field(const Key& key, const Value& value, Duration& out) {
  if (const auto* number = std::get_if<int64_t>(&value)) {
    return not_valid(fmt::format("{} has no unit", *number),
                     "write a duration with its unit in quotes, such as \"5s\" or \"100ms\"");
  }
  const auto text = text_of(value, "write a duration with its unit, such as \"5s\"");
  if (!text) return std::unexpected(text.error());
  const auto duration = parse_duration(*text);
  if (!duration) return std::unexpected(duration.error());
  if (auto ok = check_bounds(key, duration->count()); !ok) return ok;
  out = *duration;
  return {};
}

Result<void> read_field(const Key& key, const Value& value, Bytes& out) {
  if (const auto* number = std::get_if<int64_t>(&value)) {
    return not_valid(fmt::format("{} has no unit", *number),
                     "write a size with its unit in quotes, such as \"64MiB\"");
  }
  const auto text = text_of(value, "write a size with its unit, such as \"64MiB\"");
  if (!text) return std::unexpected(text.error());
  const auto bytes = Bytes::parse(*text);
  if (!bytes) return std::unexpected(bytes.error());
  if (auto ok = check_bounds(key, static_cast<int64_t>(bytes->count)); !ok) return ok;
  out = *bytes;
  return {};
}

Result<void> read_field(const Key&, const Value& value, std::string& out) {
  const auto text = text_of(value, "put it in quotes");
  if (!text) return std::unexpected(text.error());
  // Names travel in C strings of the protocol and of the system; a zero would cut them short.
  if (text->contains('\0')) return not_valid("must not contain a zero byte");
  out = *text;
  return {};
}

Result<void> read_field(const Key& key, const Value& value, Secret& out) {
  return read_field(key, value, out.text);
}

Result<void> read_field(const Key& key, const Value& value, std::vector<std::string>& out) {
  auto list = list_of(key, value);
  if (!list) return std::unexpected(list.error());
  out = std::move(*list);
  return {};
}

Result<void> read_field(const Key& key, const Value& value, std::vector<NodeAddress>& out) {
  const auto list = list_of(key, value);
  if (!list) return std::unexpected(list.error());
  std::vector<NodeAddress> nodes;
  for (const std::string& text : *list) {
    auto node = NodeAddress::parse(text);
    if (!node) return std::unexpected(node.error());
    nodes.push_back(std::move(*node));
  }
  out = std::move(nodes);
  return {};
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
  return out + "\"";
}

std::string print_field(bool value) { return value ? "true" : "false"; }
std::string print_field(uint16_t value) { return std::to_string(value); }
std::string print_field(uint32_t value) { return std::to_string(value); }
std::string print_field(Duration value) { return quoted(to_string(value)); }
std::string print_field(Bytes value) { return quoted(value.to_string()); }
std::string print_field(const std::string& value) { return quoted(value); }
std::string print_field(const Secret& value) { return quoted(value.text); }

std::string print_field(const std::vector<std::string>& value) {
  std::string out;
  for (const std::string& text : value) out += (out.empty() ? "" : ", ") + quoted(text);
  return "[" + out + "]";
}

std::string print_field(const std::vector<NodeAddress>& value) {
  std::vector<std::string> texts;
  for (const NodeAddress& node : value) texts.push_back(node.to_string());
  return print_field(texts);
}

}  // namespace fairlead::config
