// The few statements that a SimServer understands, read from their text. Enough to have every kind
// of effect that a session must follow; texts are chosen so that libpg_query understands them too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::sim {

struct SimStatement {
  enum class Kind : uint8_t {
    kEmpty,
    kSelect,           // select 'text': `text`.
    kSelectParameter,  // select $1
    kFail,             // select 1/0
    kInsert,
    kShow,  // `name`
    kSet,   // `name`, `text`
    kSetLocal,
    kReset,
    kResetAll,
    kDiscardAll,
    kNothing,        // Done and forgotten: `tag`.
    kBegin,          // `tag`
    kBeginReadOnly,  // `tag`
    kSetReadOnly,
    kCommit,
    kRollback,
    kSavepoint,  // `name`
    kRollbackTo,
    kCopyIn,
    kCopyInBad,  // Its first row is refused, while the client may still send others.
    kCopyOut,
    kListen,
    kUnlisten,
    kPrepare,  // `name`, `text`: the body.
    kExecute,
    kDeallocate,
    kDeallocateAll,
    kPinCheck,  // `text`: the whole statement.
    kSyntaxError,
  };
  Kind kind = Kind::kEmpty;
  std::string name = {};
  std::string text = {};
  std::string tag = {};
};

/// One statement, without its semicolon.
SimStatement read_statement(std::string_view sql);

/// All statements of a Query's text.
std::vector<SimStatement> read_statements(std::string_view sql);

}  // namespace fairlead::sim
