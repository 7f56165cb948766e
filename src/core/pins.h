// Why a client keeps its server beyond the transaction (C13-C23), and when that ends.
//
// Syntax alone tells only that a statement MAY have created or ended such state: a lock is taken or
// not, a table is dropped on commit, a function does what it likes. So syntax over-approximates,
// and at the boundary the server itself is asked, by one query, what it holds. The answer is exact.
//
// Pure; one per client, on its worker's thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace fairlead::core {

enum class PinReason : uint8_t {
  kListen,          // C16
  kHoldCursor,      // C14
  kAdvisoryLock,    // C15
  kTempObject,      // C13
  kSqlPrepare,      // C17, where it was not rewritten
  kSequence,        // C18: currval() and lastval() have an answer.
  kLibrary,         // C20: LOAD.
  kSessionState,    // C4 in strict mode: something that cannot be seen may have changed.
  kReplication,     // C21
  kSessionPooling,  // pool_mode = "session".
};
inline constexpr uint8_t kPinReasonCount = 10;

/// The word in SHOW PINS, metrics and the ledger.
std::string_view name_of(PinReason reason);
/// What holds the server, and what ends it, for people.
std::string_view sentence_of(PinReason reason);

class PinReasons {
 public:
  constexpr PinReasons() = default;
  constexpr PinReasons(std::initializer_list<PinReason> reasons) {
    for (const PinReason reason : reasons) bits_ |= bit(reason);
  }

  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool has(PinReason reason) const { return (bits_ & bit(reason)) != 0; }
  constexpr bool has_all(PinReasons others) const { return (bits_ & others.bits_) == others.bits_; }
  constexpr PinReasons operator|(PinReasons other) const { return from(bits_ | other.bits_); }
  constexpr PinReasons operator&(PinReasons other) const { return from(bits_ & other.bits_); }
  constexpr PinReasons operator-(PinReasons other) const { return from(bits_ & ~other.bits_); }
  constexpr bool operator==(const PinReasons&) const = default;

 private:
  static constexpr uint16_t bit(PinReason reason) {
    return static_cast<uint16_t>(1u << static_cast<unsigned>(reason));
  }
  static constexpr PinReasons from(int bits) {
    PinReasons reasons;
    reasons.bits_ = static_cast<uint16_t>(bits);
    return reasons;
  }
  uint16_t bits_ = 0;
};

/// "listen, temp_object".
std::string to_string(PinReasons reasons);

/// What the server can be asked about; the others are the caller's to set and to end.
inline constexpr PinReasons kVerifiablePins{PinReason::kListen, PinReason::kHoldCursor,
                                            PinReason::kAdvisoryLock, PinReason::kTempObject,
                                            PinReason::kSqlPrepare};

/// What to do with the server at a boundary.
enum class ReleaseAction : uint8_t {
  kReuse,  // Nothing to keep and nothing to clean.
  kKeep,   // The client keeps it.
  kCheck,  // Ask check_query(suspects()), then on_check(), then ask again.
  kReset,  // Run kResetSettings, then on_server_left() (C4, C23).
};

class PinState {
 public:
  /// A statement was sent that may do so. Only verifiable reasons count.
  void may_create(PinReasons reasons);
  void may_release(PinReasons reasons);
  /// A statement was sent whose side effects cannot be seen: DO, CALL, an unknown function (C4).
  void on_opaque();

  /// Reasons that the caller knows for certain. pin() of a verifiable one lasts until a check.
  void pin(PinReason reason);
  void unpin(PinReason reason);

  /// Call with nothing outstanding and status I.
  ReleaseAction at_boundary() const;
  /// What the check has to ask about.
  PinReasons suspects() const;
  /// What the check found, of what was asked.
  void on_check(PinReasons found);
  /// DISCARD ALL of the client was confirmed. A library stays loaded.
  void on_discard_all();
  /// The same, with more sent behind it: what that may create is still to be checked.
  void on_discard_all_amid();
  /// The server was cleaned, given up or lost: the client holds nothing any more.
  void on_server_left();

  PinReasons reasons() const { return pinned_; }
  /// Something unseen may have changed on the server since it was last clean.
  bool dirty() const { return dirty_; }

 private:
  PinReasons pinned_;
  PinReasons maybe_created_;  // Since the last check, as the next one; verifiable ones only.
  PinReasons maybe_released_;
  bool dirty_ = false;
};

/// Makes a server that a check has found to hold nothing clean of settings and sequences, and gives
/// random() a seed that nobody has chosen (C19); its prepared statements survive (C4). One simple
/// Query.
inline constexpr std::string_view kResetSettings =
    "RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL;DISCARD SEQUENCES;"
    "SELECT pg_catalog.setseed(pg_catalog.hashtext(pg_catalog.gen_random_uuid()::pg_catalog.text)"
    " OPERATOR(pg_catalog./) 2147483648::pg_catalog.float8)";
/// Makes it clean of all that a session can hold (C23), prepared statements too. It must not be in
/// a transaction.
inline constexpr std::string_view kDiscardAll = "DISCARD ALL";

/// One row, one boolean column for each of kVerifiablePins in the order of the enum; those not in
/// `ask` are constants, because pg_locks is not free. Then, if kSqlPrepare is among them, the
/// number of statements that the server has under names of Fairlead's: a function may have dropped
/// them. PostgreSQL 13 to 19, every role, every search_path. To be run outside a transaction: then
/// advisory locks can only be session-level.
std::string check_query(PinReasons ask);

struct PinCheck {
  PinReasons found;
  std::optional<size_t> statements;  // Of Fairlead's; nullopt: not asked.

  bool operator==(const PinCheck&) const = default;
};

/// Reads that row, as text: 't' or 'f' each, and a number or nothing. Anything else is
/// kProtocolViolation: close the server.
Result<PinCheck> parse_check_row(std::span<const std::string_view> columns);

}  // namespace fairlead::core
