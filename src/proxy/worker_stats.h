// What one worker counts. Written only by its own thread, so plain integers; Proxy::stats() asks
// each worker for a copy and adds up.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/node_index.h"
#include "sql/reason.h"

namespace fairlead::proxy {

struct WorkerStats {
  std::array<uint64_t, sql::kReasonCount> to_primary{};
  std::array<uint64_t, sql::kReasonCount> to_replica{};
  std::map<std::string, std::vector<uint64_t>> node_statements;  // By cluster, then by node.
  uint64_t clients = 0;
  uint64_t statements_total = 0;
  uint64_t errors_total = 0;
  uint64_t retries_total = 0;
};

}  // namespace fairlead::proxy
