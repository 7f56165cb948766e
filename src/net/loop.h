// One thread's event loop: what resumes coroutines when sockets, timers and signals say so, runs
// what is posted, and is the only reader of the clock.
//
// Everything but post() and stop() belongs to the thread that calls run(), and to the one that
// makes the loop before that. A Loop must outlive all that it runs: join every coroutine
// (spawner.h) before destroying it.
#pragma once

#include <array>
#include <atomic>
#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/time.h"
#include "net/event.h"
#include "net/send_batch.h"
#include "net/task.h"

namespace fairlead::net {

class Alarm;
class Loop;

/// One wait for a span of time.
class Sleep {
 public:
  Sleep(Loop& loop, Duration span) : loop_(loop), span_(span) {}
  Sleep(const Sleep&) = delete;
  Sleep& operator=(const Sleep&) = delete;

  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> who);
  void await_resume() {}

 private:
  Loop& loop_;
  Duration span_;
  std::coroutine_handle<> who_;
  ev_timer timer_{};
};

class Loop {
 public:
  using Work = std::move_only_function<void()>;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs until stop(), once in a loop's life. Called by exactly one thread.
  void run();
  /// Makes run() return after what is running now. From any thread.
  void stop();
  bool has_stopped() const { return stopped_.load(std::memory_order_relaxed); }
  /// The caller is something that run() runs.
  bool is_here() const {
    return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  /// Runs `work` on the loop's thread, later. From any thread; this is how a value crosses threads.
  void post(Work work);

  /// Resumes `coroutine` later: after what is running now, and after what was made to resume and
  /// what was posted before. On the loop's thread.
  void resume_later(std::coroutine_handle<> coroutine) { ready_.push_back(coroutine); }
  /// The same, as something to await.
  auto yield() {
    struct Later {
      Loop& loop;
      bool await_ready() { return false; }
      void await_suspend(std::coroutine_handle<> who) { loop.resume_later(who); }
      void await_resume() {}
    };
    return Later{*this};
  }

  static Time now();

  /// To be awaited: completes after `span`, never before; a loop that has nothing to do is a
  /// millisecond late at most.
  Sleep sleep(Duration span) { return {*this, span}; }

  /// Where all connections of this thread read into. One read, one use: whoever suspends must first
  /// save what it still needs, because the next reader writes over it. That is why an idle client
  /// holds no buffer.
  std::span<char> scratch() { return {scratch_->data(), scratch_->size()}; }

  /// What is to be sent by the end of this turn.
  SendBatch& sends() { return sends_; }

  /// For the classes of this folder, which have watchers of their own. What these call back only
  /// notes what has happened.
  struct ev_loop* events() { return events_; }
  void on_socket(std::coroutine_handle<> who, bool is_first) {
    (is_first ? of_first_sockets_ : of_sockets_).push_back(who);
  }
  void on_alarm(Alarm& alarm) { due_.push_back(&alarm); }
  /// `alarm` is not rung any more.
  void forget(Alarm& alarm);
  /// Has `timer` call back once after `span` from now.
  void start(ev_timer& timer, Duration span);

 private:
  // Large enough for a few dozen pipelined statements or one full socket buffer's worth of rows per
  // system call.
  static constexpr size_t kScratchSize = size_t{64} * 1024;

  void resume(std::coroutine_handle<> who);
  void resume_of(std::vector<std::coroutine_handle<>>& sockets);
  void ring_alarms();
  void run_posted();
  void resume_ready();

  struct ev_loop* events_;
  SendBatch sends_;
  ev_async wake_up_{};
  std::atomic<bool> stopped_ = false;
  std::atomic<std::thread::id> thread_{};
  bool has_run_ = false;
  std::vector<std::coroutine_handle<>> of_first_sockets_;
  std::vector<std::coroutine_handle<>> of_sockets_;
  std::vector<Alarm*> due_;
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::coroutine_handle<>> resuming_;  // Of the turn that is running.
  std::atomic<bool> has_posted_ = false;
  std::mutex mutex_;
  std::vector<Work> posted_;  // By any thread, under mutex_.
  std::vector<Work> working_;
  std::unique_ptr<std::array<char, kScratchSize>> scratch_;
};

}  // namespace fairlead::net
