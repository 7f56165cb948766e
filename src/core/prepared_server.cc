#include "core/prepared_server.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/assert.h"

namespace fairlead::core {

ServerStatements::ServerStatements(HashKey key, size_t capacity)
    : hash_key_(key), capacity_(capacity) {
  require(capacity > 0, "a server may have at least one prepared statement");
}

PreparedKey ServerStatements::key_of(const PreparedStatement& statement,
                                     uint64_t parse_state) const {
  return prepared_key(hash_key_, statement, parse_state);
}

PreparedPlan ServerStatements::plan_use(const PreparedStatement& statement, uint64_t parse_state) {
  PreparedPlan plan{.key = key_of(statement, parse_state), .parse = false, .close = {}};
  const auto found = index_.find(plan.key);
  if (found != index_.end()) {
    touch(found->second);
    Slot& slot = slots_[found->second];
    if (slot.state == State::kPoisoned) {
      pending_.push_back({Pending::Kind::kClose, plan.key, State::kPoisoned});
      pending_.push_back({Pending::Kind::kParse, plan.key});
      slot.state = State::kInFlight;
      plan.parse = true;
      plan.close = plan.key;
    } else if (size() > capacity_) [[unlikely]] {
      plan.close = close_least_used();
    }
    return plan;
  }
  if (size() >= capacity_) plan.close = close_least_used();
  insert(plan.key, State::kInFlight, lease_);
  pending_.push_back({Pending::Kind::kParse, plan.key});
  plan.parse = true;
  return plan;
}

bool ServerStatements::plan_use_unnamed(const PreparedStatement& statement, uint64_t parse_state) {
  const PreparedKey key = key_of(statement, parse_state);
  if (unnamed_ == key) return false;
  unnamed_ = key;
  pending_.push_back({Pending::Kind::kParseUnnamed, key});
  return true;
}

void ServerStatements::drop_unnamed() { unnamed_.reset(); }

void ServerStatements::on_close_complete() {
  answered(Pending::Kind::kClose, Pending::Kind::kClose);
}

std::optional<PreparedKey> ServerStatements::oldest_parse() const {
  if (unanswered() == 0 || pending_[pending_begin_].kind == Pending::Kind::kClose) return {};
  return pending_[pending_begin_].key;
}

PreparedKey ServerStatements::on_parse_complete() {
  require(pending_begin_ < pending_.size(), "only what was sent is answered");
  const Pending oldest = pending_[pending_begin_];
  if (oldest.kind == Pending::Kind::kParse) {
    const auto found = index_.find(oldest.key);
    if (found != index_.end() && slots_[found->second].state == State::kInFlight)
      slots_[found->second].state = State::kPresent;
  }
  answered(Pending::Kind::kParse, Pending::Kind::kParseUnnamed);
  return oldest.key;
}

void ServerStatements::on_error_skip() {
  // Newest first, so that a Close and Parse of the same name leave what was there before both.
  for (; pending_.size() > pending_begin_; pending_.pop_back()) {
    const Pending& skipped = pending_.back();
    switch (skipped.kind) {
      case Pending::Kind::kParse:
        erase(skipped.key);
        break;
      case Pending::Kind::kClose:
        if (!skipped.is_dropped) insert(skipped.key, skipped.closed_state, lease_);
        break;
      case Pending::Kind::kParseUnnamed:
        unnamed_.reset();  // A Parse that fails has dropped the old one (C12).
        break;
    }
  }
  pending_.clear();
  pending_begin_ = 0;
}

void ServerStatements::poison_all() {
  for (const auto& [key, index] : index_) slots_[index].state = State::kPoisoned;
  unnamed_.reset();
}

void ServerStatements::on_counted(size_t count) {
  if (count == size()) return;
  count == 0 ? forget_all() : poison_all();
}

void ServerStatements::on_boundary() {
  require(pending_.empty(), "at a boundary every Parse and Close has its answer");
  ++lease_;
}

void ServerStatements::forget_all() {
  require(pending_.empty(), "DISCARD ALL is answered after everything before it");
  index_.clear();
  slots_.clear();
  free_slots_.clear();
  oldest_ = newest_ = kNone;
  unnamed_.reset();
}

void ServerStatements::on_all_dropped() {
  std::vector<PreparedKey> dropped;
  const auto unanswered = std::span(pending_).subspan(pending_begin_);
  for (const auto& [key, index] : index_) {
    const bool is_sent = std::ranges::any_of(unanswered, [&](const Pending& pending) {
      return pending.kind == Pending::Kind::kParse && pending.key == key;
    });
    if (!is_sent) dropped.push_back(key);
  }
  for (const PreparedKey key : dropped) erase(key);
  for (Pending& pending : unanswered) pending.is_dropped = true;
}

bool ServerStatements::has(PreparedKey key) const {
  const auto found = index_.find(key);
  return found != index_.end() && slots_[found->second].state != State::kPoisoned;
}

std::optional<PreparedKey> ServerStatements::close_least_used() {
  if (oldest_ == kNone) return {};
  const Slot& slot = slots_[oldest_];
  // In order of use, so if this one is in use, all are.
  if (slot.used_in_lease == lease_) return {};
  const PreparedKey key = slot.key;
  pending_.push_back({Pending::Kind::kClose, key, slot.state});
  erase(key);
  return key;
}

void ServerStatements::insert(PreparedKey key, State state, uint64_t used_in_lease) {
  SlotIndex index = 0;
  if (free_slots_.empty()) {
    index = static_cast<SlotIndex>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[index] = {.key = key, .state = state, .used_in_lease = used_in_lease};
  link_newest(index);
  index_.emplace(key, index);
}

void ServerStatements::erase(PreparedKey key) {
  const auto found = index_.find(key);
  if (found == index_.end()) return;
  unlink(found->second);
  free_slots_.push_back(found->second);
  index_.erase(found);
}

void ServerStatements::link_newest(SlotIndex index) {
  slots_[index].older = newest_;
  slots_[index].newer = kNone;
  (newest_ == kNone ? oldest_ : slots_[newest_].newer) = index;
  newest_ = index;
}

void ServerStatements::unlink(SlotIndex index) {
  const Slot& slot = slots_[index];
  (slot.older == kNone ? oldest_ : slots_[slot.older].newer) = slot.newer;
  (slot.newer == kNone ? newest_ : slots_[slot.newer].older) = slot.older;
}

void ServerStatements::touch(SlotIndex index) {
  slots_[index].used_in_lease = lease_;
  if (index == newest_) return;
  unlink(index);
  link_newest(index);
}

void ServerStatements::answered(Pending::Kind a, Pending::Kind b) {
  require(pending_begin_ < pending_.size(), "only what was sent is answered");
  const Pending::Kind kind = pending_[pending_begin_].kind;
  require(kind == a || kind == b, "Parse and Close are answered in order");
  ++pending_begin_;
  // All of it mostly; a part when a client never lets the pipeline run dry.
  if (pending_begin_ < pending_.size() && pending_begin_ < 64) return;
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<ptrdiff_t>(pending_begin_));
  pending_begin_ = 0;
}

}  // namespace fairlead::core
