#include "sim/position_truth.h"

#include <algorithm>

namespace fairlead::sim {
namespace {

constexpr uint64_t kSystem = 7;
constexpr Lsn kStart{1000};
constexpr uint64_t kCommitBytes = 10;

}  // namespace

ClusterTruth::ClusterTruth(size_t nodes) : nodes_(nodes), histories_(1) {
  for (TrueNode& node : nodes_) {
    node.inserted = node.flushed = node.received = kStart;
    node.applied = node.reported = node.consistent = kStart;
  }
  nodes_[0].in_recovery = false;
}

size_t ClusterTruth::write(size_t index, Table table) {
  TrueNode& node = nodes_[index];
  node.inserted.value += kCommitBytes;
  commits_.push_back({.timeline = node.timeline, .at = node.inserted, .table = table});
  return commits_.size() - 1;
}

void ClusterTruth::insert_other_wal(size_t node, uint64_t bytes) {
  nodes_[node].inserted.value += bytes;
}

void ClusterTruth::flush(size_t node) { nodes_[node].flushed = nodes_[node].inserted; }

bool ClusterTruth::make_visible(size_t node, uint64_t life, size_t commit) {
  if (!nodes_[node].up || nodes_[node].life != life) return false;
  commits_[commit].visible = true;
  return true;
}

void ClusterTruth::stream(size_t index, size_t from, uint64_t bytes) {
  TrueNode& replica = nodes_[index];
  const TrueNode& source = nodes_[from];
  if (!replica.up || !replica.in_recovery || !source.up || source.in_recovery) return;
  if (replica.timeline != source.timeline) {
    // It follows to the new timeline unless it has more of the old one.
    if (!has(source.timeline, replica.timeline, replica.received)) return;
    replica.timeline = source.timeline;
  }
  const uint64_t upto = std::min(source.flushed.value, replica.received.value + bytes);
  replica.received.value = std::max(replica.received.value, upto);
}

void ClusterTruth::apply(size_t index, uint64_t bytes) {
  TrueNode& replica = nodes_[index];
  if (!replica.up || !replica.in_recovery) return;
  replica.applied.value = std::min(replica.received.value, replica.applied.value + bytes);
}

void ClusterTruth::set_up(size_t index, bool up) {
  if (nodes_[index].up == up) return;
  if (up) return restart(index);
  nodes_[index].up = false;
}

void ClusterTruth::restart(size_t index) {
  TrueNode& node = nodes_[index];
  ++node.life;
  node.up = true;
  node.hangs = false;
  if (node.in_recovery) {
    node.applied = node.reported = node.consistent;
    return;
  }
  for (Commit& commit : commits_) {
    if (commit.timeline != node.timeline) continue;
    if (commit.at > node.flushed) commit.forgotten = true;
    commit.visible = true;
  }
  node.inserted = node.flushed;
}

void ClusterTruth::promote(size_t index) {
  TrueNode& node = nodes_[index];
  node.applied = node.reported = node.received;
  core::TimelineHistory history = histories_[node.timeline - 1];
  history.ancestors.push_back({node.timeline, node.received});
  histories_.push_back(std::move(history));
  node.timeline = static_cast<uint32_t>(histories_.size());
  node.in_recovery = false;
  node.inserted = node.flushed = node.received;
  head_ = index;
  for (size_t i = 0; i < commits_.size(); ++i) commits_[i].visible |= is_on(node.timeline, i);
}

void ClusterTruth::rejoin(size_t index) {
  TrueNode& node = nodes_[index];
  const TrueNode& head = nodes_[head_];
  ++node.life;
  node.up = true;
  node.hangs = false;
  node.in_recovery = true;
  node.timeline = head.timeline;
  node.received = node.applied = node.reported = node.consistent = head.flushed;
}

bool ClusterTruth::has(uint32_t timeline, uint32_t of_token, Lsn position) const {
  return core::contains(timeline, histories_[timeline - 1], of_token, position);
}

bool ClusterTruth::is_on(uint32_t timeline, size_t index) const {
  const Commit& commit = commits_[index];
  return !commit.forgotten && has(timeline, commit.timeline, commit.at);
}

bool ClusterTruth::shows(const TrueNode& node, size_t index) const {
  if (!is_on(node.timeline, index)) return false;
  const Commit& commit = commits_[index];
  if (node.in_recovery) return commit.at <= node.applied;
  return commit.timeline != node.timeline || commit.visible;
}

CommitSet ClusterTruth::shown_by(size_t node) const {
  CommitSet shown;
  for (size_t i = 0; i < commits_.size(); ++i) shown[i] = shows(nodes_[node], i);
  return shown;
}

CommitSet ClusterTruth::visible_anywhere() const {
  CommitSet visible;
  for (size_t i = 0; i < commits_.size(); ++i) visible[i] = commits_[i].visible;
  return visible;
}

CommitSet ClusterTruth::of_table(Table table) const {
  CommitSet of;
  for (size_t i = 0; i < commits_.size(); ++i) of[i] = commits_[i].table == table;
  return of;
}

core::NodeObservation ClusterTruth::observe(size_t index) const {
  const TrueNode& node = nodes_[index];
  core::NodeObservation seen{
      .in_recovery = node.in_recovery,
      .timeline = node.timeline,
      .system_identifier = kSystem,
      .postmaster_started_us = static_cast<int64_t>(index * 1000 + node.life),
      .server_version = 150'000,
      .history = histories_[node.timeline - 1]};
  if (node.in_recovery) {
    seen.receive_lsn = node.received;
    seen.replay_lsn = node.reported;
  } else {
    seen.insert_lsn = node.inserted;
    seen.flush_lsn = node.flushed;
  }
  return seen;
}

}  // namespace fairlead::sim
