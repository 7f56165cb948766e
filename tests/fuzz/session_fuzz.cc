// The session's state machine: the fuzzer's bytes decide what clients send, in what pieces bytes
// arrive, who runs next and which server dies; each client's answers must be those of a server of
// its own (tests/sim).
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "sim/session_world.h"

namespace fairlead::sim {
namespace {

/// The first byte says in which world; nobody can tell deaths from cancels in the other's answers.
WorldConfig world_of(uint8_t byte) {
  WorldConfig config{.clients = 1 + byte % 4U,
                     .primaries = 1 + (byte >> 2) % 2U,
                     .replicas = 1 + (byte >> 3) % 2U};
  switch (byte >> 6) {
    case 1:
      config.with_deaths = true;
      break;
    case 2:
      config.with_cancels = true;
      break;
    case 3:
      config.only_reads = true;
      break;
    default:
      break;
  }
  return config;
}

}  // namespace
}  // namespace fairlead::sim

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fairlead::sim;
  // Longer lives find nothing that several short ones would not, and cost the fuzzer its speed.
  constexpr size_t kChoicesMax = 4096;
  if (size == 0) return 0;
  const std::span<const uint8_t> bytes(data + 1, std::min(size - 1, kChoicesMax));
  ByteChoices choices(bytes);
  const std::string wrong = SessionWorld(choices, world_of(data[0])).run();
  if (!wrong.empty()) {
    std::fprintf(stderr, "%s\n", wrong.c_str());
    std::abort();
  }
  return 0;
}
