// What the source of a function tells about the session that calls it (C4): whether it may leave
// something behind that outlives its transaction, and which names stand in it, because one of them
// may be of a function or a table that does. Pure.
//
// It reads words, not statements: a word too many costs a check of the server, a word too few would
// give one client's settings to another.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::sql {

/// A call of one of PostgreSQL's own by this name may change what outlives the transaction, or runs
/// SQL that its caller hands over.
bool is_session_builtin(std::string_view name);

struct SourceWords {
  bool changes_session = false;         // By a call of PostgreSQL's own.
  bool may_run_anything = false;        // By a command: SET, LISTEN, CREATE, or EXECUTE of a text.
  std::vector<std::string> names = {};  // Operators, too; in lower case, sorted, unique.
};

/// Of a function in SQL or PL/pgSQL. What may_run_anything tells of, PostgreSQL itself refuses to
/// functions that are not VOLATILE.
SourceWords read_source(std::string_view source);

}  // namespace fairlead::sql
