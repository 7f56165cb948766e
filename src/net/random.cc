#include "net/random.h"

#include <sys/random.h>

#include <cerrno>

#include "base/assert.h"

namespace fairlead::net {

void random_bytes(std::span<char> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    require(got > 0 || errno == EINTR, "the operating system gave no random bytes");
    if (got > 0) out = out.subspan(static_cast<size_t>(got));
  }
}

}  // namespace fairlead::net
