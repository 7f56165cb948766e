#include "sql/aliases.h"

#include <algorithm>
#include <array>
#include <vector>

namespace fairlead::sql {
namespace {

// SET SERVER ROLE TO 'x' ; and no more.
constexpr size_t kTokensMax = 6;

/// The text's tokens without comments and a closing semicolon; empty when there are more.
std::vector<Token> tokens_of(std::string_view text, LexOptions options) {
  std::vector<Token> tokens;
  Lexer lexer(text, options);
  for (Token token = lexer.next(); token.kind != TokenKind::kEnd; token = lexer.next()) {
    if (token.kind == TokenKind::kComment) continue;
    if (tokens.size() == kTokensMax || !token.terminated) return {};
    tokens.push_back(token);
  }
  if (!tokens.empty() && tokens.back().in(text) == ";") tokens.pop_back();
  return tokens;
}

bool are_words(std::string_view text, const std::vector<Token>& tokens,
               std::initializer_list<std::string_view> words) {
  size_t i = 0;
  return tokens.size() >= words.size() && std::ranges::all_of(words, [&](std::string_view word) {
           return is_word(text, tokens[i++], word);
         });
}

std::optional<std::string> set_role(std::string_view role) {
  struct Role {
    std::string_view theirs;
    std::string_view ours;
  };
  constexpr std::array<Role, 5> kRoles{{{"'primary'", "SET fairlead.route = 'primary'"},
                                        {"'replica'", "SET fairlead.route = 'replica'"},
                                        {"'any'", "SET fairlead.route = 'auto'"},
                                        {"'auto'", "SET fairlead.route = 'auto'"},
                                        {"'default'", "RESET fairlead.route"}}};
  for (const Role& known : kRoles)
    if (known.theirs == role) return std::string(known.ours);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> translate_command(std::string_view text, LexOptions options) {
  const std::vector<Token> tokens = tokens_of(text, options);
  if (tokens.size() == 3 && are_words(text, tokens, {"show", "server", "role"}))
    return "SHOW fairlead.route";
  if (tokens.size() != 5 || !are_words(text, tokens, {"set", "server", "role"})) return {};
  if (tokens[3].in(text) != "=" && !is_word(text, tokens[3], "to")) return {};
  return set_role(tokens[4].in(text));
}

std::string_view translate_setting(std::string_view name) {
  return name == "pgdog.role" ? "fairlead.route" : name;
}

}  // namespace fairlead::sql
