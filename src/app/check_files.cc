#include "app/check_files.h"

#include "proxy/shared.h"

namespace fairlead::app {

std::optional<Finding> check_files(std::shared_ptr<const config::Config> config) {
  auto settings = proxy::make_settings(std::move(config));
  if (settings) return std::nullopt;
  return Finding{Finding::Severity::kProblem, "configuration", std::move(settings.error())};
}

}  // namespace fairlead::app
