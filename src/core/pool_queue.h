// The account of ONE pool: the servers of one (node, database, user), shared by all workers.
//
// It counts and it decides; it holds no server. Each worker keeps its own idle servers and moves
// them as this class says. The driver guards every call with the pool's mutex, makes the call and
// the move it stands for in one turn of the worker's loop, and carries grants to other workers as
// messages, which may take their time.
//
// The rules: never more than `size` servers over all workers; first come, first served over all
// workers, to within kOvertakeMax; a client prefers an idle server of its own worker; while the
// budget is exhausted it may take one that idles on another worker. Every slot of the budget is at
// any time in exactly one of the states of SlotState. A waiter exists only while no server is idle
// and no slot is free, so a newcomer can never overtake one.
//
// Every call is O(workers) at most, and for one that comes back as long as there are others that
// came before it; none allocates once the queue has had its longest length.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/time.h"
#include "core/pool_worker.h"

namespace fairlead::core {

/// Names one waiter, once: a later waiter never has the same ticket.
struct Ticket {
  uint32_t place = 0;
  uint32_t generation = 0;

  bool operator==(const Ticket&) const = default;
};

/// Take one of your own idle servers (the most recently used, so that the others can age).
struct TakeIdle {
  bool operator==(const TakeIdle&) const = default;
};
/// Open a server; say on_opened() or on_closed(kOpening).
struct Open {
  bool operator==(const Open&) const = default;
};
/// Ask worker `from` for an idle server. `from` then calls on_steal_request() and does what it
/// says.
struct Steal {
  WorkerId from;
  bool operator==(const Steal&) const = default;
};
/// Wait: a GiveTo or a GrantOpen will name this ticket, unless cancel() comes first.
struct Wait {
  Ticket ticket;
  bool operator==(const Wait&) const = default;
};
/// The queue of waiters has reached its limit. Nothing was counted.
struct Refuse {
  bool operator==(const Refuse&) const = default;
};
using Acquire = std::variant<TakeIdle, Open, Steal, Wait, Refuse>;

/// Put the server among your idle ones.
struct KeepIdle {
  bool operator==(const KeepIdle&) const = default;
};
/// Hand the server to that waiter. If it lives on another worker the server moves there, and counts
/// as busy there from now on.
struct GiveTo {
  WorkerId worker;
  Ticket ticket;
  bool operator==(const GiveTo&) const = default;
};
/// The pool has shrunk: close the server, then say on_closed(kClosing).
struct CloseIt {
  bool operator==(const CloseIt&) const = default;
};
using Handover = std::variant<KeepIdle, GiveTo, CloseIt>;

/// That waiter may open a server: it already has the slot, as if acquire() had answered Open.
struct GrantOpen {
  WorkerId worker;
  Ticket ticket;
  bool operator==(const GrantOpen&) const = default;
};

struct Waiter {
  WorkerId worker;
  Ticket ticket;
  bool operator==(const Waiter&) const = default;
};

enum class StealAnswer : uint8_t {
  kHandOver,     // Take one of your idle servers and send it to the asker, where it counts as busy.
  kOpenInstead,  // The promised server died: tell the asker to open one; it has the slot.
};

/// What a slot of the budget is used for.
enum class SlotState : uint8_t { kOpening, kBusy, kIdle, kClosing };

/// A server that comes free goes to a waiter of its own worker, past one of another worker that
/// came no more than this before: to move a connection between two threads costs about as much as a
/// transaction.
inline constexpr Duration kOvertakeMax = std::chrono::milliseconds(2);

struct PoolLimits {
  uint32_t size = 20;             // pool_size: servers, over all workers.
  uint32_t waiters_max = 10'000;  // Bounds the memory that clients can make the queue take.
};

/// For the DETAIL of 53300 and for SHOW POOLS. busy + idle + opening + moving + closing = the slots
/// in use.
struct PoolCounts {
  uint32_t size = 0;
  uint32_t busy = 0;
  uint32_t idle = 0;
  uint32_t opening = 0;
  uint32_t moving = 0;   // Promised to another worker, not yet handed over.
  uint32_t closing = 0;  // Closed for the account, not yet on the wire.
  uint32_t waiting = 0;
  Duration longest_wait{0};

