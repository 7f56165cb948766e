// What the portals run that a client has bound and not read to their end, so that an Execute in a
// later request has its effects (C2, C4, C12d). Most portals are executed in the request that binds
// them, and are never in here.
//
// Only memory: a portal that is not in here may exist on the server all the same, and one that is
// may be gone; then its Execute fails, and nothing of it counts. Pure; one per client.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/request_plan.h"

namespace fairlead::core {

/// What one client can make us hold. Drivers have a portal or two for each cursor that they read in
/// parts; the bytes are those of names and of the settings that set_config() would make.
struct ClientPortalLimits {
  size_t portals_max = 1000;
  size_t bytes_max = size_t{1} << 20;
};

class ClientPortals {
 public:
  explicit ClientPortals(ClientPortalLimits limits = {}) : limits_(limits) {}

  /// Bound, instead of what the name meant before. Beyond the limits it is not remembered.
  void keep(std::string_view name, Execution execution);
  void drop(std::string_view name);
  /// What it runs; null: not known. Valid until the next change.
  const Execution* find(std::string_view name) const;
  /// Portals end with their transaction.
  void clear();

  size_t size() const { return kept_.size(); }

 private:
  ClientPortalLimits limits_;
  std::map<std::string, Execution, std::less<>> kept_;
  size_t bytes_ = 0;
};

}  // namespace fairlead::core
