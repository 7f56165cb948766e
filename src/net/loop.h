// One thread's event loop: what runs coroutines, timers and posted work, and the only reader of the
// clock.
//
// Everything but post() and stop() belongs to the thread that calls run(). A Loop must outlive all
// that it runs: join every coroutine (spawner.h) before destroying it.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>

#include "base/time.h"
#include "net/asio.h"

namespace fairlead::net {

class Loop {
 public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until stop(). Called by exactly one thread.
  void run();
  /// Makes run() return after the handler that is running now. From any thread.
  void stop();

  /// Runs `work` on the loop's thread, later. From any thread; this is how a value crosses threads.
  template <class Work>
  void post(Work work) {
    asio::post(context_.get_executor(), std::move(work));
  }

  /// Completes later: after what is running now, and after what was posted before.
  auto yield() { return asio::post(context_.get_executor(), asio::deferred); }

  Executor executor() { return context_.get_executor(); }
  asio::io_context& context() { return context_; }

  static Time now();

  /// Completes after `span`, or earlier when the loop stops.
  Task<void> sleep(Duration span);

  /// Where all connections of this thread read into. One read, one use: whoever suspends must first
  /// save what it still needs, because the next reader writes over it. That is why an idle client
  /// holds no buffer.
  std::span<char> scratch() { return {scratch_->data(), scratch_->size()}; }

 private:
  // Large enough for a few dozen pipelined statements or one full socket buffer's worth of rows per
  // system call.
  static constexpr size_t kScratchSize = size_t{64} * 1024;

  asio::io_context context_;
  asio::executor_work_guard<Executor> work_;
  std::unique_ptr<std::array<char, kScratchSize>> scratch_;
};

}  // namespace fairlead::net
