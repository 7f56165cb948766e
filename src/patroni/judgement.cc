#include "patroni/judgement.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::patroni {
namespace {

using std::chrono::seconds;

// Dates and dcs_last_seen are whole seconds of two clocks' readings: words that are no further
// apart are equally new.
constexpr Duration kEquallyNew = seconds(3);

enum class Says : uint8_t { kNothing, kNobody, kLeader };

// A plan's time is known to a second or two; transactions that run get the rest to end.
constexpr Duration kHoldBefore = seconds(3);
// Patroni drops a plan that it is late for by its loop_wait, 10 s.
constexpr Duration kHoldAfter = seconds(15);

/// One report that is about our cluster and new enough.
struct Word {
  const Report* report = nullptr;
  Time as_of{};
  Says says = Says::kNothing;
  std::string leader;  // host:port

  bool agrees_with(const Word& other) const { return says == other.says && leader == other.leader; }
};

std::string_view scope_of(const Report& report) {
  if (report.status && !report.status->scope.empty()) return report.status->scope;
  return report.cluster ? std::string_view(report.cluster->scope) : std::string_view{};
}

std::string age_of(Duration age) {
  return fmt::format("{} s", std::chrono::duration_cast<seconds>(age).count());
}

/// What a report that is new says about who leads.
Says meaning_of(const Report& report, const Member* leader) {
  const bool is_locked = !report.status->cluster_unlocked;
  if (is_locked && leader != nullptr && leader->address) return Says::kLeader;
  const bool says_nothing = report.status->paused || report.status->failsafe_active ||
                            (report.cluster && report.cluster->paused);
  return says_nothing ? Says::kNothing : Says::kNobody;
}

/// nullopt, and why, when the report is of no use now.
std::optional<Word> read_word(const Report& report, const JudgeConfig& config, Time now,
                              std::vector<Trouble>& troubles) {
  const auto useless = [&](std::string why, std::string hint) {
    troubles.push_back(
        {report.url, {ErrorCode::kCannotConnectNow, std::move(why), {}, std::move(hint)}});
    return std::nullopt;
  };
  if (report.trouble) troubles.push_back({report.url, *report.trouble});
  if (!report.status) return std::nullopt;
  const auto heard = heard_at(report);
  if (!heard)
    return useless("it does not say when it last heard its store (dcs_last_seen)",
                   "Fairlead needs Patroni 2.1 or newer, and one that has reached its store once.");
  if (now - *heard > config.ttl)
    return useless("it last heard its store " + age_of(now - *heard) + " ago",
                   "Look at that Patroni's log: is it cut off from etcd, Consul or ZooKeeper?");
  Word word{.report = &report, .as_of = *heard, .leader = {}};
  const bool knows_members = report.cluster && now - report.cluster_asked_at <= config.ttl;
  if (!knows_members && !report.status->cluster_unlocked) return std::nullopt;
  const Member* leader = knows_members ? report.cluster->leader() : nullptr;
  word.says = meaning_of(report, leader);
  if (word.says == Says::kLeader) {
    word.leader = leader->address->to_string();
    word.as_of = std::min(word.as_of, report.cluster_asked_at);
  }
  return word;
}

/// Leaves out who speaks of another cluster.
std::vector<const Report*> of_our_cluster(std::span<const Report> reports,
                                          const JudgeConfig& config,
                                          std::vector<Trouble>& troubles) {
  std::string_view ours = config.scope;
  std::vector<const Report*> out;
  for (const Report& report : reports) {
    const std::string_view scope = scope_of(report);
    if (ours.empty()) ours = scope;
    if (scope.empty() || scope == ours) {
      out.push_back(&report);
      continue;
    }
    troubles.push_back({report.url,
                        {ErrorCode::kConfig,
                         fmt::format("it is of the cluster \"{}\", not of \"{}\"", scope, ours),
                         {},
                         "Leave the address out of patroni_urls, or set patroni_scope to the one "
                         "that is meant."}});
  }
  return out;
}

std::string text_of(const Word& word) {
  return word.report->url + (word.leader.empty() ? " names nobody" : " names " + word.leader);
}

/// The word that counts among those that speak; null: nobody does, or they contradict each other.
const Word* find_verdict(std::span<const Word> words, std::vector<Trouble>& troubles) {
  std::vector<const Word*> newest;
  Time latest{};
  for (const Word& word : words)
    if (word.says != Says::kNothing) latest = std::max(latest, word.as_of);
  for (const Word& word : words)
    if (word.says != Says::kNothing && latest - word.as_of <= kEquallyNew) newest.push_back(&word);
  for (const Word* candidate : newest) {
    const auto agreeing = std::ranges::count_if(
        newest, [&](const Word* other) { return other->agrees_with(*candidate); });
    if (2 * static_cast<size_t>(agreeing) > newest.size()) return candidate;
  }
  if (newest.empty()) return nullptr;
  std::string who;
  for (const Word* word : newest) who += (who.empty() ? "" : "; ") + text_of(*word);
  troubles.push_back(
      {{},
       {ErrorCode::kCannotConnectNow, "the addresses contradict each other", std::move(who),
        "It is over within seconds, or something answers in "
        "Patroni's place: compare with patronictl list."}});
  return nullptr;
}

void add_members(const ClusterAnswer& answer, std::vector<ManagedNode>& nodes) {
  for (const Member& member : answer.members) {
    if (!member.address) continue;
    const auto known = std::ranges::find(nodes, *member.address, &ManagedNode::address);
    if (known != nodes.end()) {
      known->noloadbalance |= member.noloadbalance;
    } else {
      nodes.push_back({.member = member.name,
                       .address = *member.address,
                       .noloadbalance = member.noloadbalance});
    }
  }
}

std::optional<Time> switchover_of(const Report& report) {
  const auto& scheduled = report.cluster->switchover;
  if (!scheduled || !report.cluster_date_s) return std::nullopt;
  // Bounded, so that no date can overflow a Time.
  constexpr int64_t kYear = 366 * 86'400;
  const int64_t in_s = std::clamp(scheduled->at_s - *report.cluster_date_s, -kYear, kYear);
  return report.cluster_asked_at + seconds(in_s);
}

}  // namespace

