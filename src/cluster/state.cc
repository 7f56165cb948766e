// The JSON form of a ClusterState.
#include "cluster/state.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "cluster/json_fields.h"
#include "cluster/operation_json.h"

namespace fairlead::cluster {

namespace {

namespace json = boost::json;

/// Raised when the meaning of the file changes; older programs then refuse it instead of misreading
/// it.
constexpr int64_t kFormat = 2;

constexpr std::array<std::string_view, 3> kPhaseNames = {"creating", "ready", "destroying"};

std::unexpected<Error> unreadable(std::string_view why) {
  return fail(ErrorCode::kIo, "the cluster's state file is not readable", std::string(why),
              "restore cluster.json, or remove the cluster with destroy");
}

json::object spec_to_json(const ClusterSpec& spec) {
  json::object settings;
  for (const auto& [name, value] : spec.settings) settings[name] = value;
  return {{"dir", spec.dir},
          {"replicas", spec.replicas},
          {"pg_bin", spec.pg_bin},
          {"os_user", spec.os_user},
          {"host", spec.host},
          {"base_port", spec.base_port},
          {"database", spec.database},
          {"superuser", spec.superuser},
          {"monitor_user", spec.monitor_user},
          {"replication_user", spec.replication_user},
          {"application_user", spec.application_user},
          {"settings", std::move(settings)},
          {"sync", to_string(spec.sync)},
          {"throw_away", spec.throw_away}};
}

ClusterSpec spec_from_json(FieldReader& in) {
  ClusterSpec spec;
  spec.dir = in.text("dir");
  spec.replicas = in.integer<int>("replicas", kReplicasMax);
  spec.pg_bin = in.text("pg_bin");
  spec.os_user = in.text("os_user");
  spec.host = in.text("host");
  spec.base_port = in.integer<uint16_t>("base_port", 65535);
  spec.database = in.text("database");
  spec.superuser = in.text("superuser");
  spec.monitor_user = in.text("monitor_user");
  spec.replication_user = in.text("replication_user");
  spec.application_user = in.text("application_user");
  spec.throw_away = in.boolean("throw_away");
  spec.sync = in.named("sync", [](std::string_view text) { return parse_sync_rule(text); });
  const json::value* settings = in.find("settings");
  if (settings == nullptr || !settings->is_object()) {
    in.broken("settings");
    return spec;
  }
  for (const auto& [name, value] : settings->get_object()) {
    if (!value.is_string())
      in.broken("settings");
    else
      spec.settings[std::string(name)] = std::string(value.get_string());
  }
  return spec;
}

std::optional<Phase> phase_from(std::string_view name) {
  for (size_t i = 0; i < kPhaseNames.size(); ++i)
    if (kPhaseNames[i] == name) return static_cast<Phase>(i);
  return std::nullopt;
}

}  // namespace

std::string to_json(const ClusterState& state) {
  json::array nodes;
  for (const NodeState& node : state.nodes)
    nodes.push_back(
        {{"name", node.name}, {"port", node.port}, {"standing", name_of(node.standing)}});
  const json::object root = {
      {"format", kFormat},
      {"phase", kPhaseNames[static_cast<size_t>(state.phase)]},
      {"steps_done", state.steps_done},
      {"step_begun", state.step_begun},
      {"pg_major", state.pg_major},
      {"spec", spec_to_json(state.spec)},
      {"secrets",
       {{"superuser", state.secrets.superuser},
        {"monitor", state.secrets.monitor},
        {"replication", state.secrets.replication},
        {"application", state.secrets.application}}},
      {"nodes", std::move(nodes)},
      {"stopped", state.stopped},
      {"operation", to_json(state.operation)},
  };
  return json::serialize(root) + "\n";
}

Result<ClusterState> state_from_json(std::string_view text) {
  json::error_code error;
  const json::value document = json::parse({text.data(), text.size()}, error);
  if (error) return unreadable(error.message());

  FieldReader root(&document);
  if (root.integer<int64_t>("format", 1'000'000) != kFormat && !root.what_is_broken())
    return unreadable("it was written by another version of fairlead");
  ClusterState state;
  const auto phase = phase_from(root.text("phase"));
  if (!phase) root.broken("phase");
  state.phase = phase.value_or(Phase::kCreating);
  state.steps_done = root.integer<size_t>("steps_done", 100'000);
  state.step_begun = root.boolean("step_begun");
  state.pg_major = root.integer<uint32_t>("pg_major", 1000);

  FieldReader spec(root.find("spec"));
  state.spec = spec_from_json(spec);
  FieldReader secrets(root.find("secrets"));
  state.secrets = {secrets.text("superuser"), secrets.text("monitor"), secrets.text("replication"),
                   secrets.text("application")};
  root.array("nodes", [&](const json::value& value) {
    FieldReader node(&value);
    state.nodes.push_back(
        {node.text("name"), node.integer<uint16_t>("port", 65535),
         node.named("standing", [](std::string_view name) { return standing_of(name); })});
    if (node.what_is_broken()) root.broken("nodes." + *node.what_is_broken());
  });
  if (state.nodes.empty()) root.broken("nodes");
  state.stopped = root.boolean("stopped");
  std::optional<std::string> broken;
  state.operation = operation_from_json(root.find("operation"), state.nodes.size(), broken);
  if (broken) root.broken(*broken);
  for (const FieldReader* part : {&root, &spec, &secrets})
    if (part->what_is_broken())
      return unreadable(fmt::format("{} is missing or wrong", *part->what_is_broken()));
  return state;
}

}  // namespace fairlead::cluster
