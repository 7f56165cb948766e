// How deep the parse tree of a text can get, told from its tokens before anything recursive sees
// it.
#pragma once

#include <cstddef>
#include <string_view>

#include "sql/lexer.h"

namespace fairlead::sql {

/// An upper bound of the depth of the expression tree, in tokens: each level of a tree takes at
/// least one token that no comma separates from the level above it. Long lists ("IN (1, 2, ...)",
/// VALUES) cost nothing, long chains ("a + b + c ...", "NOT NOT ...", JOINs, UNIONs) and brackets
/// count. Stops counting above `limit`.
size_t nesting_bound(std::string_view text, LexOptions options, size_t limit);

}  // namespace fairlead::sql
