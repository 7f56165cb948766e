#include "net/send_batch.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "net/outbox.h"

namespace fairlead::net {

void SendBatch::forget(Outbox& outbox) {
  std::erase(outboxes_, &outbox);
  for (auto* tried : {&leaving_, &by_ring_})
    std::ranges::replace(*tried, &outbox, static_cast<Outbox*>(nullptr));
}

void SendBatch::send_all() {
  is_hurried_ = false;
  // Who hears that a peer is gone may have something to say to others.
  while (!outboxes_.empty()) {
    leaving_.swap(outboxes_);
    if (leaving_.size() > 1 && ring() != nullptr) send_together();
    for (size_t i = 0; i < leaving_.size(); ++i) {
      if (Outbox* const outbox = leaving_[i]) outbox->send_now();
    }
    leaving_.clear();
  }
}

/// All that need no TLS. They are in leaving_ no more.
void SendBatch::send_together() {
  for (Outbox*& outbox : leaving_) {
    const auto plain = outbox->plain_send();
    if (!plain) continue;
    sends_.push_back(*plain);
    by_ring_.push_back(std::exchange(outbox, nullptr));
  }
  if (auto sent = ring_->send(sends_); !sent) {
    log::warning("{}: sends go one by one from now on", describe(sent.error()));
    ring_.reset();
  }
  for (size_t i = 0; i < by_ring_.size(); ++i) {
    if (by_ring_[i]->on_tried(transfer_of(sends_[i].result))) by_ring_[i] = nullptr;
  }
  // When all know what became of their sends: who is told may send more by them.
  for (size_t i = 0; i < by_ring_.size(); ++i) {
    if (Outbox* const outbox = by_ring_[i]) outbox->tell();
  }
  by_ring_.clear();
  sends_.clear();
}

/// Of the loop's own thread, which is not the one that makes the loop. Null: there is none.
SendRing* SendBatch::ring() {
  if (std::exchange(may_have_ring_, false)) {
    if (auto opened = SendRing::open()) ring_ = std::move(*opened);
  }
  return ring_.get();
}

}  // namespace fairlead::net
