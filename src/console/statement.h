// What a text on the console says: SHOW, and the few statements that drivers send on their own.
//
// The console is no SQL: words, separated by blanks and comments, a semicolon between statements.
// Words are matched in any case. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "console/views.h"

namespace fairlead::console {

struct Statement {
  enum class Kind : uint8_t {
    kShow,
    kBegin,   // These three change nothing but the status that a driver expects: there are no
    kCommit,  // transactions here, and every SHOW tells of its own moment.
    kRollback,
    kSet,  // Of a setting that drivers send at the start; it means nothing here.
  };
  Kind kind = Kind::kShow;
  View view = View::kHelp;  // kShow.

  bool operator==(const Statement&) const = default;
};

/// How many statements one Query may hold; each is answered from a look of its own.
inline constexpr size_t kStatementsMax = 100;

/// The statements of `text`, in order; none for an empty one. Errors: kSyntaxError for what nobody
/// knows, with the nearest command and all of them in the hint; then none is to be carried out.
Result<std::vector<Statement>> parse(std::string_view text);

/// CommandComplete's word for it.
std::string_view tag_of(const Statement& statement);

}  // namespace fairlead::console
