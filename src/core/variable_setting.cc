#include "core/variable_setting.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "core/variable_names.h"

namespace fairlead::core {
namespace {

/// NAMEDATALEN - 1: longer names are cut by the server, with care for its encoding.
constexpr size_t kIdentifierMax = 63;

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}
bool is_word_start(char c) { return is_letter(c) || c == '_'; }

/// Encodings whose characters may have a backslash or a letter as their second byte.
bool has_ascii_inside_characters(std::string_view encoding) {
  static constexpr std::array<std::string_view, 7> kEncodings{
      "BIG5", "GB18030", "GBK", "JOHAB", "SHIFT_JIS_2004", "SJIS", "UHC"};
  return std::ranges::find(kEncodings, encoding) != kEncodings.end();
}

bool is_encoding_name(std::string_view name) {
  return !name.empty() && name.size() <= kIdentifierMax && std::ranges::all_of(name, [](char c) {
    return is_word_start(c) || is_digit(c) || c == '-';
  });
}

/// Reads the argument of one SET into its items. Refuses whatever it is not certain about:
/// comments, INTERVAL, U&'', \u escapes, hexadecimal numbers, strings continued on the next line.
class ArgumentReader {
 public:
  ArgumentReader(std::string_view text, TextRules rules) : rest_(text), rules_(rules) {}

  std::optional<std::vector<std::string>> items() {
    std::vector<std::string> items;
    while (true) {
      skip_space();
      std::optional<std::string> item = read_item();
      if (!item) return {};
      items.push_back(*std::move(item));
      skip_space();
      if (rest_.empty()) return items;
      if (!take(',')) return {};
    }
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_space() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }

  std::optional<std::string> read_item() {
    if (take('\'')) return read_quoted('\'', !rules_.standard_conforming_strings);
    if (take('"')) return read_name();
    if (rest_.starts_with('$')) return read_dollar_quoted();
    if (rest_.size() > 1 && lower(rest_.front()) == 'e' && rest_[1] == '\'') {
      rest_.remove_prefix(2);
      return read_quoted('\'', true);
    }
    if (!rest_.empty() && is_word_start(rest_.front())) return read_word();
    return read_number();
  }

  /// After the opening quote. Doubled quotes mean one.
  std::optional<std::string> read_quoted(char quote, bool escapes) {
    std::string value;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == quote) {
        if (!take(quote)) return value;
        value += quote;
      } else if (c == '\\' && escapes) {
        if (!read_escape(value)) return {};
      } else {
        value += c;
      }
    }
    return {};
  }

  /// After the backslash.
  bool read_escape(std::string& value) {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    if (c == 'u' || c == 'U') return false;
    if (c >= '0' && c <= '7') return read_code(value, 8, 3);
    rest_.remove_prefix(1);
    switch (c) {
      case 'x':
        return read_code(value, 16, 2);
      case 'b':
        value += '\b';
        return true;
      case 'f':
        value += '\f';
        return true;
      case 'n':
        value += '\n';
        return true;
      case 'r':
        value += '\r';
        return true;
      case 't':
        value += '\t';
        return true;
      case 'v':
        value += '\v';
        return true;
      default:
        value += c;
        return true;
    }
  }

  bool read_code(std::string& value, unsigned base, size_t digits_max) {
    unsigned code = 0;
    size_t digits = 0;
    for (; digits < digits_max && !rest_.empty(); ++digits) {
      const char c = lower(rest_.front());
      const unsigned digit = is_digit(c)            ? static_cast<unsigned>(c - '0')
                             : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10
                                                    : 16;
      if (digit >= base) break;
      code = code * base + digit;
      rest_.remove_prefix(1);
    }
    // Bytes beyond ASCII would be bytes of the server's encoding, not of the client's.
    if (digits == 0 || code == 0 || code >= 0x80) return false;
    value += static_cast<char>(code);
    return true;
  }

  std::optional<std::string> read_name() {
    std::optional<std::string> name = read_quoted('"', false);
    if (!name || name->empty() || name->size() > kIdentifierMax) return {};
    return name;
  }

  std::optional<std::string> read_dollar_quoted() {
    const size_t tag_end = rest_.find('$', 1);
    if (tag_end == std::string_view::npos) return {};
    const std::string_view tag = rest_.substr(0, tag_end + 1);
    const std::string_view tag_name = tag.substr(1, tag.size() - 2);
    if (!std::ranges::all_of(tag_name, [](char c) { return is_word_start(c) || is_digit(c); }) ||
        (!tag_name.empty() && is_digit(tag_name.front())))
      return {};
    const size_t close = rest_.find(tag, tag.size());
    if (close == std::string_view::npos) return {};
    std::string value(rest_.substr(tag.size(), close - tag.size()));
    rest_.remove_prefix(close + tag.size());
    return value;
  }

  std::optional<std::string> read_word() {
    std::string word;
    while (!rest_.empty() &&
           (is_word_start(rest_.front()) || is_digit(rest_.front()) || rest_.front() == '$')) {
      word += lower(rest_.front());
      rest_.remove_prefix(1);
    }
    const bool continues = !rest_.empty() && (static_cast<unsigned char>(rest_.front()) >= 0x80 ||
                                              rest_.front() == '\'' || rest_.front() == '&');
    if (continues || word.size() > kIdentifierMax || word == "default" || word == "interval")
      return {};
    return word;
  }

  /// As PostgreSQL prints its constant again: integers without leading zeros, which it would take
  /// for octal in a string; other numbers as they were written.
  std::optional<std::string> read_number() {
    std::string number;
    if (take('-')) {
      number += '-';
    } else {
      take('+');
    }
    skip_space();
    const size_t end = std::min(rest_.find_first_not_of("0123456789.eE+-"), rest_.size());
    std::string_view digits = rest_.substr(0, end);
    rest_.remove_prefix(end);
    if (!is_plain_number(digits)) return {};
    while (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1])) digits.remove_prefix(1);
    return number.append(digits);
  }

  /// Digits, perhaps a point and digits, perhaps an exponent.
  static bool is_plain_number(std::string_view rest) {
    const auto skip_digits = [](std::string_view& rest) {
      const size_t count = std::min(rest.find_first_not_of("0123456789"), rest.size());
      rest.remove_prefix(count);
      return count > 0;
    };
    if (!skip_digits(rest)) return false;
    if (rest.starts_with('.')) {
      rest.remove_prefix(1);
      if (!skip_digits(rest)) return false;
    }
    if (!rest.empty() && lower(rest.front()) == 'e') {
      rest.remove_prefix(1);
      if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
      if (!skip_digits(rest)) return false;
    }
    return rest.empty();
  }

  std::string_view rest_;
  TextRules rules_;
};

