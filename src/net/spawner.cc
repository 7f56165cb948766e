#include "net/spawner.h"

#include <exception>

namespace fairlead::net {
namespace {

/// The coroutine at the root of a chain of tasks: nobody awaits it, and it ends by itself.
struct Root {
  // NOLINTNEXTLINE(readability-identifier-naming): The language asks for this name.
  struct promise_type {
    Root get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }  // It is still the current one, and shown.
  };

  std::coroutine_handle<> coroutine;
};

template <class Ended>
Root run_whole(Task<void> task, Ended ended) {
  co_await std::move(task);
  ended();
}

void begin(Loop& loop, Root root) {
  if (loop.is_here()) return root.coroutine.resume();
  loop.post([root] { root.coroutine.resume(); });
}

}  // namespace

void start(Loop& loop, Task<void> task) {
  begin(loop, run_whole(std::move(task), [] {}));
}

void Spawner::spawn(Task<void> task) {
  ++running_;
  begin(loop_, run_whole(std::move(task), [this] {
          --running_;
          ended_.notify_all();
        }));
}

Task<void> Spawner::join() {
  while (running_ > 0) co_await ended_.wait();
}

}  // namespace fairlead::net