  uint32_t in_use() const { return busy + idle + opening + moving + closing; }
  bool operator==(const PoolCounts&) const = default;
};

class PoolQueue {
 public:
  /// `workers` is 1 … kWorkersMax.
  PoolQueue(uint16_t workers, PoolLimits limits);

  /// A client on `worker` needs a server. `came_at`: now, or, of one that could not use what it was
  /// given and comes back, when it came first; nobody who came later is served before it.
  Acquire acquire(WorkerId worker, Time came_at);

  /// A slot for a server that no client waits for (min_servers). True: open one, as for Open, and
  /// release() it when it is ready. False: the budget is exhausted, or somebody waits.
  bool try_open_spare(WorkerId worker);

  void on_opened(WorkerId worker);  // An opening server is ready: it is busy until release().

  /// The server just taken or received was found dead before it was used (F50). The client keeps
  /// its slot, and so its turn, and opens another.
  void reopen(WorkerId worker);

  /// A busy server of `owner` is free again.
  Handover release(WorkerId owner);

  /// A server of `owner` is gone, or an opening one failed, or a grant to open came too late to be
  /// wanted (kOpening). The free slot goes to the first waiter, if there is one.
  std::optional<GrantOpen> on_closed(WorkerId owner, SlotState was);

  /// On worker `from`, when a Steal of worker `to` has arrived there.
  StealAnswer on_steal_request(WorkerId from, WorkerId to);

  /// Claims one idle server of `worker` for closing (idle timeout, age, shrink). True: close one,
  /// then say on_closed(kClosing). False: all of them are already promised to others.
  bool close_idle(WorkerId worker);

  /// The waiter gave up. True: it is forgotten and nothing will come for it. False: an answer is
  /// already on its way; whoever receives it gives it back: a server with release(), a grant to
  /// open with on_closed(kOpening).
  bool cancel(Ticket ticket);

  /// Sets pool_size on reload. After growing, call grant_next() until nullopt. After shrinking,
  /// every worker closes idle servers while surplus() > 0 and close_idle(); busy ones follow at
  /// release().
  void set_size(uint32_t size) { limits_.size = size; }
  std::optional<GrantOpen> grant_next();
  uint32_t surplus() const;

  /// Nothing of the account is that worker's: no server, no waiter, nothing on its way to it.
  bool has_nothing_of(WorkerId worker) const;

  PoolCounts counts(Time now) const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct WorkerCounts {
    uint32_t busy = 0;
    uint32_t idle = 0;  // Free to be taken.
    uint32_t opening = 0;
    uint32_t closing = 0;
    uint32_t promised = 0;          // Idle here, promised to a steal that has not arrived yet.
    uint32_t broken = 0;            // Of the promised ones, how many have died since.
    uint32_t first_waiter = kNone;  // Its own waiters, in the order in which they came.
    uint32_t last_waiter = kNone;
  };
  struct Place {  // One element of a queue; a doubly linked list threaded through a vector.
    Time came_at{};
    uint64_t arrival = 0;  // Who came before whom at the same time.
    uint32_t generation = 0;
    uint32_t next = kNone;
    uint32_t previous = kNone;
    WorkerId worker{};
    bool waiting = false;
  };
  WorkerCounts& of(WorkerId worker);
  uint32_t slots() const;
  void add_idle(WorkerId worker);
  void remove_idle(WorkerId worker);
  WorkerId next_with_idle();
  uint32_t oldest_waiter() const;
  uint32_t waiter_for_server_of(WorkerId owner) const;
  bool came_before(uint32_t place, uint32_t other) const;
  Ticket enqueue(WorkerId worker, Time came_at);
  Waiter dequeue(uint32_t place);

  PoolLimits limits_;
  std::vector<WorkerCounts> workers_;
  PoolCounts total_;  // Sums over workers_; `size` and `longest_wait` are filled in by counts().
  uint64_t has_idle_ = 0;  // Bit w: worker w has an idle server that is not promised.
  uint16_t steal_after_ = 0;
  std::vector<Place> places_;
  uint64_t arrivals_ = 0;
  uint32_t free_ = kNone;
};

}  // namespace fairlead::core
