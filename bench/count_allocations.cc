#include "count_allocations.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

// glibc's own names for what is replaced here. Looking them up with dlsym() would allocate.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming)
void* __libc_malloc(size_t size) noexcept;
void* __libc_calloc(size_t count, size_t size) noexcept;
void* __libc_realloc(void* memory, size_t size) noexcept;
void* __libc_memalign(size_t alignment, size_t size) noexcept;
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)
}

namespace {

using Counter = std::atomic<uint64_t>;
static_assert(Counter::is_always_lock_free && sizeof(Counter) == sizeof(uint64_t));

constinit Counter own_counter = 0;
constinit std::atomic<Counter*> counter = &own_counter;

void count() { counter.load(std::memory_order_relaxed)->fetch_add(1, std::memory_order_relaxed); }

// A file that cannot be used ends the program: counts that nobody sees would look like none.
[[noreturn]] void give_up(const char* path) {
  std::perror(path);
  _exit(1);
}

[[gnu::constructor]] void share_counter() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): before main(), and so before any thread.
  const char* path = std::getenv("FAIRLEAD_BENCH_ALLOCATIONS");
  if (path == nullptr) return;
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file < 0 || ftruncate(file, sizeof(Counter)) != 0) give_up(path);
  void* shared = mmap(nullptr, sizeof(Counter), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (shared == MAP_FAILED) give_up(path);
  close(file);
  counter.store(static_cast<Counter*>(shared), std::memory_order_relaxed);
}

}  // namespace

uint64_t fairlead::bench::allocations() {
  return counter.load(std::memory_order_relaxed)->load(std::memory_order_relaxed);
}

extern "C" {

void* malloc(size_t size) noexcept {
  count();
  return __libc_malloc(size);
}

void* calloc(size_t amount, size_t size) noexcept {
  count();
  return __libc_calloc(amount, size);
}

void* realloc(void* memory, size_t size) noexcept {
  count();
  return __libc_realloc(memory, size);
}

void* memalign(size_t alignment, size_t size) noexcept {
  count();
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(size_t alignment, size_t size) noexcept { return memalign(alignment, size); }

int posix_memalign(void** memory, size_t alignment, size_t size) noexcept {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

}  // extern "C"
