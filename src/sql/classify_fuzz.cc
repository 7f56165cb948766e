// classify() over any bytes: it never fails, and the cache answers as it does. Two texts that lose
// their literals to the same shape must have been worth the same facts.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "sql/classify.h"
#include "sql/functions.h"
#include "sql/shape_cache.h"

namespace fairlead::sql {
namespace {

void check_consistent(const QueryFacts& facts) {
  const bool read = facts.reason == Reason::kRead || facts.reason == Reason::kEmpty;
  require(read == (facts.access == Access::kRead), "a reason and an access go together");
  require(facts.empty() == (facts.reason == Reason::kEmpty), "only nothing is empty");
  require(decide(facts, nullptr).access == Access::kPrimary || facts.functions.empty(),
          "nothing is proven without a catalog");
}

void check_ranges(const QueryFacts& facts, size_t size) {
  for (const PreparedCommand& command : facts.prepared) {
    require(command.name_begin <= command.name_end && command.name_end <= size, "a name's range");
    require(command.body_begin <= command.body_end && command.body_end <= size, "a body's range");
  }
}

// Every literal becomes another one of its kind: the facts that the cache would share must not
// change.
std::string with_other_literals(std::string_view text) {
  std::string other;
  Lexer lexer(text);
  size_t end = 0;
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    other += text.substr(end, token.begin - end);
    end = token.end;
    if (token.kind == TokenKind::kDollarString)
      other += "$other$;$other$";
    else if (token.kind == TokenKind::kString && text[token.begin] == '\'')
      other += "'other'";
    else if (token.kind == TokenKind::kNumber &&
             token.in(text).find_first_not_of("0123456789") == std::string_view::npos)
      other += "1";
    else
      other += token.in(text);
  }
  return other + std::string(text.substr(end));
}

void check_shape_decides(std::string_view text, const QueryFacts& facts) {
  const std::string other = with_other_literals(text);
  Shape one;
  Shape two;
  make_shape(text, {}, LiteralPolicy::kKeepInUtility, one);
  make_shape(other, {}, LiteralPolicy::kKeepInUtility, two);
  if (one.has_utility || !one.terminated || one.text() != two.text()) return;
  const QueryFacts others = classify(other);
  if (facts.reason == Reason::kParseError || others.reason == Reason::kParseError) return;
  if (facts.reason == Reason::kTooLarge || others.reason == Reason::kTooLarge) return;
  require(facts.reason == others.reason && facts.functions == others.functions &&
              facts.relations == others.relations && facts.attributes == others.attributes &&
              facts.pins == others.pins && facts.statements == others.statements,
          "facts do not depend on literals");
}

}  // namespace
}  // namespace fairlead::sql

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fairlead::sql;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const QueryFacts facts = classify(text);
  check_consistent(facts);
  check_ranges(facts, text.size());
  check_shape_decides(text, facts);
  if (facts.calls_set_config)
    fairlead::require(!extract_set_config(text).empty(), "a seen call is found again");
  classify(text, {.standard_conforming_strings = false});

  ShapeCache cache;
  for (int round = 0; round < 2; ++round) {
    const auto& entry = cache.find(text);
    fairlead::require(entry.facts->reason == facts.reason, "the cache says what classify() says");
    fairlead::require(entry.facts->functions == facts.functions, "and names the same functions");
  }
  return 0;
}
