#include "net/outbox.h"

namespace fairlead::net {
namespace {

// What an outbox that has nothing to send keeps for the next time.
constexpr size_t kIdleBufferMax = 512;

}  // namespace

void Outbox::send(std::string_view bytes) {
  if (broken_ || bytes.empty()) return;
  if (blocked_) {
    waiting_.append(bytes);
  } else if (waiting_.size() + bytes.size() <= kHeldBackMax) {
    hold_back(bytes);
  } else {
    write_through(bytes);
  }
}

void Outbox::hold_back(std::string_view bytes) {
  if (!held_back_) {
    loop_.sends().add(*this);
    held_back_ = true;
  }
  waiting_.append(bytes);
}

void Outbox::write_through(std::string_view bytes) {
  loop_.sends().hurry();
  send_now();
  if (broken_) return;
  if (blocked_) {
    waiting_.append(bytes);
    return;
  }
  const Transfer written = stream_.write(bytes);
  if (written.closed()) {
    lose_peer();
    return tell();
  }
  waiting_.assign(bytes.substr(written.bytes));
  if (!waiting_.empty()) wait_for_peer();
}

void Outbox::send_now() {
  if (!held_back_) return;
  loop_.sends().forget(*this);
  if (!on_tried(stream_.write(waiting_))) tell();
}

std::optional<SendRing::Send> Outbox::plain_send() const {
  if (stream_.has_tls()) return std::nullopt;
  return SendRing::Send{.fd = stream_.fd(), .bytes = waiting_};
}

bool Outbox::on_tried(Transfer transfer) {
  held_back_ = false;
  if (transfer.closed()) {
    lose_peer();
  } else if (transfer.bytes < waiting_.size()) {
    sent_ = transfer.bytes;
    wait_for_peer();
  } else {
    forget_sent();
  }
  return !broken_;
}

void Outbox::wait_for_peer() {
  blocked_ = true;
  spawner_.spawn(drain());
}

void Outbox::lose_peer() {
  broken_ = true;
  waiting_ = {};
  stream_.shutdown();
}

void Outbox::tell() {
  drained_.notify_all();
  if (listener_) listener_();
}

Task<void> Outbox::drain() {
  while (sent_ < waiting_.size()) {
    co_await stream_.writable();  // Or interrupted: a write says what has become of the stream.
    const Transfer written = stream_.write(std::string_view(waiting_).substr(sent_));
    if (written.closed()) {
      lose_peer();
      break;
    }
    sent_ += written.bytes;
  }
  forget_sent();
  blocked_ = false;
  tell();
}

void Outbox::forget_sent() {
  waiting_.clear();
  if (waiting_.capacity() > kIdleBufferMax) waiting_ = {};
  sent_ = 0;
}

Task<void> Outbox::drained() {
  send_now();
  while (blocked_) co_await drained_.wait();
}

}  // namespace fairlead::net
