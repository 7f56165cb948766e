// What a probe asks of a node, and what the rows of its answer mean. Pure; probe.h does the asking.
//
// Privileges: the user needs pg_monitor (of which only pg_read_all_stats matters here), or
// pg_stat_wal_receiver shows it no row details and the timeline of a replica comes from the control
// file, which lags behind. Everything else is open to every user (PostgreSQL 15).
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"
#include "core/topology.h"
#include "proxy/conversation.h"

namespace fairlead::proxy {

/// What cannot change while one connection lives: a backend does not outlive its postmaster (D7).
struct NodeIdentity {
  uint64_t system_identifier = 0;
  uint64_t wal_page_size = 0;
  uint64_t wal_segment_size = 0;
  uint32_t server_version = 0;
  int64_t postmaster_started_us = 0;
  bool sees_receiver = false;  // The user may read pg_stat_wal_receiver.

  bool operator==(const NodeIdentity&) const = default;
};

/// Asked once per connection: prepares the probe, then returns one row for read_identity().
extern const std::string_view kIdentitySql;

/// One probe. Besides positions and timeline it reads fairlead.hold_writes_until, which a planned
/// switchover writes into the primary's configuration so that all proxies hold their writes:
/// seconds since 1970 by the server's clock. A time that has passed, or what is none, holds
/// nothing: an interrupted switchover ends by itself. The role is read once, so that a promotion in
/// the middle cannot mix two answers. Prepared, it costs the server 0.06 ms instead of 0.19 ms,
/// which counts while positions are asked for every two milliseconds.
extern const std::string_view kProbeSql;

/// Errors: kProtocolViolation, when the rows are not what was asked for.
Result<NodeIdentity> read_identity(std::span<const Row> rows);

/// All of the observation but its two times and the history.
///
/// Timeline (D20): on a primary that of the WAL it writes, right from the moment of its promotion.
/// On a replica that of the WAL it receives; without a receiver the higher of the control file's
/// two timelines, which may be one promotion old until the next restartpoint, never too new.
Result<core::NodeObservation> read_observation(std::span<const Row> rows,
                                               const NodeIdentity& identity);

/// "1795769693.552321", as EXTRACT(epoch ...) says it, in microseconds; nullopt: it is not that.
std::optional<int64_t> microseconds_of(std::string_view epoch);

/// The highest position that holds everything inserted so far AND that a replica can reach: an
/// insert position directly behind a page header is the page's start (D5, D14).
Lsn reachable(Lsn insert, Lsn flush, const NodeIdentity& identity);

}  // namespace fairlead::proxy
