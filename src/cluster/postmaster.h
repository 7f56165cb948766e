// The server process of a node, found through its data directory and proven by the system: a pid in
// a file may have become anybody's by now, so no process is ever signalled unless it works in that
// directory. Linux only (/proc).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cluster/progress.h"

namespace fairlead::cluster {

/// The running server of a data directory, by postmaster.pid and the process itself.
struct Postmaster {
  pid_t pid = 0;
  bool accepts_connections = false;  // It wrote "ready" into its file.
};

/// Nothing when there is no file, or its process is gone or is not this node's server.
std::optional<Postmaster> find_postmaster(const std::string& data_dir);

/// Removes a postmaster.pid that no running server of this directory holds, and the shared memory
/// that it names. PostgreSQL itself would refuse to start when the number in it is alive for any
/// reason: given to another process after a reboot, or a zombie that nobody waits for. Gives the
/// backends of one that was just killed 5 s to end; does nothing while a process works there.
void forget_dead_postmaster(const std::string& data_dir, const std::string& socket);

/// False when the directory is gone, or is empty because its disk is not mounted.
bool has_data(const std::string& data_dir);

/// Whether the directory says that the node comes up as a standby.
bool is_standby(const std::string& data_dir);

/// Fast shutdown of a verified postmaster: transactions are ended, everything is written. Waits for
/// its end up to `patience`. Nothing running is fine.
Result<void> stop_postmaster(const std::string& data_dir, std::chrono::seconds patience,
                             const StopFlag& stop);

/// Ends every process that works in `data_dir`, at once: an immediate shutdown, then SIGKILL. Also
/// those that are frozen (SIGSTOP), and backends whose postmaster was killed. Then frees the shared
/// memory segment that a killed postmaster left. Transactions are lost as in a crash.
Result<void> end_processes_in(const std::string& data_dir);

/// The processes whose working directory is `data_dir`: a server and its backends.
std::vector<pid_t> processes_in(const std::string& data_dir);

}  // namespace fairlead::cluster
