#include "core/pool_queue.h"

#include <bit>

#include "base/assert.h"

namespace fairlead::core {

namespace {

void take_one(uint32_t& count, std::string_view what) {
  require(count > 0, what);
  --count;
}

}  // namespace

PoolQueue::PoolQueue(uint16_t workers, PoolLimits limits) : limits_(limits), workers_(workers) {
  require(workers >= 1 && workers <= kWorkersMax, "a pool is shared by 1 to kWorkersMax workers");
}

PoolQueue::WorkerCounts& PoolQueue::of(WorkerId worker) {
  auto index = static_cast<size_t>(worker);
  require(index < workers_.size(), "the pool knows this worker");
  return workers_[index];
}

uint32_t PoolQueue::slots() const { return total_.in_use(); }

void PoolQueue::add_idle(WorkerId worker) {
  ++of(worker).idle;
  ++total_.idle;
  has_idle_ |= uint64_t{1} << static_cast<uint16_t>(worker);
}

void PoolQueue::remove_idle(WorkerId worker) {
  take_one(of(worker).idle, "the worker has an idle server");
  take_one(total_.idle, "the pool has an idle server");
  if (of(worker).idle == 0) has_idle_ &= ~(uint64_t{1} << static_cast<uint16_t>(worker));
}

// In turn, so that one worker is not robbed by all the others.
WorkerId PoolQueue::next_with_idle() {
  require(has_idle_ != 0, "some worker has an idle server");
  int first = steal_after_ + 1;
  int distance = std::countr_zero(std::rotr(has_idle_, first));
  steal_after_ = static_cast<uint16_t>((first + distance) % kWorkersMax);
  return WorkerId{steal_after_};
}

Acquire PoolQueue::acquire(WorkerId worker, Time came_at) {
  // Nobody waits while a server is idle or a slot is free, so no newcomer overtakes a waiter here.
  WorkerCounts& own = of(worker);
  if (own.idle > 0) {
    remove_idle(worker);
    ++own.busy;
    ++total_.busy;
    return TakeIdle{};
  }
  if (slots() < limits_.size && total_.waiting == 0) {
    ++own.opening;
    ++total_.opening;
    return Open{};
  }
  if (total_.idle > 0) {
    WorkerId from = next_with_idle();
    remove_idle(from);
    ++of(from).promised;
    ++total_.moving;
    return Steal{from};
  }
  if (total_.waiting >= limits_.waiters_max) return Refuse{};
  return Wait{enqueue(worker, came_at)};
}

bool PoolQueue::try_open_spare(WorkerId worker) {
  if (slots() >= limits_.size || total_.waiting > 0) return false;
  ++of(worker).opening;
  ++total_.opening;
  return true;
}

void PoolQueue::on_opened(WorkerId worker) {
  take_one(of(worker).opening, "the worker was opening a server");
  take_one(total_.opening, "the pool was opening a server");
  ++of(worker).busy;
  ++total_.busy;
}

void PoolQueue::reopen(WorkerId worker) {
  take_one(of(worker).busy, "the server was taken before it was found dead");
  take_one(total_.busy, "the server was taken before it was found dead");
  ++of(worker).opening;
  ++total_.opening;
}

Handover PoolQueue::release(WorkerId owner) {
  take_one(of(owner).busy, "only a busy server can be released");
  if (surplus() > 0) {
    take_one(total_.busy, "only a busy server can be released");
    ++of(owner).closing;
    ++total_.closing;
    return CloseIt{};
  }
  if (total_.waiting > 0) {
    Waiter next = dequeue(waiter_for_server_of(owner));
    ++of(next.worker).busy;  // The pool's own count of busy servers stays as it is.
    return GiveTo{next.worker, next.ticket};
  }
  take_one(total_.busy, "only a busy server can be released");
  add_idle(owner);
  return KeepIdle{};
}

std::optional<GrantOpen> PoolQueue::on_closed(WorkerId owner, SlotState was) {
  WorkerCounts& own = of(owner);
  switch (was) {
    case SlotState::kOpening:
      take_one(own.opening, "the worker was opening a server");
      take_one(total_.opening, "the pool was opening a server");
      break;
    case SlotState::kBusy:
      take_one(own.busy, "the worker had a busy server");
      take_one(total_.busy, "the pool had a busy server");
      break;
    case SlotState::kClosing:
      take_one(own.closing, "the worker was closing a server");
      take_one(total_.closing, "the pool was closing a server");
      break;
    case SlotState::kIdle:
      if (own.idle == 0) {
        // It was promised to another worker, whose slot it is now: on_steal_request() says so.
        require(own.broken < own.promised, "the worker had an idle server");
        ++own.broken;
        return std::nullopt;
      }
      remove_idle(owner);
      break;
  }
  return grant_next();
}

StealAnswer PoolQueue::on_steal_request(WorkerId from, WorkerId to) {
  WorkerCounts& giver = of(from);
  take_one(giver.promised, "a server was promised");
  take_one(total_.moving, "a server was promised");
  // Promised servers are not told apart: the first request to arrive meets the first death.
  if (giver.broken > 0) {
    --giver.broken;
    ++of(to).opening;
    ++total_.opening;
    return StealAnswer::kOpenInstead;
  }
  ++of(to).busy;
  ++total_.busy;
  return StealAnswer::kHandOver;
}

bool PoolQueue::close_idle(WorkerId worker) {
  if (of(worker).idle == 0) return false;
  remove_idle(worker);
  ++of(worker).closing;
  ++total_.closing;
  return true;
}

bool PoolQueue::cancel(Ticket ticket) {
  if (ticket.place >= places_.size()) return false;
  const Place& place = places_[ticket.place];
  if (!place.waiting || place.generation != ticket.generation) return false;
  dequeue(ticket.place);
  return true;
}

std::optional<GrantOpen> PoolQueue::grant_next() {
  if (total_.waiting == 0 || slots() >= limits_.size) return std::nullopt;
  Waiter next = dequeue(oldest_waiter());
  ++of(next.worker).opening;
  ++total_.opening;
  return GrantOpen{next.worker, next.ticket};
}

uint32_t PoolQueue::surplus() const {
  uint32_t staying = slots() - total_.closing;
  return staying > limits_.size ? staying - limits_.size : 0;
}

bool PoolQueue::has_nothing_of(WorkerId worker) const {
  const WorkerCounts& its = workers_[static_cast<size_t>(worker)];
  return its.busy + its.idle + its.opening + its.closing + its.promised == 0 &&
         its.first_waiter == kNone;
}

PoolCounts PoolQueue::counts(Time now) const {
  PoolCounts counts = total_;
  counts.size = limits_.size;
  const uint32_t oldest = oldest_waiter();
  if (oldest != kNone) counts.longest_wait = now - places_[oldest].came_at;
  return counts;
}

uint32_t PoolQueue::oldest_waiter() const {
  uint32_t oldest = kNone;
  for (const WorkerCounts& worker : workers_) {
    const uint32_t first = worker.first_waiter;
    if (first == kNone) continue;
    if (oldest == kNone || came_before(first, oldest)) oldest = first;
  }
  return oldest;
}

/// There is a waiter.
uint32_t PoolQueue::waiter_for_server_of(WorkerId owner) const {
  const uint32_t oldest = oldest_waiter();
  const uint32_t own = workers_[static_cast<size_t>(owner)].first_waiter;
  if (own == kNone) return oldest;
  return places_[own].came_at - places_[oldest].came_at <= kOvertakeMax ? own : oldest;
}

bool PoolQueue::came_before(uint32_t place, uint32_t other) const {
  const Place& one = places_[place];
  const Place& two = places_[other];
  return one.came_at != two.came_at ? one.came_at < two.came_at : one.arrival < two.arrival;
}

Ticket PoolQueue::enqueue(WorkerId worker, Time came_at) {
  uint32_t index = free_;
  if (index != kNone) {
    free_ = places_[index].next;
  } else {
    index = static_cast<uint32_t>(places_.size());
    places_.emplace_back();
  }
  Place& place = places_[index];
  WorkerCounts& own = of(worker);
  place.came_at = came_at;
  place.arrival = ++arrivals_;
  place.worker = worker;
  place.waiting = true;
  // Nearly all come last. One that comes back was first before, or nearly.
  uint32_t next = kNone;
  if (own.last_waiter != kNone && came_before(index, own.last_waiter))
    for (next = own.first_waiter; came_before(next, index);) next = places_[next].next;
  place.next = next;
  place.previous = next == kNone ? own.last_waiter : places_[next].previous;
  (place.previous == kNone ? own.first_waiter : places_[place.previous].next) = index;
  (next == kNone ? own.last_waiter : places_[next].previous) = index;
  ++total_.waiting;
  return Ticket{index, place.generation};
}

Waiter PoolQueue::dequeue(uint32_t index) {
  Place& place = places_[index];
  WorkerCounts& own = of(place.worker);
  (place.previous == kNone ? own.first_waiter : places_[place.previous].next) = place.next;
  (place.next == kNone ? own.last_waiter : places_[place.next].previous) = place.previous;
  Waiter waiter{place.worker, Ticket{index, place.generation}};
  place.waiting = false;
  ++place.generation;
  place.next = free_;
  place.previous = kNone;
  free_ = index;
  --total_.waiting;
  return waiter;
}

}  // namespace fairlead::core
