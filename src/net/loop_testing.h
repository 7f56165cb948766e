// For the tests of this folder: a loop that runs one coroutine to its end, and two ends of a real
// connection.
#pragma once

#include <exception>
#include <memory>
#include <optional>

#include "base/assert.h"
#include "net/dial.h"
#include "net/spawner.h"
#include "net/stream.h"

namespace fairlead::net {

/// To its end, with what it throws.
inline void run(Loop& loop, Task<void> task) {
  std::exception_ptr thrown;
  start(loop, [](Loop& on, Task<void> whole, std::exception_ptr& error) -> Task<void> {
    try {
      co_await std::move(whole);
    } catch (...) {
      error = std::current_exception();
    }
    on.stop();
  }(loop, std::move(task), thrown));
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
}

/// Completes behind the end of the turn that is running.
inline Task<void> next_turn(Loop& loop) {
  co_await loop.yield();  // Perhaps in this one still.
  co_await loop.yield();
}

struct Ends {
  std::unique_ptr<Stream> near;
  std::unique_ptr<Stream> far;
};

inline Task<Ends> connect_ends(Loop& loop) {
  auto acceptor = listen(loop, "127.0.0.1", 0, false);
  require(acceptor.has_value(), "a free port can be listened on");
  auto dialled = co_await dial(loop, "127.0.0.1", acceptor->port(), std::chrono::seconds(5));
  require(dialled.has_value(), "whoever listens can be connected to");
  auto accepted = co_await acceptor->accept();
  require(accepted.has_value(), "who has connected can be accepted");
  co_return Ends{std::make_unique<Stream>(std::move(*dialled)),
                 std::make_unique<Stream>(std::move(*accepted))};
}

inline bool has_input(Stream& stream) {
  char byte = 0;
  return stream.peek({&byte, 1}).ok();
}

/// Everything that comes until the other side ends its own.
inline Task<std::string> read_all(Loop& loop, Stream& stream) {
  std::string got;
  for (;;) {
    const Transfer part = stream.read(loop.scratch());
    if (part.closed()) co_return got;
    if (part.ok()) {
      got.append(loop.scratch().data(), part.bytes);
    } else {
      co_await stream.readable();
    }
  }
}

}  // namespace fairlead::net
