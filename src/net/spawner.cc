#include "net/spawner.h"

#include <exception>

namespace fairlead::net {

void Spawner::spawn(Task<void> task) {
  ++running_;
  asio::co_spawn(loop_.executor(), std::move(task), [this](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
    --running_;
    ended_.notify_all();
  });
}

Task<void> Spawner::join() {
  while (running_ > 0) co_await ended_.wait();
}

}  // namespace fairlead::net