/// Whether PostgreSQL writes the name without quotes. It quotes key words too, which reads the
/// same.
bool needs_no_quotes(std::string_view name) {
  return !name.empty() && !is_digit(name.front()) && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_';
  });
}

void append_name(std::string& out, std::string_view name) {
  if (needs_no_quotes(name)) {
    out += name;
    return;
  }
  out += '"';
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace

Setting Setting::from_value(std::string_view value, std::string_view client_encoding) {
  if (value.find('\0') != std::string_view::npos) return unknown();
  if (is_ascii(value)) return Setting(std::string(value), {}, false);
  if (!is_encoding_name(client_encoding)) return unknown();
  return Setting(std::string(value), std::string(client_encoding), false);
}

Setting Setting::from_argument(std::string_view name, std::string_view argument, TextRules rules) {
  if (has_ascii_inside_characters(rules.client_encoding) && !is_ascii(argument)) return unknown();
  const auto items = ArgumentReader(argument, rules).items();
  if (!items) return unknown();
  return from_items(name, *items, rules.client_encoding);
}

Setting Setting::from_items(std::string_view name, std::span<const std::string> items,
                            std::string_view client_encoding) {
  const bool names = is_name_list(name);
  std::string value;
  for (const std::string& item : items) {
    if (&item != &items.front()) value += ", ";
    if (names) {
      append_name(value, item);
    } else {
      value += item;
    }
  }
  return from_value(value, client_encoding);
}

std::optional<std::vector<std::string>> split_name_list(std::string_view text) {
  std::vector<std::string> items;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string item;
    if (rest.front() == '"') {
      rest.remove_prefix(1);
      while (!rest.empty() && !(rest[0] == '"' && !rest.substr(1).starts_with('"'))) {
        item += rest[0];
        rest.remove_prefix(rest[0] == '"' ? 2 : 1);
      }
      if (rest.empty()) return {};
      rest.remove_prefix(1);
    } else {
      const size_t end = std::min(rest.find(','), rest.size());
      item = rest.substr(0, end);
      rest.remove_prefix(end);
    }
    items.push_back(std::move(item));
    if (rest.empty()) break;
    if (!rest.starts_with(", ")) return {};
    rest.remove_prefix(2);
  }
  if (items.empty() || !is_ascii(text)) return {};

  std::string again;
  for (const std::string& item : items) {
    if (&item != &items.front()) again += ", ";
    append_name(again, item);
  }
  if (again != text) return {};
  return items;
}

}  // namespace fairlead::core
