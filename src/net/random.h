// Unpredictable bytes from the operating system's generator (getrandom). From any thread.
#pragma once

#include <span>

namespace fairlead::net {

/// Fills `out`. Aborts if the system has no generator, because nothing secure can go on without
/// one.
void random_bytes(std::span<char> out);

/// The same as a value: `random_array<32>()`.
template <class Array>
Array random_value() {
  Array value{};
  random_bytes({reinterpret_cast<char*>(value.data()), value.size()});
  return value;
}

}  // namespace fairlead::net
