// Reading synchronous_standby_names.
#include "cluster/standby_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/ascii.h"

namespace fairlead::cluster {

namespace {

struct Word {
  std::string text;  // In small letters; of one in quotes what stands between them.
  bool quoted = false;

  bool is(std::string_view plain) const { return !quoted && text == plain; }
};

/// Nothing at a quote that is not closed.
std::optional<std::vector<Word>> words_of(std::string_view in) {
  std::vector<Word> out;
  for (size_t i = 0; i < in.size();) {
    if (in[i] == ' ' || in[i] == '\t' || in[i] == '\n' || in[i] == '\r') {
      ++i;
    } else if (in[i] == '"') {
      Word word{"", true};
      for (++i; i < in.size() && (in[i] != '"' || in.substr(i).starts_with("\"\"")); ++i) {
        word.text += lower(in[i]);
        i += in[i] == '"' ? 1 : 0;
      }
      if (i == in.size()) return std::nullopt;
      ++i;
      out.push_back(std::move(word));
    } else if (std::string_view("(),*").contains(in[i])) {
      out.push_back({std::string(1, in[i++]), false});
    } else {
      const size_t end = std::min(in.find_first_of(" \t\n\r\"(),*", i), in.size());
      out.push_back({lower(in.substr(i, end - i)), false});
      i = end;
    }
  }
  return out;
}

uint32_t number_or_0(const Word& word) {
  uint32_t value = 0;
  const char* end = word.text.data() + word.text.size();
  const auto [stop, error] = std::from_chars(word.text.data(), end, value);
  return error == std::errc() && stop == end && !word.quoted ? value : 0;
}

/// "a, b" up to the end.
bool take_names(const std::vector<Word>& words, size_t begin, size_t end, StandbyList& list) {
  if (begin >= end || (end - begin) % 2 == 0) return false;
  for (size_t i = begin; i < end; ++i) {
    const bool comma = words[i].is(",");
    if (comma != ((i - begin) % 2 == 1) || words[i].is("(") || words[i].is(")")) return false;
    if (comma) continue;
    if (words[i].is("*"))
      list.everyone = true;
    else
      list.names.push_back(words[i].text);
  }
  return true;
}

}  // namespace

bool StandbyList::lists(std::string_view name) const {
  return everyone || std::ranges::find(names, lower(name)) != names.end();
}

Result<StandbyList> parse_standby_names(std::string_view setting) {
  const auto bad = [&] {
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("synchronous_standby_names is not readable: {}", setting));
  };
  const auto words = words_of(setting);
  if (!words) return bad();
  StandbyList list;
  if (words->empty()) return list;
  list.rule = {SyncRule::Method::kFirst, 1};
  size_t next = 0;
  const auto opens_at = [&](size_t at) { return at < words->size() && (*words)[at].is("("); };
  if (((*words)[0].is("any") || (*words)[0].is("first")) && opens_at(2)) {
    if ((*words)[0].is("any")) list.rule.method = SyncRule::Method::kAny;
    next = 1;
  }
  if (!opens_at(next + 1)) {
    if (!take_names(*words, 0, words->size(), list)) return bad();
    return list;
  }
  list.rule.count = number_or_0((*words)[next]);
  if (list.rule.count == 0 || !words->back().is(")") ||
      !take_names(*words, next + 2, words->size() - 1, list))
    return bad();
  return list;
}

}  // namespace fairlead::cluster
