// The rules of E10 and E12.
#include "cluster/election.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <tuple>

namespace fairlead::cluster {

namespace {

constexpr const char* kAllowLoss = "--allow-loss promotes without that";

auto place(const Candidate& candidate) {
  return std::tuple(candidate.examined, candidate.timeline, candidate.position);
}

std::string all_why_not(const std::vector<Candidate>& candidates) {
  std::vector<std::string> out;
  for (const Candidate& candidate : candidates)
    if (!candidate.examined)
      out.push_back(fmt::format("{}: {}", candidate.name, candidate.why_not));
  return fmt::format("{}", fmt::join(out, "; "));
}

struct Quorum {
  size_t listed = 0;
  size_t examined = 0;
  size_t needed = 0;
};

/// With FIRST k it is not known which k of them were connected at a commit, so that any k may have
/// been: the same number as with ANY k.
Quorum quorum_of(const Ballot& ballot) {
  const StandbyList& list = ballot.old_primary.commits_waited_for;
  Quorum out;
  out.listed = list.names.size();
  size_t nodes_listed = 0;
  for (const Candidate& candidate : ballot.candidates) {
    if (!list.lists(candidate.name)) continue;
    ++nodes_listed;
    out.examined += candidate.examined ? 1 : 0;
  }
  // "*" lists every replica that there is.
  if (list.everyone) out.listed = nodes_listed;
  out.needed = out.listed + 1 > list.rule.count ? out.listed + 1 - list.rule.count : 0;
  // A list that is shorter than its count let no commit through.
  out.needed = std::max<size_t>(out.needed, 1);
  return out;
}

Result<Verdict> refuse_or_lose(const Ballot& ballot, size_t chosen, Error why) {
  if (!ballot.allow_loss) return std::unexpected(std::move(why));
  return Verdict{chosen, false, why.message};
}

Result<Verdict> judge_wanted(const Ballot& ballot, size_t best) {
  const auto wanted = std::ranges::find(ballot.candidates, ballot.wanted, &Candidate::name);
  const auto index = static_cast<size_t>(wanted - ballot.candidates.begin());
  const Candidate& first = ballot.candidates[best];
  if (!wanted->examined)
    return fail(ErrorCode::kCannotConnectNow, fmt::format("{} cannot be promoted", wanted->name),
                wanted->why_not, fmt::format("{} has the most of all that answer", first.name));
  const std::string behind =
      wanted->timeline == first.timeline
          ? fmt::format("{} bytes", first.position.value - wanted->position.value)
          : fmt::format("on timeline {} instead of {}", wanted->timeline, first.timeline);
  return refuse_or_lose(
      ballot, index,
      {ErrorCode::kInvalidParameterValue,
       fmt::format("{} lacks what {} has: {}", wanted->name, first.name, behind),
       fmt::format("{} is at {}, {} at {}", wanted->name, wanted->position.to_string(), first.name,
                   first.position.to_string()),
       fmt::format("promote {}; {}", first.name, kAllowLoss)});
}

/// The most advanced one is chosen: is it known that it has everything?
Result<Verdict> judge_best(const Ballot& ballot, size_t best) {
  const OldPrimary& old = ballot.old_primary;
  const Candidate& chosen = ballot.candidates[best];
  if (old.clean_end && chosen.timeline >= old.timeline && chosen.position > *old.clean_end)
    return Verdict{
        best, true,
        fmt::format("{} has all that {} wrote before its shutdown", chosen.name, old.name)};
  if (!old.commits_waited_for.rule.is_on()) {
    const std::string unknown = all_why_not(ballot.candidates);
    return Verdict{
        best, false,
        fmt::format("replication is asynchronous: what {} had not received of {} is "
                    "lost, how much is not known{}{}",
                    chosen.name, old.name, unknown.empty() ? "" : "; not examined: ", unknown)};
  }
  const Quorum quorum = quorum_of(ballot);
  const std::string rule = to_string(old.commits_waited_for.rule);
  if (quorum.examined >= quorum.needed)
    return Verdict{best, true,
                   fmt::format("each commit was on {} of {} standbys, and {} of them were compared",
                               old.commits_waited_for.rule.count, quorum.listed, quorum.examined)};
  return refuse_or_lose(
      ballot, best,
      {ErrorCode::kCannotConnectNow,
       fmt::format("acknowledged commits may be lost: {} of the {} standbys of \"{}\" must be "
                   "compared, and {} could be",
                   quorum.needed, quorum.listed, rule, quorum.examined),
       all_why_not(ballot.candidates),
       fmt::format("start the others and run the command again; {}", kAllowLoss)});
}

}  // namespace

Result<Verdict> elect(const Ballot& ballot) {
  const auto best = std::ranges::max_element(ballot.candidates, {}, place);
  if (best == ballot.candidates.end() || !best->examined)
    return fail(ErrorCode::kCannotConnectNow, "there is no replica that could be promoted",
                all_why_not(ballot.candidates), "start a replica, or the old primary itself");
  const auto index = static_cast<size_t>(best - ballot.candidates.begin());
  if (ballot.wanted.empty() || ballot.wanted == best->name) return judge_best(ballot, index);
  const auto wanted = std::ranges::find(ballot.candidates, ballot.wanted, &Candidate::name);
  if (wanted == ballot.candidates.end())
    return fail(ErrorCode::kInvalidParameterValue, fmt::format("{} is no replica", ballot.wanted));
  if (place(*wanted) == place(*best))
    return judge_best(ballot, static_cast<size_t>(wanted - ballot.candidates.begin()));
  return judge_wanted(ballot, index);
}

}  // namespace fairlead::cluster
