#include "core/token.h"

namespace fairlead::core {
namespace {

constexpr std::string_view kReset = "RESET fairlead.min_lsn, or set a token of this cluster.";

std::unexpected<Error> bad_token(std::string message, std::string detail) {
  return fail(ErrorCode::kInvalidParameterValue, std::move(message), std::move(detail),
              std::string(kReset));
}

/// Whether the cluster has what was written up to the token on the token's timeline.
bool is_part_of(const sql::FloorToken& token, const ClusterSnapshot& cluster) {
  const uint32_t timeline = token.timeline.value_or(cluster.timeline);
  if (timeline == cluster.timeline) return true;
  return cluster.history && contains(cluster.timeline, *cluster.history, timeline, token.lsn);
}

}  // namespace

std::string token_of(const ClusterSnapshot& cluster) {
  return std::to_string(cluster.system_identifier) + ":" + std::to_string(cluster.timeline) + ":" +
         cluster.position.lsn.to_string();
}

Result<ReadFloor> floor_of(const sql::FloorToken& token, const ClusterSnapshot& cluster,
                           Time arrived) {
  if (token.lsn == Lsn{}) return ReadFloor{};
  if (token.system_identifier && cluster.system_identifier != 0 &&
      *token.system_identifier != cluster.system_identifier) {
    return bad_token("fairlead.min_lsn is a position of another cluster",
                     "its system identifier is " + std::to_string(*token.system_identifier) +
                         ", this cluster's " + std::to_string(cluster.system_identifier));
  }
  const bool is_newer = token.timeline > cluster.timeline;
  // Another Fairlead may have seen a commit or a promotion first. What is lost stays lost.
  const bool is_ahead = token.lsn > cluster.position.lsn || is_newer;
  const bool may_come = is_newer || is_part_of(token, cluster);
  if (is_ahead && may_come && cluster.position.sampled_at <= arrived)
    return ReadFloor{.pending = true};
  if (!is_part_of(token, cluster)) {
    return bad_token(
        "fairlead.min_lsn is a position of timeline " + std::to_string(*token.timeline),
        "the cluster is on timeline " + std::to_string(cluster.timeline) +
            ", and what was written on the other may be lost");
  }
  if (is_ahead) {
    return bad_token("fairlead.min_lsn is ahead of the primary",
                     "it is " + token.lsn.to_string() + ", the primary is at " +
                         cluster.position.lsn.to_string());
  }
  return ReadFloor{.lsn = token.lsn};
}

}  // namespace fairlead::core
