#include "core/open_files.h"

#include <algorithm>

namespace fairlead::core {

uint64_t files_kept_from_clients(uint64_t files_max) {
  return std::min(files_max / 8, kFilesKeptMax);
}

RoomForClient room_for_client(uint64_t descriptor, uint64_t files_max) {
  const uint64_t kept = files_kept_from_clients(files_max);
  if (descriptor < files_max - kept) return RoomForClient::kEnough;
  return descriptor < files_max - kept / 2 ? RoomForClient::kRefuse : RoomForClient::kRefuseUnheard;
}

}  // namespace fairlead::core
