// How each type of member is read from a Value, printed as TOML and named; and declare<>(), which
// makes a row of the key table from a member pointer.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/document.h"
#include "config/enum_names.h"
#include "config/keys.h"

namespace fairlead::config {

// Readers: `out` changes only on success. Bounds are checked here where the key has some.
Result<void> read_field(const Key& key, const Value& value, bool& out);
Result<void> read_field(const Key& key, const Value& value, uint16_t& out);
Result<void> read_field(const Key& key, const Value& value, uint32_t& out);
Result<void> read_field(const Key& key, const Value& value, Duration& out);
Result<void> read_field(const Key& key, const Value& value, Bytes& out);
Result<void> read_field(const Key& key, const Value& value, std::string& out);
Result<void> read_field(const Key& key, const Value& value, Secret& out);
Result<void> read_field(const Key& key, const Value& value, std::vector<std::string>& out);
Result<void> read_field(const Key& key, const Value& value, std::vector<NodeAddress>& out);

/// The string of a value that has to be one; `usage` says what to write.
Result<std::string_view> text_of(const Value& value, std::string_view usage);
/// "one of these was meant": the error for a word that is not in `words`.
Error unknown_word(std::string_view word, const std::vector<std::string_view>& words);

std::string print_field(bool value);
std::string print_field(uint16_t value);
std::string print_field(uint32_t value);
std::string print_field(Duration value);
std::string print_field(Bytes value);
std::string print_field(const std::string& value);
std::string print_field(const Secret& value);
std::string print_field(const std::vector<std::string>& value);
std::string print_field(const std::vector<NodeAddress>& value);

/// A TOML basic string, quoted and escaped.
std::string quoted(std::string_view text);

template <class E>
std::vector<std::string_view> words_list() {
  std::vector<std::string_view> words;
  for (const auto& [enumerator, word] : words_of<E>()) words.push_back(word);
  return words;
}

template <class E>
  requires std::is_enum_v<E>
Result<void> read_field(const Key&, const Value& value, E& out) {
  const auto text = text_of(value, "write a word in quotes");
  if (!text) return std::unexpected(text.error());
  for (const auto& [enumerator, word] : words_of<E>()) {
    if (word != *text) continue;
    out = enumerator;
    return {};
  }
  return std::unexpected(unknown_word(*text, words_list<E>()));
}

/// An empty text is no word.
template <class E>
  requires std::is_enum_v<E>
Result<void> read_field(const Key& key, const Value& value, std::optional<E>& out) {
  if (const auto text = text_of(value, "write a word in quotes"); text && text->empty()) {
    out.reset();
    return {};
  }
  E word{};
  if (auto read = read_field(key, value, word); !read) return read;
  out = word;
  return {};
}

/// The texts of a value that has to be a list: as TOML has it, or one text with commas.
Result<std::vector<std::string>> list_of(const Key& key, const Value& value);

template <class E>
  requires std::is_enum_v<E>
Result<void> read_field(const Key& key, const Value& value, std::vector<E>& out) {
  const auto list = list_of(key, value);
  if (!list) return std::unexpected(list.error());
  std::vector<E> words(list->size());
  for (size_t i = 0; i < words.size(); ++i) {
    if (auto read = read_field(key, Text{(*list)[i]}, words[i]); !read) return read;
  }
  out = std::move(words);
  return {};
}

template <class T>
constexpr bool is_optional_word = false;
template <class E>
constexpr bool is_optional_word<std::optional<E>> = std::is_enum_v<E>;

template <class T>
constexpr bool is_word_list = false;
template <class E>
constexpr bool is_word_list<std::vector<E>> = std::is_enum_v<E>;

template <class T>
constexpr std::string_view type_name() {
  if constexpr (is_word_list<T>) return "list of words";
  if constexpr (std::is_enum_v<T> || is_optional_word<T>) return "word";
  if constexpr (std::is_same_v<T, bool>) return "true or false";
  if constexpr (std::is_same_v<T, uint16_t>) return "port";
  if constexpr (std::is_same_v<T, uint32_t>) return "number";
  if constexpr (std::is_same_v<T, Duration>) return "duration";
  if constexpr (std::is_same_v<T, Bytes>) return "size";
  if constexpr (std::is_same_v<T, std::string>) return "text";
  if constexpr (std::is_same_v<T, Secret>) return "secret";
  if constexpr (std::is_same_v<T, std::vector<std::string>>) return "list of texts";
  if constexpr (std::is_same_v<T, std::vector<NodeAddress>>) return "list of host:port";
}

template <class Owner, class T>
struct MemberOf {
  using Section = Owner;
  using Type = T;
};
template <class Owner, class T>
MemberOf<Owner, T> member_of(T Owner::*);

template <auto Member>
Result<void> read_member(const Key& key, const Value& value, SectionRef section) {
  using Owner = typename decltype(member_of(Member))::Section;
  return read_field(key, value, std::get<Owner*>(section)->*Member);
}

template <auto Member>
void copy_member(ConstSectionRef from, SectionRef to) {
  using Owner = typename decltype(member_of(Member))::Section;
  std::get<Owner*>(to)->*Member = std::get<const Owner*>(from)->*Member;
}

template <auto Member>
std::string print_member(ConstSectionRef section) {
  using Traits = decltype(member_of(Member));
  const auto& value = std::get<const typename Traits::Section*>(section)->*Member;
  if constexpr (std::is_enum_v<typename Traits::Type>) {
    return quoted(word_of(value));
  } else if constexpr (is_optional_word<typename Traits::Type>) {
    return quoted(value ? word_of(*value) : std::string_view{});
  } else if constexpr (is_word_list<typename Traits::Type>) {
    std::vector<std::string> words;
    for (const auto word : value) words.emplace_back(word_of(word));
    return print_field(words);
  } else {
    return print_field(value);
  }
}

template <auto Member>
const std::string* text_member(ConstSectionRef section) {
  using Owner = typename decltype(member_of(Member))::Section;
  return &(std::get<const Owner*>(section)->*Member);
}

template <class T>
std::string print_bound(int64_t bound) {
  if constexpr (std::is_same_v<T, Duration>) {
    return to_string(Duration(bound));
  } else if constexpr (std::is_same_v<T, Bytes>) {
    return Bytes{static_cast<uint64_t>(bound)}.to_string();
  } else {
    return std::to_string(bound);
  }
}

/// Completes a row that has its words, bounds and marks with what the member's type knows.
template <auto Member>
constexpr Key declare(Key row) {
  using T = typename decltype(member_of(Member))::Type;
  row.type = type_name<T>();
  row.read = read_member<Member>;
  row.copy = copy_member<Member>;
  row.print = print_member<Member>;
  row.print_bound = print_bound<T>;
  if constexpr (std::is_enum_v<T>) row.words = words_list<T>;
  if constexpr (is_optional_word<T> || is_word_list<T>)
    row.words = words_list<typename T::value_type>;
  if constexpr (std::is_same_v<T, std::string>) row.text = text_member<Member>;
  return row;
}

constexpr int64_t us(Duration duration) { return duration.count(); }

}  // namespace fairlead::config
