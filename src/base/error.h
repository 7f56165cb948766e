// Errors are values. Every expected failure below app/ is an Error in a Result; exceptions are for
// program start only.
//
// An Error says what went wrong (message), where and why (detail), and what to do next (hint), as
// PostgreSQL's own errors do, because that is how it reaches a client. One table maps each
// ErrorCode to its SQLSTATE.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace fairlead {

enum class ErrorCode : uint8_t {
  kProtocolViolation,       // 08P01  A peer broke the wire protocol.
  kConnectionFailure,       // 08006  A connection was lost, or could not be made.
  kUnknownOutcome,          // 08007  A commit was sent and its answer never came (E21).
  kFeatureNotSupported,     // 0A000
  kInvalidAuthorization,    // 28000
  kInvalidPassword,         // 28P01
  kInvalidCatalogName,      // 3D000  No such database.
  kSyntaxError,             // 42601
  kUndefinedObject,         // 42704  Unknown setting.
  kInvalidParameterValue,   // 22023
  kInvalidText,             // 22021  Bytes that the client's encoding does not allow.
  kInvalidStatementName,    // 26000  No such prepared statement.
  kDuplicateStatement,      // 42P05  A prepared statement of that name exists.
  kReadOnlyTransaction,     // 25006
  kTooManyConnections,      // 53300  No server came free in time, or too many clients.
  kLimitExceeded,           // 54000  One of Fairlead's named limits.
  kQueryCanceled,           // 57014
  kAdminShutdown,           // 57P01
  kCannotConnectNow,        // 57P03  No node can serve this now.
  kNotInPrerequisiteState,  // 55000  What the statement asks for does not exist yet in this
                            // session.
  kInFailedTransaction,     // 25P02
  kIdleInTransaction,       // 25P03
  kConfig,                  // F0000  The configuration is wrong.
  kIo,                      // 58030  A file, a process or the operating system.
  kInternal,                // XX000
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string detail = {};
  std::string hint = {};

  bool operator==(const Error&) const = default;
};

template <class T>
using Result = std::expected<T, Error>;

/// The five characters that PostgreSQL's clients know an error by.
std::string_view sqlstate(ErrorCode code);

/// "message (detail) hint: hint", in one line, for logs and terminals.
std::string describe(const Error& error);

/// Shorthand: `return fail(ErrorCode::kConfig, "...")` from any function that returns a Result.
inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string detail = {},
                                   std::string hint = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(detail), std::move(hint)});
}

}  // namespace fairlead
