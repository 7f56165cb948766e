// The order of the layers, and how a problem is told.
#include "config/load.h"

#include <fmt/format.h>

#include <utility>

#include "config/availability.h"
#include "config/layers.h"
#include "config/validate.h"

namespace fairlead::config {
namespace {

/// Without any [database...] table: every database, passed through to the only cluster.
void pass_every_database_through(Draft& draft) {
  Config& config = draft.config();
  if (!config.databases.empty()) return;
  Database& database = config.databases["*"];
  if (config.clusters.size() == 1) database.cluster = config.clusters.begin()->first;
}

}  // namespace

std::expected<Config, Problems> load(const Sources& sources) {
  Draft draft;
  const bool readable = apply_file(sources, draft);
  apply_urls(sources, draft);
  // With no idea of the nodes, every further complaint would be about what nobody wrote.
  const bool urls_failed = sources.primary_url && draft.has_problems();
  if (!readable || urls_failed) return std::unexpected(draft.take_problems());
  pass_every_database_through(draft);
  apply_environment(sources, draft);
  tell_stray_variables(sources, draft);
  apply_flags(sources, draft);
  apply_files(sources, draft);
  refuse_not_available(draft);
  validate(draft);
  if (draft.has_problems()) return std::unexpected(draft.take_problems());
  return std::move(draft.config());
}

std::expected<Config, Problems> from_urls(const UrlSource& primary,
                                          const std::vector<UrlSource>& replicas,
                                          const Environment& environment) {
  Sources sources;
  sources.primary_url = primary;
  sources.replica_urls = replicas;
  sources.environment = environment;
  return load(sources);
}

std::string describe(const Problem& problem, std::string_view file_name) {
  std::string out;
  if (problem.line != 0) {
    out = fmt::format("{}:{}:{}: ", file_name, problem.line, problem.column);
  }
  if (!problem.key.empty()) out += problem.key + ": ";
  return out + fairlead::describe(problem.error);
}

}  // namespace fairlead::config
