// What one pooled server is, apart from its connection: what the session on it has, and what it
// still owes.
//
// A plain movable value without pointers to anything: an idle server may go to another worker's
// thread. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "core/node_index.h"
#include "core/parameter_status.h"
#include "core/prepared_server.h"
#include "core/response_queue.h"
#include "core/variable_set.h"
#include "wire/backend.h"

namespace fairlead::core {

struct ServerState {
  NodeIndex node{};
  uint64_t id = 0;     // Unique in the process.
  uint64_t epoch = 0;  // Of the cluster when it was opened (E3).
  uint32_t backend_pid = 0;
  std::string cancel_secret;
  /// F41: a cancel request for it was sent, and nobody knows whether it has arrived. It ends with
  /// its client's lease.
  bool cancel_may_come = false;
  ReportedParameters login_reported;   // Everything, as at its login.
  ReportedParameters reported;         // Of the session only; what describes the node is left out.
  std::optional<bool> in_hot_standby;  // As it said last (E5), before PostgreSQL 14 at its login.
  VariableSet variables;
  /// C18: somebody may have called nextval() since its session's numbers were thrown away last.
  bool sequences_used = false;
  ServerStatements statements{HashKey{}};
  /// How many changes of the catalog there were when its statements were parsed.
  uint64_t catalog_changes = 0;
  ResponseQueue responses;
  wire::TxStatus status = wire::TxStatus::kIdle;
  /// When its postmaster started, by that one's clock; nullopt: not known (D7, D20).
  std::optional<int64_t> postmaster_started_us;
  Time opened_at{};
  Time idle_since{};

  /// A ParameterStatus came, at login or later.
  void on_parameter(std::string_view name, std::string_view value);
};

}  // namespace fairlead::core
