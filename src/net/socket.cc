#include "net/socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "base/assert.h"

namespace fairlead::net {

Socket::Socket(Loop& loop, int fd) : loop_(loop), fd_(fd) {
  watch(reading_, EV_READ);
  watch(writing_, EV_WRITE);
}

Socket::Socket(Socket&& other) noexcept : Socket(other.loop_, other.release()) {
  is_first_ = other.is_first_;
}

void Socket::watch(Side& side, int events) {
  ev_io_init(&side.watcher, on_event, fd_, events);
  side.watcher.data = &side;
}

void Socket::Waiting::await_suspend(std::coroutine_handle<> waiter) {
  require(side.waiting == nullptr, "one coroutine at a time waits for a side of a socket");
  who = waiter;
  side.waiting = this;
  ev_io_start(socket.loop_.events(), &side.watcher);  // Nothing if it is watched still.
}

/// Whoever is resumed waits again soon, mostly: only when an event finds nobody, the watch ends.
void Socket::on_event(struct ev_loop* events, ev_io* watcher, int what) {
  Side& side = *static_cast<Side*>(watcher->data);
  Waiting* const waiting = std::exchange(side.waiting, nullptr);
  if (waiting == nullptr) return ev_io_stop(events, watcher);
  if ((what & EV_ERROR) !=
      0) {  // The kernel has no memory to watch it: nobody would be told again.
    waiting->is_interrupted = true;
    ::shutdown(watcher->fd, SHUT_RDWR);
  }
  waiting->socket.loop_.on_socket(waiting->who, waiting->socket.is_first_);
}

void Socket::interrupt() {
  for (Side* side : {&reading_, &writing_}) {
    Waiting* const waiting = std::exchange(side->waiting, nullptr);
    if (waiting == nullptr) continue;
    waiting->is_interrupted = true;
    loop_.resume_later(waiting->who);
  }
}

void Socket::forget() {
  for (Side* side : {&reading_, &writing_}) ev_io_stop(loop_.events(), &side->watcher);
}

void Socket::close() {
  interrupt();
  forget();
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

int Socket::release() {
  require(reading_.waiting == nullptr && writing_.waiting == nullptr,
          "nobody waits for a socket that is given away");
  forget();
  return std::exchange(fd_, -1);
}

}  // namespace fairlead::net
