// The key that a client gets in BackendKeyData and shows again to cancel a statement (F2, F40).
//
// The process id is not one: it says which worker has the session and in which slot, so that any
// worker that receives a CancelRequest finds the session without a shared table. The secret is
// random and is what protects the session; a slot is used again, its secret is not.
//
// Pure: random bytes are passed in, and must come from the operating system's generator.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/pool_worker.h"

namespace fairlead::core {

/// A session's place in its worker's table.
enum class SessionSlot : uint32_t {};

/// Process ids are positive 32-bit numbers for drivers: 6 bits of worker (kWorkersMax), 25 of slot.
inline constexpr uint32_t kSessionSlotsMax = (1u << 25) - 1;

struct SessionAddress {
  WorkerId worker{};
  SessionSlot slot{};
  bool operator==(const SessionAddress&) const = default;
};

/// 1 … 2^31-1. `worker` < kWorkersMax and `slot` < kSessionSlotsMax.
uint32_t to_process_id(SessionAddress address);
/// nullopt for numbers that to_process_id() never makes.
std::optional<SessionAddress> from_process_id(uint32_t process_id);

/// What a CancelRequest carries after its code. The secret points into the message.
struct CancelClaim {
  uint32_t process_id = 0;
  std::string_view secret;
};

class CancelKey {
 public:
  static constexpr size_t kSecretShort = 4;  // Protocol 3.0: exactly.
  static constexpr size_t kSecretLong = 32;  // Protocol 3.2: as many as PostgreSQL sends.

  CancelKey() = default;  // Matches nothing.
  /// `protocol_minor` as negotiated with this client. Short secrets use the first four bytes.
  CancelKey(SessionAddress address, uint32_t protocol_minor,
            std::span<const std::byte, kSecretLong> random);

  uint32_t process_id() const { return process_id_; }
  std::string_view secret() const { return {secret_.data(), length_}; }

  /// Takes the same time wherever a secret of the right length differs (F40).
  bool matches(const CancelClaim& claim) const;

 private:
  uint32_t process_id_ = 0;
  uint8_t length_ = 0;
  std::array<char, kSecretLong> secret_{};
};

}  // namespace fairlead::core
