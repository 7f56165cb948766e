#include "pool_world.h"

#include <algorithm>
#include <numeric>

namespace fairlead::sim {

using core::SlotState;
using core::WorkerId;

namespace {

template <class T>
T take_any(std::vector<T>& from, Dice& dice) {
  size_t i = dice.below(from.size());
  T taken = from[i];
  from[i] = from.back();
  from.pop_back();
  return taken;
}

}  // namespace

uint64_t Dice::next() {
  uint64_t x = state_ += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

PoolWorld::PoolWorld(uint64_t seed)
    : dice_(seed),
      workers_(static_cast<uint16_t>(1 + dice_.below(4))),
      size_(1 + dice_.below(6)),
      slots_allowed_(size_),
      pool_(workers_, {.size = size_, .waiters_max = 12}),
      is_calm_(dice_.one_in(2)),
      idle_(workers_) {}

void PoolWorld::expect(bool condition, const char* what) {
  if (!condition && failure_.empty())
    failure_ = std::string(what) + " (step " + std::to_string(steps_) + ")";
}

WorkerId PoolWorld::some_worker() { return WorkerId{static_cast<uint16_t>(dice_.below(workers_))}; }

void PoolWorld::step() {
  ++steps_;
  now_ += Duration(1 + dice_.below(1000));
  switch (dice_.below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
      arrive();
      break;
    case 4:
    case 5:
    case 6:
      finish_request();
      break;
    case 7:
    case 8:
    case 9:
      deliver();
      break;
    case 10:
    case 11:
      finish_opening(/*may_fail=*/true);
      break;
    case 12:
      finish_closing();
      break;
    case 13:
      leave();
      break;
    case 14:
      kill_idle();
      break;
    default:
      switch (dice_.below(4)) {
        case 0:
          resize(dice_.below(7));
          break;
        case 1:
          expire();
          break;
        case 2:
          trim();
          break;
        default: {
          WorkerId worker = some_worker();
          bool somebody_waits = !fifo_.empty();
          if (pool_.try_open_spare(worker)) {
            expect(!somebody_waits, "a spare server does not overtake a waiter");
            openings_.push_back({worker, kNobody});
          }
        }
      }
  }
  check();
}

void PoolWorld::drain() {
  draining_ = true;
  resize(std::max(size_, 1u));
  for (int i = 0; i < 100'000; ++i) {
    ++steps_;
    bool at_rest = messages_.empty() && openings_.empty() && closings_.empty() && busy_.empty();
    if (at_rest) break;
    deliver();
    finish_opening(/*may_fail=*/false);
    finish_closing();
    finish_request();
    check();
    if (!failure_.empty()) return;
  }
  trim();
  while (!closings_.empty()) finish_closing();
  check();
  for (const Request& request : requests_)
    expect(request.state == Request::State::kOver, "no client is forgotten");
  core::PoolCounts counts = pool_.counts(now_);
  expect(counts.in_use() == counts.idle, "at rest every slot is idle");
  expect(counts.idle <= size_, "at rest there are at most size servers");
  for (uint16_t w = 0; w < workers_; ++w)
    for (uint32_t i = 0; i < idle_[w]; ++i)
      expect(pool_.acquire(WorkerId{w}, now_) == core::Acquire(core::TakeIdle{}),
             "every idle server can be taken by its own worker");
}

// What the pool says must be what there is: each slot in use is one server, one operation or one
// message under way.
void PoolWorld::check() {
  core::PoolCounts counts = pool_.counts(now_);
  uint32_t idle_in_all = std::accumulate(idle_.begin(), idle_.end(), 0u);
  auto count = [&](Message::Kind kind) {
    return static_cast<uint32_t>(std::ranges::count(messages_, kind, &Message::kind));
  };
  expect(counts.size == size_, "the size is told");
  expect(counts.waiting == fifo_.size(), "waiters add up");
  expect(counts.moving == count(Message::Kind::kSteal), "promised servers add up");
  expect(counts.busy == busy_.size() + servers_on_the_way_, "busy servers add up");
  expect(counts.opening == openings_.size() + count(Message::Kind::kOpen), "openings add up");
  expect(counts.closing == closings_.size(), "closings add up");
  expect(counts.idle <= idle_in_all && idle_in_all <= counts.idle + counts.moving,
         "idle servers exist, and those beyond are promised");
  expect(physical_servers() <= counts.in_use(), "no server lives without a slot");
  slots_allowed_ = std::max(size_, std::min(slots_allowed_, counts.in_use()));
  expect(counts.in_use() <= slots_allowed_, "never more than size servers");
  if (!fifo_.empty()) {
    expect(counts.idle == 0, "nobody waits while a server is idle");
    expect(counts.in_use() >= size_, "nobody waits while a slot is free");
  }
}

size_t PoolWorld::physical_servers() const {
  return std::accumulate(idle_.begin(), idle_.end(), size_t{0}) + busy_.size() +
         servers_on_the_way_ + openings_.size() + closings_.size();
}

void PoolWorld::arrive() {
  if (is_calm_ && !dice_.one_in(3)) return;
  auto id = static_cast<RequestId>(requests_.size());
  WorkerId worker = some_worker();
  // Some come back, and came first a while ago.
  const Time came_at = dice_.one_in(6) ? now_ - Duration(dice_.below(20'000)) : now_;
  core::Acquire answer = pool_.acquire(worker, came_at);
  if (std::holds_alternative<core::Refuse>(answer)) {
    expect(fifo_.size() == 12, "a client is refused only when the queue is full");
    return;
  }
  requests_.push_back({.worker = worker, .since = came_at});
  if (auto* wait = std::get_if<core::Wait>(&answer)) {
    requests_[id].state = Request::State::kWaiting;
    requests_[id].ticket = wait->ticket;
    const auto later = std::ranges::upper_bound(
        fifo_, came_at, {}, [&](RequestId waiting) { return requests_[waiting].since; });
    fifo_.insert(later, id);
    return;
  }
  expect(fifo_.empty(), "nobody overtakes a waiter");
  if (std::holds_alternative<core::TakeIdle>(answer)) {
    take_physical(worker);
    if (dice_.one_in(8)) {  // Found dead before use.
      pool_.reopen(worker);
      start_opening(worker, id);
    } else {
      become_busy(id);
    }
  } else if (std::holds_alternative<core::Open>(answer)) {
    start_opening(worker, id);
  } else {
    WorkerId from = std::get<core::Steal>(answer).from;
    expect(from != worker, "nobody steals from himself");
    ++steals_;
    messages_.push_back({Message::Kind::kSteal, from, id});
  }
}

void PoolWorld::leave() {
  if (requests_.empty()) return;
  Request& request = requests_[dice_.below(requests_.size())];
  if (!request.wanted || request.state == Request::State::kOver ||
      request.state == Request::State::kBusy)
    return;
  give_up(static_cast<RequestId>(&request - requests_.data()));
}

void PoolWorld::give_up(RequestId id) {
  Request& request = requests_[id];
  request.wanted = false;
  if (request.state == Request::State::kPending && request.ticket == core::Ticket{}) return;
  auto queued = std::ranges::find(fifo_, id);
  bool was_queued = queued != fifo_.end();
  bool cancelled = pool_.cancel(request.ticket);
  expect(cancelled == was_queued, "a cancel succeeds exactly while the client is in the queue");
  expect(!pool_.cancel(request.ticket), "a ticket is cancelled once");
  if (!cancelled) ++late_cancels_;
  if (!cancelled || !was_queued) return;
  fifo_.erase(queued);
  request.state = Request::State::kOver;
}

void PoolWorld::deliver() {
  if (messages_.empty()) return;
  Message message = take_any(messages_, dice_);
  Request& request = requests_[message.request];
  switch (message.kind) {
    case Message::Kind::kSteal:
      receive_steal(message);
      break;
    case Message::Kind::kServer:
      receive_server(message);
      break;
    case Message::Kind::kOpen:
      if (request.wanted) {
        start_opening(message.to, message.request);
      } else {
        request.state = Request::State::kOver;
        on_grant(pool_.on_closed(message.to, SlotState::kOpening));
      }
      break;
  }
}

void PoolWorld::receive_steal(const Message& message) {
  WorkerId asker = requests_[message.request].worker;
  if (pool_.on_steal_request(message.to, asker) == core::StealAnswer::kHandOver) {
    take_physical(message.to);
    ++servers_on_the_way_;
    messages_.push_back({Message::Kind::kServer, asker, message.request});
  } else {
    ++broken_promises_;
    messages_.push_back({Message::Kind::kOpen, asker, message.request});
  }
}

void PoolWorld::receive_server(const Message& message) {
  --servers_on_the_way_;
  Request& request = requests_[message.request];
  bool is_dead = !draining_ && dice_.one_in(8);
  if (is_dead && request.wanted) {
    pool_.reopen(message.to);
    start_opening(message.to, message.request);
  } else if (request.wanted) {
    become_busy(message.request);
  } else {
    request.state = Request::State::kOver;
    if (is_dead)
      on_grant(pool_.on_closed(message.to, SlotState::kBusy));
    else
      give_back(message.to);
  }
}

void PoolWorld::finish_opening(bool may_fail) {
  if (openings_.empty()) return;
  Operation opening = take_any(openings_, dice_);
  Request* request = opening.request == kNobody ? nullptr : &requests_[opening.request];
  if (may_fail && dice_.one_in(4)) {
    if (request) request->state = Request::State::kOver;  // The client gets the error.
    on_grant(pool_.on_closed(opening.worker, SlotState::kOpening));
    return;
  }
  pool_.on_opened(opening.worker);
  if (request && request->wanted) {
    become_busy(opening.request);
    return;
  }
  if (request) request->state = Request::State::kOver;
  give_back(opening.worker);
}

void PoolWorld::finish_closing() {
  if (closings_.empty()) return;
  on_grant(pool_.on_closed(take_any(closings_, dice_), SlotState::kClosing));
}

void PoolWorld::finish_request() {
  if (busy_.empty()) return;
  Request& request = requests_[take_any(busy_, dice_)];
  request.state = Request::State::kOver;
  ++served_;
  if (!draining_ && dice_.one_in(8))
    on_grant(pool_.on_closed(request.worker, SlotState::kBusy));  // The server died in use.
  else
    give_back(request.worker);
}

void PoolWorld::give_back(WorkerId worker) {
  core::PoolCounts before = pool_.counts(now_);
  bool is_too_many = before.in_use() - before.closing > size_;
  core::Handover handover = pool_.release(worker);
  expect(is_too_many == std::holds_alternative<core::CloseIt>(handover),
         "a server is closed at release if and only if there are too many");
  if (std::holds_alternative<core::KeepIdle>(handover)) {
    ++idle_[static_cast<size_t>(worker)];
  } else if (std::holds_alternative<core::CloseIt>(handover)) {
    closings_.push_back(worker);
  } else {
    auto given = std::get<core::GiveTo>(handover);
    ++servers_on_the_way_;
    const Duration may_overtake = given.worker == worker ? core::kOvertakeMax : Duration{0};
    messages_.push_back(
        {Message::Kind::kServer, given.worker, pop_waiter(given.ticket, may_overtake)});
  }
}

void PoolWorld::kill_idle() {
  WorkerId worker = some_worker();
  if (idle_[static_cast<size_t>(worker)] == 0) return;
  take_physical(worker);
  on_grant(pool_.on_closed(worker, SlotState::kIdle));
}

void PoolWorld::trim() {
  for (uint16_t w = 0; w < workers_; ++w) {
    bool is_one_too_old = !draining_ && dice_.one_in(2);
    while ((is_one_too_old || pool_.surplus() > 0) && pool_.close_idle(WorkerId{w})) {
      is_one_too_old = false;
      take_physical(WorkerId{w});
      closings_.push_back(WorkerId{w});
    }
  }
}

void PoolWorld::expire() {
  Duration timeout(dice_.below(20'000));
  while (!fifo_.empty() && now_ - requests_[fifo_.front()].since >= timeout) give_up(fifo_.front());
  expect(fifo_.empty() || pool_.counts(now_).longest_wait < timeout,
         "nobody waits longer than the timeout");
}

void PoolWorld::resize(uint32_t size) {
  size_ = size;
  pool_.set_size(size);
  slots_allowed_ = std::max(size, pool_.counts(now_).in_use());
  while (auto grant = pool_.grant_next()) on_grant(grant);
}

void PoolWorld::on_grant(std::optional<core::GrantOpen> grant) {
  if (!grant) return;
  messages_.push_back({Message::Kind::kOpen, grant->worker, pop_waiter(grant->ticket, {})});
}

/// `may_overtake`: by how much those of other workers may have come before.
PoolWorld::RequestId PoolWorld::pop_waiter(core::Ticket ticket, Duration may_overtake) {
  const auto served =
      std::ranges::find_if(fifo_, [&](RequestId id) { return requests_[id].ticket == ticket; });
  expect(served != fifo_.end(), "only a waiter is served");
  if (served == fifo_.end()) return 0;
  const RequestId id = *served;
  Request& request = requests_[id];
  for (auto before = fifo_.begin(); before != served; ++before) {
    const Request& overtaken = requests_[*before];
    expect(overtaken.worker != request.worker, "first come, first served on one worker");
    expect(may_overtake > Duration{0} && request.since - overtaken.since <= may_overtake,
           "first come, first served, but for a moment");
    ++overtakings_;
  }
  fifo_.erase(served);
  request.state = Request::State::kPending;
  return id;
}

void PoolWorld::become_busy(RequestId request) {
  requests_[request].state = Request::State::kBusy;
  busy_.push_back(request);
}

void PoolWorld::start_opening(WorkerId worker, RequestId request) {
  openings_.push_back({worker, request});
}

void PoolWorld::take_physical(WorkerId worker) {
  uint32_t& idle = idle_[static_cast<size_t>(worker)];
  expect(idle > 0, "a server that may be taken exists");
  if (idle > 0) --idle;
}

}  // namespace fairlead::sim