std::string Trouble::text() const { return (about.empty() ? "" : about + ": ") + describe(error); }

core::ManagerWord Judgement::word_on(std::string_view node) const {
  if (!speaks) return core::ManagerWord::kNone;
  return !leader.empty() && node == leader ? core::ManagerWord::kLeader
                                           : core::ManagerWord::kNotLeader;
}

const core::TimelineHistory* Judgement::history_of(uint32_t timeline) const {
  if (!history) return nullptr;
  const uint32_t newest = history->ancestors.empty() ? 1 : history->ancestors.back().timeline + 1;
  return timeline == newest ? &*history : nullptr;
}

bool Judgement::holds_writes(Time now) const {
  return switchover_at && now >= *switchover_at - kHoldBefore && now < *switchover_at + kHoldAfter;
}

std::optional<Time> heard_at(const Report& report) {
  if (!report.status || !report.status->dcs_last_seen_s || !report.status_date_s)
    return std::nullopt;
  const int64_t age_s = *report.status_date_s - *report.status->dcs_last_seen_s;
  constexpr int64_t kDay = 86'400;
  return report.status_asked_at - seconds(std::clamp(age_s, int64_t{0}, kDay));
}

Judgement judge(std::span<const Report> reports, const JudgeConfig& config, Time now) {
  Judgement judgement;
  std::vector<Word> words;
  for (const Report* report : of_our_cluster(reports, config, judgement.troubles))
    if (auto word = read_word(*report, config, now, judgement.troubles))
      words.push_back(std::move(*word));
  std::ranges::sort(words, std::ranges::greater{}, &Word::as_of);

  const bool any_speaks =
      std::ranges::any_of(words, [](const Word& word) { return word.says != Says::kNothing; });
  const Word* verdict = find_verdict(words, judgement.troubles);
  judgement.speaks = any_speaks;
  if (verdict != nullptr) judgement.leader = verdict->leader;
  for (const Word& word : words) {
    const Report& report = *word.report;
    if (!report.cluster || words.front().as_of - word.as_of > kEquallyNew) continue;
    add_members(*report.cluster, judgement.nodes);
    judgement.paused |= report.cluster->paused;
    if (!judgement.switchover_at) judgement.switchover_at = switchover_of(report);
    if (!judgement.history) judgement.history = report.history;
  }
  std::ranges::sort(judgement.nodes, {}, &ManagedNode::member);
  return judgement;
}

}  // namespace fairlead::patroni
