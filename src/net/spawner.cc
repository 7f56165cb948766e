#include "net/spawner.h"

#include <exception>

namespace fairlead::net {
namespace {

void end_program_by(const std::exception_ptr& error) {
  if (error) std::rethrow_exception(error);
}

}  // namespace

void start(Loop& loop, Task<void> task) {
  asio::co_spawn(loop.executor(), std::move(task), end_program_by);
}

void Spawner::spawn(Task<void> task) {
  ++running_;
  asio::co_spawn(loop_.executor(), std::move(task), [this](std::exception_ptr error) {
    end_program_by(error);
    --running_;
    ended_.notify_all();
  });
}

Task<void> Spawner::join() {
  while (running_ > 0) co_await ended_.wait();
}

}  // namespace fairlead::net
