// A condition variable for the coroutines of one loop: whoever waits checks its condition again
// after each wake-up.
//
//   while (!ready()) co_await changed.wait();
//
// Nothing can be missed between the check and the wait, because both run on one thread without a
// suspension between.
#pragma once

#include <optional>

#include "net/alarm.h"

namespace fairlead::net {

class Signal {
 public:
  explicit Signal(Loop& loop) : loop_(loop) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  /// To be awaited: resumes at the next notify_all().
  auto wait() { return Waiting(*this, std::nullopt); }
  /// To be awaited: resumes at the next notify_all() or after `span`, whichever is first.
  auto wait_for(Duration span) { return Waiting(*this, span); }

  void notify_all() {
    for (Waiting* waiting = std::exchange(first_, nullptr); waiting != nullptr;) {
      Waiting* const next = waiting->next_;
      waiting->resume();
      waiting = next;
    }
  }

 private:
  class Waiting {
   public:
    Waiting(Signal& signal, std::optional<Duration> span) : signal_(signal), span_(span) {}
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> who) {
      who_ = who;
      signal_.add(*this);
      if (!span_) return;
      alarm_.emplace(signal_.loop_, *span_, [this] {
        signal_.remove(*this);
        resume();
      });
    }
    void await_resume() {}

   private:
    friend Signal;

    void resume() {
      alarm_.reset();
      signal_.loop_.resume_later(who_);
    }

    Signal& signal_;
    const std::optional<Duration> span_;
    std::optional<Alarm> alarm_;
    std::coroutine_handle<> who_;
    Waiting* next_ = nullptr;
  };

  Waiting** find(const Waiting* wanted) {
    Waiting** link = &first_;
    while (*link != wanted) link = &(*link)->next_;
    return link;
  }
  /// At the end: who has waited longest resumes first.
  void add(Waiting& waiting) { *find(nullptr) = &waiting; }
  void remove(Waiting& waiting) { *find(&waiting) = waiting.next_; }

  Loop& loop_;
  Waiting* first_ = nullptr;  // They are in the frames of the coroutines that wait.
};

}  // namespace fairlead::net
