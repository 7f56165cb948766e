// Starts coroutines and can wait for all of them to end: the one way to start one, so that none
// outlives what it uses.
#pragma once

#include "base/assert.h"
#include "net/signal.h"

namespace fairlead::net {

/// Starts `task` on `loop`, and nobody joins it: for the one coroutine that ends the loop. An
/// exception that escapes it is a bug and ends the program.
void start(Loop& loop, Task<void> task);

class Spawner {
 public:
  explicit Spawner(Loop& loop) : loop_(loop), ended_(loop) {}
  ~Spawner() {
    require(running_ == 0, "a spawner was destroyed before its coroutines were joined");
  }
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  /// Starts `task` on the spawner's loop, as start() does.
  void spawn(Task<void> task);

  size_t running() const { return running_; }

  /// Returns when every coroutine has ended. The caller has already told them to.
  Task<void> join();

 private:
  Loop& loop_;
  Signal ended_;
  size_t running_ = 0;
};

}  // namespace fairlead::net
