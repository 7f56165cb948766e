#include "base/error.h"

#include "base/assert.h"

namespace fairlead {

std::string_view sqlstate(ErrorCode code) {
  switch (code) {
    case ErrorCode::kProtocolViolation:
      return "08P01";
    case ErrorCode::kConnectionFailure:
      return "08006";
    case ErrorCode::kUnknownOutcome:
      return "08007";
    case ErrorCode::kFeatureNotSupported:
      return "0A000";
    case ErrorCode::kInvalidAuthorization:
      return "28000";
    case ErrorCode::kInvalidPassword:
      return "28P01";
    case ErrorCode::kInvalidCatalogName:
      return "3D000";
    case ErrorCode::kSyntaxError:
      return "42601";
    case ErrorCode::kUndefinedObject:
      return "42704";
    case ErrorCode::kInvalidParameterValue:
      return "22023";
    case ErrorCode::kInvalidText:
      return "22021";
    case ErrorCode::kInvalidStatementName:
      return "26000";
    case ErrorCode::kDuplicateStatement:
      return "42P05";
    case ErrorCode::kReadOnlyTransaction:
      return "25006";
    case ErrorCode::kTooManyConnections:
      return "53300";
    case ErrorCode::kLimitExceeded:
      return "54000";
    case ErrorCode::kQueryCanceled:
      return "57014";
    case ErrorCode::kAdminShutdown:
      return "57P01";
    case ErrorCode::kCannotConnectNow:
      return "57P03";
    case ErrorCode::kNotInPrerequisiteState:
      return "55000";
    case ErrorCode::kInFailedTransaction:
      return "25P02";
    case ErrorCode::kIdleInTransaction:
      return "25P03";
    case ErrorCode::kConfig:
      return "F0000";
    case ErrorCode::kIo:
      return "58030";
    case ErrorCode::kInternal:
      return "XX000";
  }
  unreachable("an ErrorCode without a SQLSTATE");
}

std::string describe(const Error& error) {
  std::string text = error.message;
  if (!error.detail.empty()) text += " (" + error.detail + ")";
  if (!error.hint.empty()) text += (text.ends_with('.') ? " Hint: " : ". Hint: ") + error.hint;
  return text;
}

}  // namespace fairlead
