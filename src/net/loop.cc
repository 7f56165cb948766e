#include "net/loop.h"

namespace fairlead::net {

// Only this thread touches the sockets, so the reactor's own locking is switched off; posting stays
// safe from any thread.
Loop::Loop()
    : context_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO),
      work_(context_.get_executor()),
      scratch_(std::make_unique<std::array<char, kScratchSize>>()) {}

void Loop::run() { context_.run(); }

void Loop::stop() { context_.stop(); }

Time Loop::now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
}

Task<void> Loop::sleep(Duration span) {
  Timer timer(context_.get_executor(), span);
  co_await timer.async_wait(use_result);
}

}  // namespace fairlead::net
