// PostgreSQL's raw parse tree of one text, flattened. The only file that knows libpg_query is
// parse_tree.cc.
//
// libpg_query's JSON is taken rather than its protobuf form: encoding and decoding the latter costs
// five to eight times the parse itself (30 us against 4 us for a small SELECT), and the JSON needs
// no further library. All values lie in one array in the order of the text (parent before child),
// so that "every node at any depth" is a plain loop, without recursion, and no field can be
// forgotten.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace fairlead::sql {

class ParseTree {
 public:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  enum class Kind : uint8_t {
    kObject,
    kArray,
    kString,
    kScalar
  };  // kScalar: number, true, null ...

  struct Node {
    std::string_view
        key;  // Of the member of an object; empty in an array. A capital letter starts a node type.
    std::string_view text;  // kString, decoded, and kScalar.
    Kind kind = Kind::kScalar;
    uint32_t end = 0;  // Index after the last descendant.
    uint32_t parent = 0;
  };

  /// Parses with PostgreSQL 15's grammar. kSyntaxError carries PostgreSQL's message. The caller has
  /// bounded the text's size and nesting (classify.h): libpg_query recurses over the tree.
  static Result<ParseTree> of(std::string_view text);

  const Node& operator[](size_t index) const { return nodes_[index]; }
  size_t size() const { return nodes_.size(); }
  std::string_view key(size_t index) const { return nodes_[index].key; }

  /// The member `key` of an object, or kNone. kNone in, kNone out, so that paths can be chained.
  size_t member(size_t object, std::string_view key) const;
  /// The decoded text of a member, empty when it is absent.
  std::string_view text(size_t object, std::string_view key) const;
  /// Whether a member is true. libpg_query leaves false ones out.
  bool flag(size_t object, std::string_view key) const { return text(object, key) == "true"; }
  /// A whole number; absent is 0, as libpg_query leaves zeros out.
  int64_t number(size_t object, std::string_view key) const;

  /// Children in order: for (size_t c = first(i); c != kNone; c = next(c)).
  size_t first(size_t index) const {
    return index != kNone && index + 1 < nodes_[index].end ? index + 1 : kNone;
  }
  size_t next(size_t child) const {
    const size_t after = nodes_[child].end;
    return after < nodes_[nodes_[child].parent].end ? after : kNone;
  }
  size_t count(size_t index) const;

 private:
  class Reader;
  std::vector<char> json_;  // Decoded in place; never resized, because the nodes point into it.
  std::vector<Node> nodes_;
};

}  // namespace fairlead::sql
