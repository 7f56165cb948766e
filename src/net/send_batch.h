// What the outboxes of one loop have to send, held back to the end of the loop's turn: then all of
// it leaves together, by one system call where the system has io_uring, else one after the other.
//
// So whoever is woken by an answer does not take the processor from those whose answers are not
// made yet (docs/decisions/0012). Nor does an answer wait for long: a turn with many of them, or
// with large sends, has several ends. On the loop's thread.
#pragma once

#include <memory>
#include <vector>

#include "net/send_ring.h"

namespace fairlead::net {

class Outbox;

class SendBatch {
 public:
  /// `outbox` is told to send, once, at the end of the turn or when the batch is due.
  void add(Outbox& outbox) { outboxes_.push_back(&outbox); }
  /// It is not, nor is it told of what was sent.
  void forget(Outbox& outbox);

  /// Something large has been sent meanwhile: nobody waits for the next such thing, too.
  void hurry() { is_hurried_ = true; }
  /// To be asked between two coroutines: send_all() now.
  bool is_due() const { return is_hurried_ || outboxes_.size() >= kOutboxesMax; }

  void send_all();

 private:
  // Half a millisecond's work, about; more at a time gain nothing.
  static constexpr size_t kOutboxesMax = 64;

  void send_together();
  SendRing* ring();

  std::vector<Outbox*> outboxes_;
  std::vector<Outbox*> leaving_;  // Of a send_all() that is running. Null: forgotten.
  std::vector<Outbox*> by_ring_;
  std::vector<SendRing::Send> sends_;  // Of by_ring_, in its order.
  std::unique_ptr<SendRing> ring_;
  bool may_have_ring_ = true;
  bool is_hurried_ = false;
};

}  // namespace fairlead::net
