#include "core/cancel_key.h"

#include <cstring>

#include "base/assert.h"

namespace fairlead::core {

namespace {

constexpr uint32_t kSlotBits = 25;
static_assert(kWorkersMax <= 1u << (31 - kSlotBits));

}  // namespace

// The slot is counted from 1, so that the number is never 0, which no process has.
uint32_t to_process_id(SessionAddress address) {
  auto worker = static_cast<uint32_t>(address.worker);
  auto slot = static_cast<uint32_t>(address.slot);
  require(worker < kWorkersMax, "a worker's number fits into a process id");
  require(slot < kSessionSlotsMax, "a session's slot fits into a process id");
  return worker << kSlotBits | (slot + 1);
}

std::optional<SessionAddress> from_process_id(uint32_t process_id) {
  uint32_t slot = process_id & kSessionSlotsMax;
  uint32_t worker = process_id >> kSlotBits;
  if (slot == 0 || worker >= kWorkersMax) return std::nullopt;
  return SessionAddress{WorkerId{static_cast<uint16_t>(worker)}, SessionSlot{slot - 1}};
}

CancelKey::CancelKey(SessionAddress address, uint32_t protocol_minor,
                     std::span<const std::byte, kSecretLong> random)
    : process_id_(to_process_id(address)),
      length_(protocol_minor >= 2 ? kSecretLong : kSecretShort) {
  std::memcpy(secret_.data(), random.data(), length_);
}

bool CancelKey::matches(const CancelClaim& claim) const {
  // The length is no secret: it follows from the protocol version.
  if (length_ == 0 || claim.secret.size() != length_) return false;
  // volatile: the compiler must not leave the loop at the first difference.
  volatile uint32_t difference = claim.process_id ^ process_id_;
  for (size_t i = 0; i < length_; ++i)
    difference = difference | static_cast<unsigned char>(claim.secret[i] ^ secret_[i]);
  return difference == 0;
}

}  // namespace fairlead::core
