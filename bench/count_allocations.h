// How often this process has asked for memory: every malloc, calloc, realloc and their kin, and so
// every operator new.
//
// For measuring only, with glibc. Linked into a benchmark it counts that program; as a library in
// LD_PRELOAD it counts any program, into the file that FAIRLEAD_BENCH_ALLOCATIONS names: one
// 64-bit number in the machine's byte order, which another process may read at any time.
#pragma once

#include <cstdint>

namespace fairlead::bench {

/// Of all threads, since the start of the process. Freeing does not count.
uint64_t allocations();

}  // namespace fairlead::bench
