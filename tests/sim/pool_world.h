// A small world around one PoolQueue: workers with their own idle servers, clients that come and
// go, servers that die, and messages between workers that arrive late and in any order. One step
// does one random thing and then compares the pool's account with what physically exists.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "core/pool_queue.h"

namespace fairlead::sim {

/// splitmix64: seeding costs nothing, so that a run may be short.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed) {}
  uint64_t next();
  uint32_t below(size_t n) { return static_cast<uint32_t>(next() % n); }
  bool one_in(uint32_t n) { return below(n) == 0; }

 private:
  uint64_t state_;
};

class PoolWorld {
 public:
  explicit PoolWorld(uint64_t seed);

  void step();   // One random event.
  void drain();  // Nobody new comes and nothing fails any more: everything must come to rest.

  /// The first thing that was wrong, with the number of the step; empty if nothing was.
  const std::string& failure() const { return failure_; }
  uint64_t served() const { return served_; }
  uint64_t steals() const { return steals_; }
  uint64_t broken_promises() const { return broken_promises_; }
  uint64_t late_cancels() const { return late_cancels_; }
  uint64_t overtakings() const { return overtakings_; }

 private:
  using RequestId = uint32_t;
  static constexpr RequestId kNobody = UINT32_MAX;

  /// One client's wish for one server.
  struct Request {
    enum class State : uint8_t { kPending, kWaiting, kBusy, kOver };
    core::WorkerId worker{};
    State state = State::kPending;  // kPending: an opening, a steal or a grant is on its way.
    core::Ticket ticket{};
    Time since{};
    bool wanted = true;  // False: the client is gone, whatever comes must be given back.
  };
  struct Message {
    enum class Kind : uint8_t { kSteal, kServer, kOpen };
    Kind kind{};
    core::WorkerId to{};
    RequestId request = kNobody;
  };
  struct Operation {  // An opening or a closing that takes its time.
    core::WorkerId worker{};
    RequestId request = kNobody;
  };

  void expect(bool condition, const char* what);
  void check();
  void arrive();
  void leave();
  void give_up(RequestId id);
  void deliver();
  void finish_opening(bool may_fail);
  void finish_closing();
  void finish_request();
  void kill_idle();
  void trim();
  void expire();
  void resize(uint32_t size);

  void receive_steal(const Message& message);
  void receive_server(const Message& message);
  void give_back(core::WorkerId worker);
  void on_grant(std::optional<core::GrantOpen> grant);
  RequestId pop_waiter(core::Ticket ticket, Duration may_overtake);
  void become_busy(RequestId request);
  void start_opening(core::WorkerId worker, RequestId request);
  void take_physical(core::WorkerId worker);
  core::WorkerId some_worker();
  size_t physical_servers() const;

  Dice dice_;
  uint16_t workers_;
  uint32_t size_;
  uint32_t slots_allowed_;  // size_, or what was in use when it shrank, until that has gone.
  core::PoolQueue pool_;
  Time now_{std::chrono::seconds(1)};
  bool is_calm_;  // Half of the worlds are, because a full pool never has anything to steal.
  bool draining_ = false;

  std::vector<Request> requests_;
  std::deque<RequestId> fifo_;     // Who waits, in order of coming first: the model of the queue.
  std::vector<RequestId> busy_;    // Who holds a server.
  std::vector<Message> messages_;  // On their way.
  std::vector<Operation> openings_;
  std::vector<core::WorkerId> closings_;
  std::vector<uint32_t> idle_;  // Physical idle servers of each worker, promised ones included.
  uint32_t servers_on_the_way_ = 0;

  uint64_t steps_ = 0;
  uint64_t served_ = 0;
  uint64_t steals_ = 0;
  uint64_t broken_promises_ = 0;
  uint64_t late_cancels_ = 0;
  uint64_t overtakings_ = 0;
  std::string failure_;
};

}  // namespace fairlead::sim
