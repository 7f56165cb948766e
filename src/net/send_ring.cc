#include "net/send_ring.h"

#include <liburing.h>
#include <sys/socket.h>

#include <algorithm>
#include <system_error>

namespace fairlead::net {

Result<std::unique_ptr<SendRing>> SendRing::open() {
  // Completions are made where they are asked for, by the one thread that asks: nothing interrupts
  // it.
  constexpr unsigned kFlags =
      IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL;
  auto ring = std::make_unique<::io_uring>();
  if (const int failed = ::io_uring_queue_init(kSendsAtOnce, ring.get(), kFlags); failed < 0) {
    return fail(ErrorCode::kIo, "io_uring is not to be had",
                std::generic_category().message(-failed));
  }
  return std::unique_ptr<SendRing>(
      new SendRing(std::unique_ptr<::io_uring, Close>(ring.release())));
}

void SendRing::Close::operator()(::io_uring* ring) const {
  ::io_uring_queue_exit(ring);
  delete ring;
}

Result<void> SendRing::send(std::span<Send> sends) {
  while (!sends.empty()) {
    const size_t count = std::min<size_t>(sends.size(), kSendsAtOnce);
    if (auto sent = send_at_once(sends.first(count)); !sent) return sent;
    sends = sends.subspan(count);
  }
  return {};
}

Result<void> SendRing::send_at_once(std::span<Send> sends) {
  for (size_t i = 0; i < sends.size(); ++i) {
    io_uring_sqe* const entry =
        ::io_uring_get_sqe(ring_.get());  // There are as many as may be asked for.
    const std::string_view bytes = sends[i].bytes;
    // A socket that takes nothing more says so instead of being waited for.
    ::io_uring_prep_send(entry, sends[i].fd, bytes.data(), bytes.size(),
                         MSG_DONTWAIT | MSG_NOSIGNAL);
    entry->user_data = i;
  }
  size_t done = 0;
  while (done < sends.size()) {
    const int failed =
        ::io_uring_submit_and_wait(ring_.get(), static_cast<unsigned>(sends.size() - done));
    done += collect(sends);
    if (failed < 0 && failed != -EINTR) {
      return fail(ErrorCode::kIo, "io_uring has failed", std::generic_category().message(-failed));
    }
  }
  return {};
}

size_t SendRing::collect(std::span<Send> sends) {
  unsigned done = 0;
  unsigned head = 0;
  io_uring_cqe* completion = nullptr;
  io_uring_for_each_cqe(ring_.get(), head, completion) {
    sends[completion->user_data].result = completion->res;
    ++done;
  }
  ::io_uring_cq_advance(ring_.get(), done);
  return done;
}

}  // namespace fairlead::net
