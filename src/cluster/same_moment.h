// One database on several nodes, read as it was at one moment on all of them, while others write.
//
// begin() takes a snapshot on the primary and notes the WAL position behind it; a replica takes its
// own once it has replayed that far. What was written in between may be in the second and not in
// the first: tables that are equal are proven to be equal, tables that are not may only have
// changed. For those begin() can hold their writers up, on the primary, for the time that the
// replicas take to get there: then no commit lies between the snapshots, and what differs, differs.
// (Without the lock not even a paused replica would do: a transaction becomes visible on the
// primary after its commit is in the WAL, and with synchronous replication long after.)
//
// Blocks its thread; read() uses a thread for each node.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/lsn.h"
#include "cluster/cluster.h"
#include "cluster/table_sums.h"

namespace fairlead::cluster {

class SameMoment {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  /// Connects to no one yet. `nodes`: the primary first. `stop` ends every wait early. All must
  /// outlive this.
  SameMoment(const Cluster& cluster, std::vector<const Node*> nodes, std::string database,
             const StopFlag& stop);

  struct Hold {
    TableName table;  // Whose writers wait, until every replica is there ...
    std::chrono::milliseconds
        patience;  // ... or this has passed: for the lock, and again for them.
  };

  /// Opens what is not open, and takes the snapshots. An Error: the primary gives none, the lock
  /// was not to be had, or (kUndefinedObject) the table that was to be locked is gone. A replica
  /// that does not get there within `patience` (of `hold` where it is given) has trouble() instead.
  Result<void> begin(std::chrono::milliseconds patience, const std::optional<Hold>& hold);

  /// What each node has, as of begin(). A node with trouble has an Error for each table, and one
  /// that is left out has none.
  std::vector<TableSums> read(const std::vector<TableName>& tables, Deadline deadline);

  /// All tables that any node has, as of begin().
  Result<std::vector<TableName>> tables(const std::string& without_schema);

  /// What was there under the name of the last begin()'s hold while it was held. Whoever drops or
  /// empties the table may come in between that and read(), which finds another one then.
  const TableIdentity& held() const { return held_; }

  /// Whether a transaction on the primary is making or dropping the table: it keeps its lock until
  /// everybody can see what it has done. While it waits for a replica (synchronous_standby_names)
  /// that one shows it already.
  Result<bool> is_being_made_or_dropped(uint32_t oid);

  void end();

  /// From now on nobody waits for the node.
  void leave_out(size_t node) { readers_[node].left_out = true; }
  bool is_left_out(size_t node) const { return readers_[node].left_out; }
  size_t nodes() const { return readers_.size(); }
  const std::optional<Error>& trouble(size_t node) const { return readers_[node].trouble; }

 private:
  struct Reader {
    const Node* node;
    std::optional<SqlConnection> sql;
    std::optional<Error> trouble;  // Since the last begin().
    bool left_out = false;
  };

  Result<SqlConnection> connect(const Node& node) const;
  Result<void> open();
  Result<Lsn> begin_on_primary(const std::optional<Hold>& hold);
  Result<void> flush_up_to(Lsn position);
  Result<void> begin_on_replica(Reader& reader, Lsn position, Deadline deadline);

  const Cluster& cluster_;
  std::string database_;
  const StopFlag& stop_;
  std::vector<Reader> readers_;
  TableIdentity held_;
  std::optional<SqlConnection> beside_;  // To the primary, too, for what its snapshot cannot do.
};

}  // namespace fairlead::cluster
