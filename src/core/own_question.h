// A question of Fairlead's own on a leased server, invisible to the client (F32): its kind, and
// what the server answered.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "wire/frame.h"

namespace fairlead::core {

class OwnQuestion {
 public:
  enum class Kind : uint8_t {
    kReplay,         // Gives the server the client's settings (C3).
    kFollowUp,       // RESET went to the server's own default: gives it the client's (C24).
    kReadBack,       // Asks for settings that only the server knows.
    kPinCheck,       // Asks what holds the client to the server.
    kReset,          // Settings that may have been changed unseen go back to their defaults (C4).
    kBegin,          // Tells of the client's transaction (B30).
    kLeave,          // The transaction goes on elsewhere: ends it here (B35).
    kRollback,       // The client left in a transaction (C25).
    kDiscardAll,     // The client left, and held something (C23).
    kSequenceLocks,  // Whether the open transaction has taken numbers of its own (C18).
    kDiscardSequences,  // Takes away those that others have left (C18).
  };

  explicit OwnQuestion(Kind kind) : kind_(kind) {}

  Kind kind() const { return kind_; }
  /// One message of the answer, or a piece of one; ReadyForQuery ends it.
  void take(const wire::Piece& piece);
  bool failed() const { return error_.has_value(); }
  const std::optional<Error>& error() const { return error_; }
  /// The values of the first row; empty if there was none.
  const std::vector<std::optional<std::string>>& row() const { return row_; }

 private:
  // Of what is asked nothing is larger: all the settings that a session may have (VariableLimits).
  static constexpr size_t kMessageMax = size_t{8} << 20;

  void take_message(char type, std::string_view body);

  Kind kind_;
  std::string pieces_;  // Of a message that comes in several.
  std::optional<Error> error_;
  std::vector<std::optional<std::string>> row_;
};

}  // namespace fairlead::core
