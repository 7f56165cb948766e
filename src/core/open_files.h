// How the open files that a process may have are shared out: clients may not take the last ones,
// because servers and probes are opened for those who are in already. A proxy that cannot open a
// socket any more takes healthy nodes for dead ones.
//
// Pure; what the limit is, net/open_files asks.
#pragma once

#include <cstdint>

namespace fairlead::core {

/// Of `files_max` open files: those that clients may not have. An eighth, and not more than pools
/// open at a time when many of them begin together.
inline constexpr uint64_t kFilesKeptMax = 256;
uint64_t files_kept_from_clients(uint64_t files_max);

enum class RoomForClient : uint8_t {
  kEnough,
  kRefuse,         // One too many, who is told so in a way that it understands.
  kRefuseUnheard,  // Those who are being told take half of what is kept: this one is told at once.
};

/// For a client whose socket is `descriptor`. The system gives the lowest number that is free, so
/// that it says how many are taken.
RoomForClient room_for_client(uint64_t descriptor, uint64_t files_max);

}  // namespace fairlead::core
