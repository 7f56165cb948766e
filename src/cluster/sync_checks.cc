#include "cluster/sync_checks.h"

#include <fmt/format.h>

#include "cluster/status.h"

namespace fairlead::cluster {

namespace {

/// A rule that the settings of the server make meaningless is worse than none: everybody believes
/// in it.
Result<void> check_commits_wait(const Cluster& cluster, const Node& primary) {
  auto sql = SqlConnection::open(cluster.as_superuser(primary));
  if (!sql) return std::unexpected(sql.error());
  const auto level = sql->value("SHOW synchronous_commit");
  if (!level) return std::unexpected(level.error());
  if (*level != "off" && *level != "local") return {};
  return fail(ErrorCode::kConfig,
              fmt::format("commits on {} wait for no replica: synchronous_commit is {} there",
                          primary.name, *level),
              "a rule of synchronous replication would have no effect",
              "set it to on first: ALTER SYSTEM SET synchronous_commit = on, pg_reload_conf()");
}

}  // namespace

Result<void> check_rule(const Cluster& cluster, size_t primary, const SyncRule& rule,
                        std::optional<size_t> leaving) {
  if (!rule.is_on()) return {};
  const std::vector<StatusRow> rows = ask_nodes(cluster);
  size_t members = 0;
  size_t streaming = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i == primary || i == leaving || cluster.nodes[i].standing != Standing::kMember) continue;
    ++members;
    // Paused replay does not matter: a commit waits for the disk of the replica.
    if (rows[i].role == Role::kReplica &&
        (rows[i].state == "streaming" || rows[i].state == "replay paused"))
      ++streaming;
  }
  if (rule.count > members)
    return fail(ErrorCode::kInvalidParameterValue,
                fmt::format("a commit cannot wait for {} of {} replica{}", rule.count, members,
                            members == 1 ? "" : "s"),
                "every commit would wait for ever",
                leaving ? "change the rule first: fairlead cluster sync"
                        : "ask for fewer, or add a replica with fairlead cluster add-replica");
  if (rule.count > streaming)
    return fail(
        ErrorCode::kCannotConnectNow,
        fmt::format("commits on {} would wait for {} replica{}, and {} of the others stream{}",
                    cluster.nodes[primary].name, rule.count, rule.count == 1 ? "" : "s", streaming,
                    streaming == 1 ? "s" : ""),
        {}, "start the others (fairlead cluster start), or ask for fewer");
  return check_commits_wait(cluster, cluster.nodes[primary]);
}

}  // namespace fairlead::cluster
