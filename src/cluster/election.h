// Which replica becomes the primary, and what is known about loss. Pure.
//
// The positions are of replicas that receive nothing any more, because the old primary is fenced
// and their receivers have ended (E12).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/lsn.h"
#include "cluster/standby_list.h"

namespace fairlead::cluster {

/// What was learned of one replica.
struct Candidate {
  std::string name;
  bool examined = false;
  std::string why_not = {};  // When it was not examined: "it is stopped".
  uint32_t timeline = 0;
  Lsn position = {};  // The end of what it received or replayed, whichever is further (E12).

  bool operator==(const Candidate&) const = default;
};

/// What the old primary left behind on disk.
struct OldPrimary {
  std::string name;
  StandbyList commits_waited_for;
  /// The last record of a clean shutdown. Nothing: it crashed, or its folder is not readable.
  std::optional<Lsn> clean_end = {};
  uint32_t timeline = 0;  // Of clean_end.
};

struct Ballot {
  OldPrimary old_primary;
  std::vector<Candidate> candidates;
  std::string wanted = {};  // Empty: the most advanced one.
  bool allow_loss = false;
};

struct Verdict {
  size_t chosen = 0;  // Index into the candidates.
  bool nothing_lost = false;
  std::string reason = {};  // Why nothing is lost, or what may be.
};

/// The most advanced by (timeline, position). Refuses to lose an acknowledged commit where commits
/// waited for standbys: of n listed ones of which any k had each commit, n-k+1 must have been
/// examined (E10). Refuses to take a less advanced one. `allow_loss` overrules both.
Result<Verdict> elect(const Ballot& ballot);

}  // namespace fairlead::cluster
