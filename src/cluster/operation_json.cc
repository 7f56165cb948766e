// The JSON form of an Operation.
#include "cluster/operation_json.h"

#include "cluster/json_fields.h"

namespace fairlead::cluster {

namespace {

namespace json = boost::json;

constexpr int64_t kStepsMax = 100'000;
constexpr int64_t kPatienceMsMax = 86'400'000;  // A day.

std::optional<SyncRule> sync_rule_of(std::string_view text) {
  const auto rule = parse_sync_rule(text);
  return rule ? std::optional(*rule) : std::nullopt;
}

Step step_from_json(const json::value& value, FieldReader& operation) {
  FieldReader in(&value);
  Step step;
  step.kind = in.named("kind", [](std::string_view name) { return step_kind_of(name); });
  step.node = in.integer<size_t>("node", kStepsMax);
  step.primary = in.integer<size_t>("primary", kStepsMax);
  if (in.what_is_broken()) operation.broken("plan." + *in.what_is_broken());
  return step;
}

}  // namespace

json::value to_json(const std::optional<Operation>& operation) {
  if (!operation) return nullptr;
  json::array plan;
  for (const Step& step : operation->plan)
    plan.push_back({{"kind", name_of(step.kind)}, {"node", step.node}, {"primary", step.primary}});
  json::array standings;
  for (const Standing standing : operation->standings) standings.emplace_back(name_of(standing));
  return {{"kind", name_of(operation->kind)},
          {"text", operation->text},
          {"plan", std::move(plan)},
          {"open_ended", operation->open_ended},
          {"steps_done", operation->steps_done},
          {"step_begun", operation->step_begun},
          {"giving_up", operation->giving_up},
          {"patience_ms", operation->patience.count()},
          {"primary", operation->primary},
          {"sync", to_string(operation->sync)},
          {"standings", std::move(standings)}};
}

std::optional<Operation> operation_from_json(const json::value* value, size_t nodes,
                                             std::optional<std::string>& broken) {
  if (value != nullptr && value->is_null()) return std::nullopt;
  FieldReader in(value);
  if (in.what_is_broken()) {
    broken = "operation";
    return std::nullopt;
  }
  Operation out;
  out.kind = in.named("kind", [](std::string_view name) { return operation_kind_of(name); });
  out.text = in.text("text");
  in.array("plan", [&](const json::value& step) { out.plan.push_back(step_from_json(step, in)); });
  out.open_ended = in.boolean("open_ended");
  out.steps_done = in.integer<size_t>("steps_done", kStepsMax);
  out.step_begun = in.boolean("step_begun");
  out.giving_up = in.boolean("giving_up");
  out.patience = std::chrono::milliseconds(in.integer<int64_t>("patience_ms", kPatienceMsMax));
  out.primary = in.integer<size_t>("primary", kStepsMax);
  out.sync = in.named("sync", sync_rule_of);
  in.array("standings", [&](const json::value& element) {
    const auto standing = standing_of(element.is_string() ? std::string_view(element.get_string())
                                                          : std::string_view());
    if (!standing) in.broken("standings");
    out.standings.push_back(standing.value_or(Standing::kMember));
  });
  if (out.steps_done > out.plan.size()) in.broken("steps_done");
  // A node that has left the record was named by steps that are done.
  for (size_t i = out.steps_done; i < out.plan.size(); ++i)
    if (out.plan[i].node >= nodes || out.plan[i].primary >= nodes) in.broken("plan");
  if (out.primary >= nodes || out.standings.size() > nodes) in.broken("standings");
  if (in.what_is_broken()) broken = "operation." + *in.what_is_broken();
  return out;
}

}  // namespace fairlead::cluster
