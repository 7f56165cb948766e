#include "core/variables.h"

#include <algorithm>
#include <utility>

#include "core/parameter_status.h"
#include "core/replay.h"
#include "core/variable_names.h"

namespace fairlead::core {
namespace {

bool is_kept(std::string_view name) {
  const VariableClass kind = variable_class(name);
  return kind == VariableClass::kSession || kind == VariableClass::kProxy;
}

/// SET SESSION AUTHORIZATION before SET ROLE, both after everything else (C6).
int replay_rank(std::string_view name) {
  if (name == "role") return 2;
  return name == "session_authorization" ? 1 : 0;
}

}  // namespace

SessionVariables::SessionVariables(HashKey key, VariableSet startup, VariableLimits limits)
    : key_(key), limits_(limits), startup_(std::move(startup)) {
  std::vector<VariableSet::Entry> kept;
  for (const VariableSet::Entry& entry : startup_.entries())
    if (is_kept(entry.name)) kept.push_back(entry);
  if (kept.size() < startup_.size()) startup_ = VariableSet(std::move(kept));
  has_proxy_settings_ = std::ranges::any_of(startup_.entries(), [](const auto& entry) {
    return variable_class(entry.name) == VariableClass::kProxy;
  });
  set_explicit({});
  update_parse_state();
}

void SessionVariables::on_set(std::string_view name, Setting setting, SetScope scope) {
  const auto canonical = canonical_variable_name(name);
  if (!canonical) {
    lost_ = true;
    return;
  }
  change(*canonical, std::move(setting), scope);
  // PostgreSQL does SET ROLE NONE with it, for the same span of time (set_config_option()).
  if (*canonical == "session_authorization") change("role", Setting::from_value("none", {}), scope);
}

void SessionVariables::on_reset(std::string_view name, SetScope scope) {
  const auto canonical = canonical_variable_name(name);
  if (!canonical) return;  // Cannot have been set.
  reset(*canonical, scope);
  if (*canonical == "session_authorization") reset("role", scope);
}

void SessionVariables::on_reset_all() {
  // Only what was set explicitly: a value that is the default already is left alone, with the stack
  // that it may have, as ResetAllOptions() does.
  std::vector<std::string> names;
  for (const Tracked& tracked : tracked_)
    if (tracked.current) names.push_back(tracked.name);
  for (const auto& [name, setting] : explicit_.entries())
    if (!find_tracked(name)) names.push_back(name);
  for (const std::string& name : names)
    if (!survives_reset_all(name)) change(name, {}, SetScope::kSession);

  // The start-up settings are explicit ones on the server.
  for (const auto& [name, setting] : startup_.entries())
    if (!survives_reset_all(name)) note_follow_up(name, SetScope::kSession);
}

void SessionVariables::on_discard_all() {
  on_reset("session_authorization");
  on_reset_all();
}

void SessionVariables::on_savepoint(std::string_view name) {
  if (!savepoints_.empty() && savepoints_.back().name == name) {
    ++savepoints_.back().count;
  } else if (savepoints_.size() < limits_.savepoint_runs_max) {
    savepoints_.push_back({std::string(name), 1});
  } else {
    lost_ = true;
    return;
  }
  ++savepoint_count_;
}

void SessionVariables::on_rollback_to(std::string_view name) {
  const auto found = find_savepoint(name);
  if (!found) {
    lost_ = true;  // The server knows a savepoint that we do not.
    return;
  }
  end_levels(found->nesting, false);
  // It is open again, and those after it are gone.
  savepoints_.resize(found->run + 1);
  savepoint_count_ = found->nesting - 1;
}

void SessionVariables::on_release(std::string_view name) {
  const auto found = find_savepoint(name);
  if (!found) {
    lost_ = true;
    return;
  }
  end_levels(found->nesting, true);
  savepoints_.resize(found->run + 1);
  if (--savepoints_.back().count == 0) savepoints_.pop_back();
  savepoint_count_ = found->nesting - 2;
}

void SessionVariables::on_commit() { end_transaction(true); }

void SessionVariables::on_rollback() { end_transaction(false); }

void SessionVariables::on_reported(std::string_view name, std::string_view value,
                                   std::string_view login_value, std::string_view client_encoding) {
  const auto canonical = canonical_variable_name(name);
  if (!canonical || !is_settable_report(*canonical)) return;
  // After RESET the server reports its own default, until the follow-up.
  if (std::ranges::find(follow_ups_, *canonical, &FollowUp::name) != follow_ups_.end()) return;

  const Setting* startup = startup_.find(*canonical);
  Value reported = Setting::from_value(value, client_encoding);
  if (startup ? *reported == *startup : value == login_value) reported.reset();

  Tracked* tracked = find_tracked(*canonical);
  if (!tracked) {
    const Setting* present = explicit_.find(*canonical);
    if (present ? reported == *present : !reported) return;
    // Something unseen has set it, and we do not know for how long. Whenever it ends, the server
    // reports again.
    change(*canonical, std::move(reported), SetScope::kSession);
    return;
  }
  // The same change that was told by its statement, in the server's own words.
  tracked_bytes_ -= bytes_of(*tracked);
  tracked->current = std::move(reported);
  tracked_bytes_ += bytes_of(*tracked);
  if (affects_parsing(*canonical)) update_parse_state();
}

bool SessionVariables::share_if_equal(VariableSet& on_server) {
  if (committed_.shares_with(on_server)) return true;
  if (!committed_.share_if_equal(on_server)) return false;
  startup_.share_if_equal(committed_);
  explicit_.share_if_equal(committed_);
  return true;
}

VariableSet SessionVariables::take_on_server() {
  VariableSet on_server = committed_;
  for (const std::string& name : uncertain_) on_server = on_server.with(name, Setting::unknown());
  follow_ups_.clear();
  return on_server;
}

const Setting* SessionVariables::find(std::string_view name) const {
  const Setting* setting = nullptr;
  if (const Tracked* tracked = find_tracked(name)) {
    setting = tracked->current ? &*tracked->current : nullptr;
  } else {
    setting = explicit_.find(name);
  }
  return setting ? setting : startup_.find(name);
}

std::string SessionVariables::take_follow_up() {
  std::ranges::sort(follow_ups_, {}, [](const FollowUp& f) { return replay_rank(f.name); });
  std::string sql;
  for (const FollowUp& follow_up : follow_ups_)
    append_set(sql, follow_up.name, *startup_.find(follow_up.name), follow_up.scope);
  follow_ups_.clear();
  return sql;
}

std::string SessionVariables::read_back_query() const {
  std::string sql = "SELECT ";
  for (const auto& [name, setting] : committed_.entries()) {
    if (!setting.is_unknown()) continue;
    if (!sql.ends_with(' ')) sql += ',';
    sql += "pg_catalog.current_setting(";
    append_literal(sql, name);
    sql += ",true)";
  }
  return sql;
}

void SessionVariables::on_read_back(std::span<const std::optional<std::string_view>> values,
                                    std::string_view client_encoding) {
  VariableSet resolved = explicit_;
  size_t column = 0;
  for (const auto& [name, setting] : committed_.entries()) {
    if (!setting.is_unknown()) continue;
    if (column == values.size()) break;
    const auto& value = values[column++];
    resolved = value ? resolved.with(name, Setting::from_value(*value, client_encoding))
                     : resolved.without(name);
  }
  set_explicit(std::move(resolved));
  update_parse_state();
  if (needs_read_back() || column != values.size()) lost_ = true;
}

SessionVariables::Tracked* SessionVariables::find_tracked(std::string_view name) {
  const auto found = std::ranges::find(tracked_, name, &Tracked::name);
  return found == tracked_.end() ? nullptr : &*found;
}

const SessionVariables::Tracked* SessionVariables::find_tracked(std::string_view name) const {
  const auto found = std::ranges::find(tracked_, name, &Tracked::name);
  return found == tracked_.end() ? nullptr : &*found;
}

std::optional<SessionVariables::Savepoint> SessionVariables::find_savepoint(
    std::string_view name) const {
  size_t after = 0;
  for (size_t run = savepoints_.size(); run-- > 0; after += savepoints_[run].count)
    if (savepoints_[run].name == name)
      return Savepoint{.run = run, .nesting = 1 + savepoint_count_ - after};
  return {};
}

bool SessionVariables::may_add_name() const {
  if (explicit_.size() + tracked_.size() < limits_.settings_max) return true;
  const auto only_tracked = std::ranges::count_if(
      tracked_, [&](const Tracked& tracked) { return !explicit_.find(tracked.name); });
  return explicit_.size() + static_cast<size_t>(only_tracked) < limits_.settings_max;
}

void SessionVariables::change(std::string_view name, Value value, SetScope scope) {
  has_proxy_settings_ = has_proxy_settings_ || variable_class(name) == VariableClass::kProxy;
  if (!is_kept(name)) return;
  Tracked* tracked = find_tracked(name);
  if (!tracked) {
    const Setting* present = explicit_.find(name);
    if (!present && !may_add_name()) {
      lost_ = true;
      return;
    }
    tracked_.push_back({std::string(name), present ? Value(*present) : Value(), {}});
    tracked = &tracked_.back();
  } else {
    tracked_bytes_ -= bytes_of(*tracked);
  }
  push_prior(*tracked, nesting(), scope);
  tracked->current = std::move(value);
  tracked_bytes_ += bytes_of(*tracked);
  if (tracked_bytes_ > 4 * limits_.bytes_max) lost_ = true;
  std::erase_if(follow_ups_, [&](const FollowUp& f) { return f.name == name; });
  if (affects_parsing(name)) update_parse_state();
}

void SessionVariables::reset(std::string_view name, SetScope scope) {
  change(name, {}, scope);
  if (startup_.find(name)) note_follow_up(name, scope);
}

void SessionVariables::note_follow_up(std::string_view name, SetScope scope) {
  if (variable_class(name) == VariableClass::kProxy) return;
  std::erase_if(follow_ups_, [&](const FollowUp& f) { return f.name == name; });
  follow_ups_.push_back({std::string(name), scope});
  if (std::ranges::find(uncertain_, name) == uncertain_.end()) uncertain_.emplace_back(name);
}

void SessionVariables::end_transaction(bool commit) {
  savepoints_.clear();
  savepoint_count_ = 0;
  // What was reset for this transaction only is back, or all of it.
  std::erase_if(follow_ups_, [&](const FollowUp& f) {
    return !f.is_committed && (!commit || f.scope == SetScope::kLocal);
  });
  for (FollowUp& follow_up : follow_ups_) follow_up.is_committed = true;
  if (tracked_.empty()) return;

  std::vector<Tracked> ended = std::exchange(tracked_, {});
  tracked_bytes_ = 0;
  bool parsing = false;
  bool changed = false;
  for (Tracked& tracked : ended) {
    parsing |= affects_parsing(tracked.name);
    if (!commit) continue;
    commit_levels(tracked, 1);
    const Setting* present = explicit_.find(tracked.name);
    changed |= present ? tracked.current != *present : tracked.current.has_value();
  }
  if (changed) {  // Mostly not: SET LOCAL leaves nothing.
    std::vector<VariableSet::Entry> entries;
    for (const VariableSet::Entry& entry : explicit_.entries())
      if (std::ranges::find(ended, entry.name, &Tracked::name) == ended.end())
        entries.push_back(entry);
    for (Tracked& tracked : ended)
      if (tracked.current) entries.push_back({tracked.name, *std::move(tracked.current)});
    set_explicit(VariableSet(std::move(entries)));
  }
  if (parsing) update_parse_state();
}

void SessionVariables::set_explicit(VariableSet variables) {
  explicit_ = std::move(variables);
  if (explicit_.bytes() > limits_.bytes_max) lost_ = true;
  std::vector<VariableSet::Entry> entries;
  for (const VariableSet* set : {&startup_, &explicit_})
    for (const VariableSet::Entry& entry : set->entries())
      if (variable_class(entry.name) != VariableClass::kProxy) entries.push_back(entry);
  VariableSet committed(std::move(entries));
  // One content rather than two equal ones: idle clients are many.
  committed_ = committed == explicit_ ? explicit_ : committed == startup_ ? startup_ : committed;
}

void SessionVariables::update_parse_state() {
  parse_state_ = parse_state_hash_of([&](std::string_view name) { return find(name); }, key_);
}

}  // namespace fairlead::core
