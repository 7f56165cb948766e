// How many files and sockets this process may have open: RLIMIT_NOFILE.
#pragma once

#include <cstdint>

namespace fairlead::net {

/// The limit that is in force now. Any thread.
uint64_t open_files_max();

/// Raises it as far as the system lets this process: what a shell or a container gives by default
/// is for programs that still use select(). Children inherit it. Returns what is in force then.
uint64_t raise_open_files_max();

}  // namespace fairlead::net
