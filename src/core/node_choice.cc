#include "core/node_choice.h"

#include <algorithm>
#include <string>

#include "core/token.h"
#include "wire/printable.h"

namespace fairlead::core {
namespace {

using sql::Reason;

constexpr Duration kWithoutEnd = std::chrono::hours(24 * 365);  // pool_timeout = "0s".

Reason reason_of(NoReplica why) {
  switch (why) {
    case NoReplica::kFloorPending:
    case NoReplica::kAllBehindFloor:
      return Reason::kOwnWrite;
    case NoReplica::kSnapshotStale:
    case NoReplica::kNoneUsable:
    case NoReplica::kAllLag:
      return Reason::kNoReplica;
  }
  return Reason::kNoReplica;
}

/// `freshness` is not Eligible.
Reason reason_of(const Freshness& freshness) {
  const auto* wait = std::get_if<WaitForFreshness>(&freshness);
  return reason_of(wait != nullptr ? wait->reason : std::get<UsePrimary>(freshness).reason);
}

Target target_of(const ClusterSnapshot& cluster, NodeIndex node) {
  return cluster.primary == node ? Target::kPrimary : Target::kReplica;
}

Choice choose_primary(Reason reason, const ChoiceView& view) {
  if (view.cluster.takes_writes()) {
    return {.now = NodeChoice{
                .node = *view.cluster.primary, .target = Target::kPrimary, .reason = reason}};
  }
  if (view.cluster.holds_writes)
    return {.now = std::unexpected(writes_are_held()), .patience = view.options.failover_hold};
  return {.now = fail(ErrorCode::kCannotConnectNow, "there is no primary to send this statement to",
                      view.cluster.why_no_primary(),
                      "Reads go on. Look at the nodes with \"fairlead check\"."),
          .patience = view.options.failover_hold};
}

/// Whoever made the token knows of a promotion that this Fairlead has not heard of yet: the primary
/// that is known cannot have what the token asks for (D20).
bool is_beyond_primary(const Route& route, const ClusterSnapshot& cluster) {
  return route.read.min_lsn && route.read.min_lsn->timeline > cluster.timeline;
}

/// Error: fairlead.min_lsn cannot be satisfied by this cluster.
Result<ReadNeeds> needs_of(const Route& route, const ReadHistory& history, const ChoiceView& view) {
  const ChoiceOptions& options = view.options;
  ReadNeeds needs{.max_lag = route.read.max_lag,
                  .primary_reads = options.primary_reads && !route.replica_only &&
                                   view.cluster.takes_writes() &&
                                   !is_beyond_primary(route, view.cluster)};
  // Whoever asks for a node by its name wants it as it is.
  if (!needs.max_lag && route.node.empty()) needs.max_lag = options.max_lag;
  set_floors(route.read.consistency.value_or(options.consistency), history, view.cluster.positions,
             needs);
  if (!route.read.min_lsn) return needs;
  const auto asked = floor_of(*route.read.min_lsn, view.cluster, history.arrived);
  if (!asked) return std::unexpected(asked.error());
  needs.floor = higher_floor(needs.floor, *asked);
  if (needs.same_node) needs.same_node->floor = higher_floor(needs.same_node->floor, *asked);
  return needs;
}

/// A replica that the client names is not spared what its reads must see, but may lag: as long as
/// the client asks for no less.
Choice choose_named_replica(NodeIndex index, const Route& route, const ReadHistory& history,
                            const ChoiceView& view) {
  const auto needs = needs_of(route, history, view);
  if (!needs) return {.now = std::unexpected(needs.error())};
  const auto why_not = core::why_not(view.cluster.node(index), index, *needs);
  if (!why_not)
    return {.now = NodeChoice{.node = index,
                              .target = Target::kReplica,
                              .reason = route.reason,
                              .opened_before = opened_before(view.cluster, *needs, index)}};
  const bool may_come = reason_of(*why_not) == Reason::kOwnWrite;
  return {.now = fail(ErrorCode::kCannotConnectNow,
                      "the node \"" + wire::printable(route.node) +
                          "\" is not fresh enough for this statement",
                      std::string(may_come ? "it has not replayed what the statement must see"
                                           : "it is further behind than fairlead.max_lag"),
                      "Set fairlead.route to 'auto', or ask for less with fairlead.consistency."),
          .patience = may_come ? patience_of_read(route, view.options, view.cluster.takes_writes())
                               : Duration{},
          .wants_positions = may_come};
}

Choice choose_named(const Route& route, const ReadHistory& history, const ChoiceView& view) {
  const ClusterSnapshot& cluster = view.cluster;
  for (size_t i = 0; i < cluster.nodes.size(); ++i) {
    const NodeStatus& node = cluster.nodes[i];
    if (node.name != route.node) continue;
    const NodeIndex index{static_cast<uint16_t>(i)};
    const Target target = target_of(cluster, index);
    if (target == Target::kPrimary) return choose_primary(route.reason, view);
    if (!node.usable_for_reads) break;
    return choose_named_replica(index, route, history, view);
  }
  return {.now =
              fail(ErrorCode::kCannotConnectNow,
                   "the node \"" + wire::printable(route.node) + "\" cannot serve this statement",
                   "it is not one of the cluster's nodes, or it is not usable for reads now",
                   "Set fairlead.route to 'auto' or to the host:port of a healthy node.")};
}

Freshness find_eligible(const ReadNeeds& needs, const ChoiceView& view) {
  return find_eligible(view.cluster, needs, view.in_use, view.now, view.scratch);
}

Choice primary_instead(const Route& route, Reason why, const ChoiceView& view) {
  if (!is_beyond_primary(route, view.cluster)) return choose_primary(why, view);
  return {
      .now = fail(ErrorCode::kCannotConnectNow,
                  "the primary of the timeline of fairlead.min_lsn is not known yet",
                  "the cluster was last seen on timeline " + std::to_string(view.cluster.timeline),
                  "Try again, or RESET fairlead.min_lsn."),
      .patience = view.options.failover_hold};
}

/// But for those that have failed the request, even if there are no others.
std::span<const Candidate> without(std::span<Candidate> candidates,
                                   std::span<const NodeIndex> avoid) {
  const auto gone = std::ranges::remove_if(candidates, [&](const Candidate& candidate) {
    return std::ranges::find(avoid, candidate.node) != avoid.end();
  });
  return candidates.first(candidates.size() - gone.size());
}

Choice choose_replica(const LeaseWish& wish, const ReadHistory& history, const ChoiceView& view,
                      Balancer& balancer, uint64_t random_word) {
  const Route& route = wish.route;
  const auto needs = needs_of(route, history, view);
  if (!needs) return {.now = std::unexpected(needs.error())};
  if (wish.past_replicas && view.cluster.takes_writes()) {
    return primary_instead(route, wish.avoid.empty() ? Reason::kOwnWrite : Reason::kNoReplica,
                           view);
  }
  const Freshness freshness = find_eligible(*needs, view);
  Reason why = Reason::kNoReplica;
  if (const auto* eligible = std::get_if<Eligible>(&freshness)) {
    const auto candidates = without(view.scratch.first(eligible->count), wish.avoid);
    if (!candidates.empty()) {
      const NodeIndex node = balancer.pick(candidates, wish.kept, random_word);
      return {.now = NodeChoice{.node = node,
                                .target = target_of(view.cluster, node),
                                .reason = route.reason,
                                .opened_before = opened_before(view.cluster, *needs, node)}};
    }
  } else {
    why = reason_of(freshness);
  }
  const bool is_own_write = why == Reason::kOwnWrite;
  const Duration patience = is_own_write
                                ? patience_of_read(route, view.options, view.cluster.takes_writes())
                                : Duration{};
  if (!route.replica_only) {
    Choice primary = primary_instead(route, why, view);
    primary.patience = std::max(primary.patience, patience);
    primary.wants_positions = is_own_write;
    return primary;
  }
  return {.now = fail(ErrorCode::kCannotConnectNow, "there is no replica to send this statement to",
                      std::string(sql::reason_description(why)),
                      "Connect to the automatic port to read from the primary meanwhile."),
          .patience = patience,
          .wants_positions = is_own_write};
}

}  // namespace

Error writes_are_held() {
  return {ErrorCode::kCannotConnectNow,
          "writes are held for a planned change of the primary, which takes too long",
          "fairlead.hold_writes_until is set on the primary, or Patroni has it scheduled for now",
          "Try again; if nobody is at work there, take the setting back and reload."};
}

// Where there is no primary to go to, patience is all.
Duration patience_of_read(const Route& route, const ChoiceOptions& options, bool takes_writes) {
  if (route.replica_only)
    return options.pool_timeout == Duration{} ? kWithoutEnd : options.pool_timeout;
  return takes_writes ? options.freshness_wait : options.failover_hold;
}

Choice choose_node(const LeaseWish& wish, const ReadHistory& history, const ChoiceView& view,
                   Balancer& balancer, uint64_t random_word) {
  const Route& route = wish.route;
  if (!route.node.empty()) return choose_named(route, history, view);
  // A greeting needs the primary only because a new database is there first.
  const bool anywhere =
      route.reason == Reason::kLocal && !view.cluster.takes_writes() && !view.options.observes;
  if (route.target == Target::kReplica || anywhere)
    return choose_replica(wish, history, view, balancer, random_word);
  return choose_primary(route.reason, view);
}

StillShows still_shows(NodeIndex node, Time opened_at, const Route& route,
                       const ReadHistory& history, const ChoiceView& view) {
  const auto needs = needs_of(route, history, view);
  if (!needs) return StillShows::kTooLittle;
  if (const auto why = why_not(view.cluster.node(node), node, *needs))
    return reason_of(*why) == Reason::kOwnWrite ? StillShows::kNotYet : StillShows::kTooLittle;
  const Time limit = opened_before(view.cluster, *needs, node);
  return limit == Time{} || opened_at < limit ? StillShows::kAll : StillShows::kNotYet;
}

Foresight foresee(const Route& route, const ReadHistory& history, const ChoiceView& view) {
  ReadHistory moved = history;
  moved.answered = {};  // By the primary, for the sake of the mode alone (D21).
  if (!route.node.empty()) {
    const Choice named = choose_named(route, moved, view);
    if (!named.now)
      return {named.wants_positions ? Foreseen::kWaits : Foreseen::kFails, named.wants_positions};
    return {named.now->target == Target::kReplica ? Foreseen::kMoves : Foreseen::kStays};
  }
  auto needs = needs_of(route, moved, view);
  if (!needs) return {Foreseen::kFails};
  needs->primary_reads = false;  // It would take its share of what could move.
  const Freshness freshness = find_eligible(*needs, view);
  if (std::holds_alternative<Eligible>(freshness)) return {Foreseen::kMoves};
  if (reason_of(freshness) != Reason::kOwnWrite) return {Foreseen::kNoReplica};
  return {Foreseen::kWaits, true};
}

}  // namespace fairlead::core
