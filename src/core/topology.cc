// Who is the primary. What that means for each node is in topology_status.cc.
#include "core/topology.h"

#include <algorithm>

namespace fairlead::core {

namespace {

std::string on_timeline(uint32_t timeline) { return "timeline " + std::to_string(timeline); }

// A session that has slept through more of them is told of the oldest one that is left.
constexpr size_t kSuccessionsMax = 16;

bool contains(const std::vector<uint32_t>& timelines, uint32_t timeline) {
  return std::ranges::find(timelines, timeline) != timelines.end();
}

}  // namespace

Topology::Topology(TopologyConfig config)
    : config_(config),
      system_(config.system_identifier),
      system_is_proven_(config.system_identifier != 0) {}

ClusterSnapshot Topology::decide(std::span<const NodeView> views, Time now) {
  for (const NodeView& view : views) remember(view);
  forget_others(views);
  find_system(views, now);
  timeline_seen_ = 0;
  for (const NodeView& view : views)
    if (is_evidence(view, now) && view.last->system_identifier == system_)
      timeline_seen_ = std::max(timeline_seen_, view.last->timeline);

  Verdict verdict = find_primary(views, now);
  install(views, verdict.primary, now);

  ClusterSnapshot snapshot;
  snapshot.decided_at = now;
  snapshot.age_max = config_.snapshot_age_max;
  snapshot.epoch = epoch_;
  snapshot.timeline = timeline_;
  snapshot.system_identifier = system_;
  snapshot.alarm = std::move(verdict.alarm);
  snapshot.nodes.reserve(views.size());
  for (size_t i = 0; i < views.size(); ++i) {
    bool is_primary = verdict.primary == i;
    if (is_primary) {
      snapshot.primary = NodeIndex{static_cast<uint16_t>(i)};
      snapshot.history = views[i].last->history;
      if (!snapshot.history && !lineage_.ancestors.empty()) snapshot.history = lineage_;
      snapshot.holds_writes = views[i].last->holds_writes;
      position_ = {.lsn = views[i].last->insert_lsn,
                   .sampled_at = views[i].last->observed_started_at};
      positions_.add(position_.sampled_at, position_.lsn);
    }
    NodeStatus& status = snapshot.nodes.emplace_back(status_of(views[i], is_primary, now));
    bool is_news =
        status.role == NodeRole::kRefused && (verdict.primary || !is_claim(views[i], now));
    if (!is_news) continue;  // The verdict speaks of the claims itself.
    if (!snapshot.alarm.empty()) snapshot.alarm += "; ";
    snapshot.alarm += status.name + " " + status.reason;
  }
  snapshot.position = position_;
  snapshot.positions = positions_;
  snapshot.successions = successions_;
  return snapshot;
}

Topology::NodeMemory& Topology::memory_of(std::string_view name) {
  auto found = std::ranges::find(memories_, name, &NodeMemory::name);
  if (found != memories_.end()) return *found;
  NodeMemory& memory = memories_.emplace_back();
  memory.name = name;
  return memory;
}

const Topology::NodeMemory* Topology::find_memory(std::string_view name) const {
  auto found = std::ranges::find(memories_, name, &NodeMemory::name);
  return found == memories_.end() ? nullptr : &*found;
}

// Keeps the incarnation (D7): a new postmaster, or replay that goes backwards under the same
// postmaster (it recovered from a crash of one of its processes).
void Topology::remember(const NodeView& view) {
  if (!view.last) return;
  const NodeObservation& seen = *view.last;
  NodeMemory& memory = memory_of(view.name);
  bool is_first = memory.incarnation == 0;
  if (!is_first && seen.observed_at <= memory.observed_at) return;
  bool restarted = seen.postmaster_started_us != memory.postmaster_started_us;
  bool went_back = seen.in_recovery && seen.replay_lsn && seen.replay_lsn < memory.replay_lsn;
  if (is_first || restarted || went_back) ++memory.incarnation;
  if (restarted) memory.followed.clear();
  if (restarted || seen.in_recovery) memory.replay_lsn = seen.replay_lsn;
  memory.postmaster_started_us = seen.postmaster_started_us;
  memory.observed_at = seen.observed_at;
  if (seen.in_recovery && !contains(memory.followed, seen.timeline))
    memory.followed.push_back(seen.timeline);
}

// Names that are used once must not pile up.
void Topology::forget_others(std::span<const NodeView> views) {
  if (memories_.size() <= views.size()) return;
  std::erase_if(memories_, [&](const NodeMemory& memory) {
    return std::ranges::find(views, memory.name, &NodeView::name) == views.end();
  });
}

// Which cluster this is. Until a primary was accepted it is only a working assumption: the cluster
// of the only node that accepts writes, or, without one, the one that all nodes name.
void Topology::find_system(std::span<const NodeView> views, Time now) {
  if (system_is_proven_) return;
  uint64_t of_writable = 0;
  uint64_t of_all = 0;
  bool writable_differ = false;
  bool all_differ = false;
  auto note = [](uint64_t id, uint64_t& known, bool& differ) {
    differ |= known != 0 && known != id;
    known = id;
  };
  for (const NodeView& view : views) {
    if (!is_evidence(view, now)) continue;
    note(view.last->system_identifier, of_all, all_differ);
    if (!view.last->in_recovery) note(view.last->system_identifier, of_writable, writable_differ);
  }
  if (of_writable != 0)
    system_ = writable_differ ? 0 : of_writable;
  else
    system_ = all_differ ? 0 : of_all;
}

bool Topology::is_evidence(const NodeView& view, Time now) const {
  return view.last && view.state != NodeState::kDown &&
         now - view.last->observed_at <= config_.observation_age_max;
}

bool Topology::is_claim(const NodeView& view, Time now) const {
  return is_evidence(view, now) && !view.last->in_recovery && system_ != 0 &&
         view.last->system_identifier == system_;
}

bool Topology::manager_agrees(const NodeView& view, Time now) const {
  if (!config_.managed || view.manager == ManagerWord::kLeader) return true;
  // A silent manager takes nothing away from a primary that goes on unchanged, and in sight (E8).
  return view.manager == ManagerWord::kNone && now - primary_proven_at_ <= config_.manager_ttl &&
         last_primary_ ==
             Primary{std::string(view.name), view.last->timeline, view.last->postmaster_started_us};
}

// The history file decides. Without it, having seen this very postmaster follow that timeline does.
Topology::Descent Topology::descent(const NodeView& node, uint32_t ancestor) const {
  if (node.last->history)
    return node.last->history->left_at(ancestor) ? Descent::kYes : Descent::kNo;
  const NodeMemory* memory = find_memory(node.name);
  bool seen_following = memory && contains(memory->followed, ancestor);
  return seen_following ? Descent::kYes : Descent::kUnknown;
}

Topology::Verdict Topology::find_primary(std::span<const NodeView> views, Time now) const {
  std::vector<size_t> claims;
  std::string unconfirmed;
  for (size_t i = 0; i < views.size(); ++i) {
    if (!is_claim(views[i], now)) continue;
    if (manager_agrees(views[i], now))
      claims.push_back(i);
    else
      unconfirmed = views[i].name;
  }
  if (claims.empty()) {
    if (!unconfirmed.empty())
      return {{},
              "no primary: " + unconfirmed + " accepts writes, but the manager does not name it"};
    if (system_ == 0)
      return {{}, "no primary: the nodes belong to different clusters, or none answers"};
    return {{}, "no primary: no node accepts writes"};
  }
  Verdict verdict = newest_claim(views, claims);
  if (!verdict.primary) return verdict;
  std::string why = why_outdated(views, views[*verdict.primary], now);
  if (!why.empty()) return {{}, "no primary: " + why};
  return verdict;
}

// E2: the highest timeline, if all the others' are its ancestors.
Topology::Verdict Topology::newest_claim(std::span<const NodeView> views,
                                         std::span<const size_t> claims) const {
  size_t newest =
      *std::ranges::max_element(claims, {}, [&](size_t i) { return views[i].last->timeline; });
  const NodeView& best = views[newest];
  for (size_t i : claims) {
    const NodeView& other = views[i];
    // An old primary that came back takes nothing away from the one that followed it.
    if (i == newest || other.last->timeline < timeline_) continue;
    std::string pair = std::string(best.name) + " and " + std::string(other.name);
    if (other.last->timeline == best.last->timeline) {
      std::string alarm = "split brain: " + pair + " both accept writes on " +
                          on_timeline(best.last->timeline) + "; stop one of them";
      if (other.last->postmaster_started_us == best.last->postmaster_started_us)
        alarm += " (both started at the same instant: is one server listed twice?)";
      return {{}, alarm};
    }
    Descent related = descent(best, other.last->timeline);
    if (related == Descent::kYes) continue;
    std::string why =
        related == Descent::kNo ? " is not its ancestor" : " is not known to be its ancestor";
    return {{},
            "split brain: " + pair + " both accept writes, and " +
                on_timeline(other.last->timeline) + " of the latter" + why + "; stop one of them"};
  }
  return {newest, {}};
}

// The last primary under another name, its old one being out of the list: it is still the very
// process that was accepted, and its timeline has not been left since.
bool Topology::is_renamed(std::span<const NodeView> views, const NodeView& claim) const {
  const bool old_name_is_listed = std::ranges::any_of(
      views, [&](const NodeView& view) { return view.name == timeline_owner_ && !view.gone; });
  return !old_name_is_listed && last_primary_ && claim.last->postmaster_started_us != 0 &&
         last_primary_->timeline == claim.last->timeline &&
         last_primary_->postmaster_started_us == claim.last->postmaster_started_us;
}

// What this Fairlead, or a replica, knows better: a claim that was true once must not come back.
std::string Topology::why_outdated(std::span<const NodeView> views, const NodeView& claim,
                                   Time now) const {
  std::string name(claim.name);
  uint32_t timeline = claim.last->timeline;
  std::string accepts = name + " accepts writes on " + on_timeline(timeline);
  if (timeline < timeline_)
    return accepts + ", but " + timeline_owner_ + " was the primary on " + on_timeline(timeline_) +
           " since";
  if (timeline == timeline_ && claim.name != timeline_owner_ && !is_renamed(views, claim))
    return accepts + ", where " + timeline_owner_ +
           " is the primary; a promotion would have begun a new timeline";
  if (timeline_ != 0 && timeline > timeline_ && descent(claim, timeline_) == Descent::kNo)
    return accepts + ", which does not descend from the cluster's " + on_timeline(timeline_);
  for (const NodeView& view : views)
    if (is_evidence(view, now) && view.last->system_identifier == system_ &&
        view.last->timeline > timeline)
      return accepts + ", but " + std::string(view.name) + " follows the newer " +
             on_timeline(view.last->timeline);
  return {};
}

// What of the last primary's timeline the new one has; 0: nobody knows. Its history says so.
// Without that it says itself where it was promoted, until it restarts, and what it was seen to
// have replayed as a replica is a lower bound of that. Both are positions on the timeline that it
// was promoted from: of one with another in between nothing is known.
Lsn Topology::left_at(const NodeView& successor) const {
  const NodeObservation& seen = *successor.last;
  if (seen.history) return seen.history->left_at(timeline_).value_or(Lsn{});
  const NodeMemory* memory = find_memory(successor.name);
  const bool was_watched = memory && contains(memory->followed, timeline_);
  if (!was_watched || seen.timeline != timeline_ + 1) return {};
  return std::max(seen.promoted_at, memory->replay_lsn);
}

void Topology::note_succession(const NodeView& successor) {
  Succession& now = successions_.emplace_back(Succession{.epoch = epoch_, .timeline = timeline_});
  now.left_at = left_at(successor);
  if (now.left_at) {
    lineage_.ancestors.push_back({timeline_, now.left_at});
    now.kept_until = positions_.last_at_or_before(now.left_at).value_or(Time{});
  } else {
    lineage_.ancestors.clear();  // What was kept of older ones may have been lost here.
  }
  if (successions_.size() > kSuccessionsMax) successions_.erase(successions_.begin());
}

void Topology::install(std::span<const NodeView> views, std::optional<size_t> primary, Time now) {
  has_primary_ = primary.has_value();
  if (!primary) {
    // The last primary still accepts writes and is not believed any more: fence it (E3). One that
    // only stopped answering keeps its epoch until somebody else is the primary.
    auto is_last = [&](const NodeView& view) {
      return last_primary_ && view.name == last_primary_->name && is_claim(view, now);
    };
    if (std::ranges::any_of(views, is_last)) {
      ++epoch_;
      last_primary_.reset();
    }
    return;
  }
  primary_proven_at_ = now;
  const NodeView& view = views[*primary];
  Primary identity{std::string(view.name), view.last->timeline, view.last->postmaster_started_us};
  if (last_primary_ != identity) ++epoch_;
  if (timeline_ != 0 && identity.timeline > timeline_) note_succession(view);
  if (timeline_ != identity.timeline) {
    lag_clock_.reset();
    positions_.reset();
  }
  timeline_ = identity.timeline;
  timeline_owner_ = identity.name;
  last_primary_ = std::move(identity);
  system_is_proven_ = true;
  lag_clock_.add(view.last->observed_started_at, view.last->flush_lsn);
}

}  // namespace fairlead::core
