#include "net/outbox.h"

namespace fairlead::net {

void Outbox::send(std::string_view bytes) {
  if (broken_) return;
  if (!blocked()) {
    const Transfer written = stream_.write(bytes);
    if (written.closed()) return give_up();
    bytes.remove_prefix(written.bytes);
    if (bytes.empty()) return;
  }
  waiting_.append(bytes);
  if (!draining_) {
    draining_ = true;
    spawner_.spawn(drain());
  }
}

void Outbox::give_up() {
  broken_ = true;
  waiting_ = {};
  sent_ = 0;
  stream_.shutdown();
  tell();
}

void Outbox::tell() {
  drained_.notify_all();
  if (listener_) listener_();
}

Task<void> Outbox::drain() {
  while (blocked()) {
    if (!co_await stream_.writable() && broken_) break;
    const Transfer written = stream_.write(std::string_view(waiting_).substr(sent_));
    if (written.closed()) {
      give_up();
      break;
    }
    sent_ += written.bytes;
    if (sent_ == waiting_.size()) {
      waiting_ = {};
      sent_ = 0;
    }
  }
  draining_ = false;
  tell();
}

Task<void> Outbox::drained() {
  while (blocked()) co_await drained_.wait();
}

}  // namespace fairlead::net
