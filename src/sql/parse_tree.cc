#include "sql/parse_tree.h"

#include <pg_query.h>

#include <charconv>
#include <cstring>
#include <memory>

namespace fairlead::sql {

// Reads libpg_query's JSON in place. Iterative: the depth of a tree is somebody else's input.
class ParseTree::Reader {
 public:
  Reader(std::vector<char>& json, std::vector<Node>& nodes)
      : at_(json.data()), end_(json.data() + json.size()), nodes_(nodes) {}

  bool read() {
    bool expects_value = true;
    std::string_view key;
    for (;;) {
      skip_space();
      if (at_ == end_) return open_.empty() && !expects_value && !nodes_.empty();
      if (expects_value) {
        if (!open_.empty() && nodes_[open_.back()].kind == Kind::kObject && !member_key(key))
          return false;
        if (!value(key)) return false;
        key = {};
        expects_value = opened_;
        continue;
      }
      if (open_.empty()) return false;  // Something behind the value.
      const char c = *at_++;
      if (c == ',') {
        expects_value = true;
      } else if (c == (nodes_[open_.back()].kind == Kind::kObject ? '}' : ']')) {
        close();
      } else {
        return false;
      }
    }
  }

 private:
  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
  }

  bool member_key(std::string_view& key) {
    if (*at_ != '"' || !string(key)) return false;
    skip_space();
    if (at_ == end_ || *at_ != ':') return false;
    ++at_;
    skip_space();
    return at_ != end_;
  }

  bool value(std::string_view key) {
    opened_ = false;
    Node node;
    node.key = key;
    node.parent = open_.empty() ? 0 : open_.back();
    const auto index = static_cast<uint32_t>(nodes_.size());
    node.end = index + 1;
    if (*at_ == '{' || *at_ == '[') {
      const char closing = *at_ == '{' ? '}' : ']';
      node.kind = *at_ == '{' ? Kind::kObject : Kind::kArray;
      nodes_.push_back(node);
      open_.push_back(index);
      ++at_;
      skip_space();
      if (at_ != end_ && *at_ == closing) {
        ++at_;
        close();
      } else {
        opened_ = true;
      }
      return true;
    }
    if (*at_ == '"') {
      node.kind = Kind::kString;
      if (!string(node.text)) return false;
    } else {
      const char* const begin = at_;
      while (at_ != end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && *at_ != ' ') ++at_;
      node.text = std::string_view(begin, at_);
      if (node.text.empty()) return false;
    }
    nodes_.push_back(node);
    return true;
  }

  void close() {
    nodes_[open_.back()].end = static_cast<uint32_t>(nodes_.size());
    open_.pop_back();
  }

  bool string(std::string_view& out) {
    char* to = ++at_;
    const char* const begin = to;
    while (at_ != end_ && *at_ != '"') {
      if (*at_ != '\\') {
        *to++ = *at_++;
      } else if (!escape(to)) {
        return false;
      }
    }
    if (at_ == end_) return false;
    ++at_;
    out = std::string_view(begin, to);
    return true;
  }

  bool escape(char*& to) {
    if (end_ - at_ < 2) return false;
    const char c = at_[1];
    at_ += 2;
    switch (c) {
      case 'b':
        *to++ = '\b';
        return true;
      case 'f':
        *to++ = '\f';
        return true;
      case 'n':
        *to++ = '\n';
        return true;
      case 'r':
        *to++ = '\r';
        return true;
      case 't':
        *to++ = '\t';
        return true;
      case 'u': {
        unsigned code = 0;
        if (end_ - at_ < 4) return false;
        const auto parsed = std::from_chars(at_, at_ + 4, code, 16);
        // libpg_query escapes ASCII bytes only, and copies all others.
        if (parsed.ptr != at_ + 4 || code > 0x7f) return false;
        at_ += 4;
        *to++ = static_cast<char>(code);
        return true;
      }
      default:
        *to++ = c;
        return true;
    }
  }

  char* at_;
  char* end_;
  std::vector<Node>& nodes_;
  std::vector<uint32_t> open_;
  bool opened_ = false;
};

Result<ParseTree> ParseTree::of(std::string_view text) {
  const std::string terminated(text);
  PgQueryParseResult result = pg_query_parse(terminated.c_str());
  ParseTree tree;
  std::string message;
  if (result.error != nullptr) {
    message = result.error->message != nullptr ? result.error->message : "syntax error";
  } else {
    const size_t size = std::strlen(result.parse_tree);
    tree.json_.assign(result.parse_tree, result.parse_tree + size);
  }
  const bool failed = result.error != nullptr;
  pg_query_free_parse_result(result);
  if (failed) return fail(ErrorCode::kSyntaxError, std::move(message));
  tree.nodes_.reserve(tree.json_.size() / 16);
  if (!Reader(tree.json_, tree.nodes_).read())
    return fail(ErrorCode::kInternal, "the parser's tree could not be read");
  return tree;
}

size_t ParseTree::member(size_t object, std::string_view key) const {
  for (size_t child = first(object); child != kNone; child = next(child))
    if (nodes_[child].key == key) return child;
  return kNone;
}

std::string_view ParseTree::text(size_t object, std::string_view key) const {
  const size_t found = member(object, key);
  return found == kNone ? std::string_view{} : nodes_[found].text;
}

int64_t ParseTree::number(size_t object, std::string_view key) const {
  const std::string_view digits = text(object, key);
  int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

size_t ParseTree::count(size_t index) const {
  size_t total = 0;
  for (size_t child = first(index); child != kNone; child = next(child)) ++total;
  return total;
}

}  // namespace fairlead::sql
