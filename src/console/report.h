// What the workers have to say for the console: one Report each, added up where it was asked for.
//
// Pure values. A worker fills in what the view asks for and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/observation.h"
#include "core/pins.h"
#include "sql/reason.h"

namespace fairlead::console {

/// A client that keeps its server beyond the transaction.
struct PinnedClient {
  uint32_t client_id = 0;  // What its driver calls the backend's process id.
  std::string addr = {};   // host:port
  std::string user = {};
  std::string database = {};  // As the client calls it.
  std::string node = {};      // host:port of the server that it holds …
  uint32_t server_pid = 0;    // … and that server's own process id.
  core::PinReasons reasons = {};
  core::PinReasons perhaps = {};  // More, which is looked at when one of `reasons` may have ended.
  double since_s = 0;             // That it has held this server.
};

struct ObservedDatabase {
  std::string database;  // As clients call it.
  double since_s = 0;
  core::ObservedTotals totals;
  std::vector<core::ObservedShape> shapes;
};

struct Report {
  std::array<uint64_t, sql::kReasonCount> to_primary{};
  std::array<uint64_t, sql::kReasonCount> to_replica{};
  std::vector<PinnedClient> pins;
  std::vector<ObservedDatabase> observed;  // One for each database.

  /// Adds what another worker has.
  void add(Report part);
};

}  // namespace fairlead::console
