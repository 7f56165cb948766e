#include "core/snapshot_gate.h"

#include <algorithm>

#include "base/assert.h"

namespace fairlead::core {
namespace {

/// The same without a primary.
SnapshotGate::Snapshot closed(const ClusterSnapshot& snapshot) {
  auto copy = std::make_shared<ClusterSnapshot>(snapshot);
  copy->primary.reset();
  copy->holds_writes = false;
  copy->alarm = "the primary has changed, and is used once nobody uses the old one any more";
  return copy;
}

}  // namespace

SnapshotGate::Publication SnapshotGate::publish(Snapshot snapshot, bool confirm) {
  return {.snapshot = std::move(snapshot), .number = ++number_, .confirm = confirm};
}

SnapshotGate::Publication SnapshotGate::on_decided(Snapshot snapshot) {
  latest_ = std::move(snapshot);
  // Nobody uses a primary before the first one is known.
  if (open_epoch_ == 0) open_epoch_ = latest_->epoch;
  if (latest_->epoch != open_epoch_) {
    const bool is_news = latest_->epoch != closing_epoch_;
    if (is_news) {
      closing_epoch_ = latest_->epoch;
      closing_number_ = number_ + 1;
    }
    holding_number_ = 0;
    return publish(closed(*latest_), is_news);
  }
  if (!latest_->holds_writes) holding_number_ = 0;
  const bool begins_to_hold = latest_->holds_writes && holding_number_ == 0;
  if (begins_to_hold) holding_number_ = number_ + 1;
  return publish(latest_, begins_to_hold);
}

bool SnapshotGate::on_taken(size_t worker, uint64_t number) {
  uint64_t& taken = taken_.at(worker);
  taken = std::max(taken, number);
  return latest_->epoch != open_epoch_ && all_have_taken(closing_number_);
}

SnapshotGate::Publication SnapshotGate::on_open() {
  require(all_have_taken(closing_number_), "somebody may still use the old primary");
  open_epoch_ = closing_epoch_;
  return on_decided(latest_);
}

bool SnapshotGate::all_hold() const {
  return holding_number_ != 0 && all_have_taken(holding_number_);
}

bool SnapshotGate::all_have_taken(uint64_t number) const {
  return std::ranges::all_of(taken_, [&](uint64_t taken) { return taken >= number; });
}

}  // namespace fairlead::core
