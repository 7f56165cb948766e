#include "core/node_health.h"

#include "base/assert.h"

namespace fairlead::core {

namespace {

// Whether somebody answered, if only to say no.
bool is_refusal(ProbeResult result) {
  switch (result) {
    case ProbeResult::kRefused:
    case ProbeResult::kStarting:
    case ProbeResult::kAuthFailed:
    case ProbeResult::kWrongSystem:
      return true;
    case ProbeResult::kOk:
    case ProbeResult::kTimeout:
    case ProbeResult::kNotAsked:
    case ProbeResult::kOtherError:
      return false;
  }
  unreachable("every ProbeResult is a refusal or not");
}

}  // namespace

std::string_view to_string(NodeState state) {
  switch (state) {
    case NodeState::kUp:
      return "up";
    case NodeState::kSuspect:
      return "suspect";
    case NodeState::kDown:
      return "down";
  }
  unreachable("every NodeState has a text");
}

std::string_view to_string(ProbeResult result) {
  switch (result) {
    case ProbeResult::kOk:
      return "ok";
    case ProbeResult::kRefused:
      return "connection refused: nobody listens there";
    case ProbeResult::kTimeout:
      return "no answer within the deadline";
    case ProbeResult::kNotAsked:
      return "could not be asked, for a reason that is not its own";
    case ProbeResult::kStarting:
      return "starting up, shutting down or not yet consistent";
    case ProbeResult::kAuthFailed:
      return "does not let the monitoring user in";
    case ProbeResult::kWrongSystem:
      return "belongs to another cluster";
    case ProbeResult::kOtherError:
      return "the probe failed";
  }
  unreachable("every ProbeResult has a text");
}

std::optional<HealthChange> NodeHealth::on_probe(ProbeResult result, std::string_view detail,
                                                 Time now, bool in_recovery) {
  if (result == ProbeResult::kOk) return on_good(now, in_recovery);
  reason_ = to_string(result);
  if (!detail.empty()) reason_.append(": ").append(detail);
  return on_failure(result, now);
}

std::optional<HealthChange> NodeHealth::on_trouble(std::string_view detail, Time now) {
  if (state_ != NodeState::kUp) return std::nullopt;
  reason_ = "a client's server was lost";
  if (!detail.empty()) reason_.append(": ").append(detail);
  return move_to(NodeState::kSuspect, now);
}

std::optional<HealthChange> NodeHealth::on_good(Time now, bool in_recovery) {
  failures_ = 0;
  refusals_ = 0;
  if (good_ == 0) good_since_ = now;
  ++good_;
  if (state_ == NodeState::kDown && ever_up_) {
    // "Came back": not at the first answer, and later still for a replica that keeps going up and
    // down.
    const bool is_held = flapped_ && in_recovery;
    const Duration hold = is_held ? config_.flap_hold : Duration::zero();
    if (good_ < config_.good_to_up || now - good_since_ < hold) {
      reason_ = is_held ? "answers again, but went down soon after it last came up"
                        : "answers again, not for long enough yet";
      return std::nullopt;
    }
  }
  reason_.clear();
  return move_to(NodeState::kUp, now);
}

std::optional<HealthChange> NodeHealth::on_failure(ProbeResult result, Time now) {
  good_ = 0;
  ++failures_;
  refusals_ = is_refusal(result) ? refusals_ + 1 : 0;
  if (state_ == NodeState::kDown || is_enough(result)) return move_to(NodeState::kDown, now);
  reason_ += " (" + std::to_string(failures_) + " in a row)";
  return move_to(NodeState::kSuspect, now);
}

bool NodeHealth::is_enough(ProbeResult result) const {
  // Another cluster behind the same address will not become ours by asking again.
  return result == ProbeResult::kWrongSystem || refusals_ >= config_.refused_to_down ||
         failures_ >= config_.silent_to_down;
}

std::optional<HealthChange> NodeHealth::move_to(NodeState to, Time now) {
  if (since_ == Time{}) since_ = now;
  if (to == state_) return std::nullopt;
  HealthChange change{state_, to};
  if (to == NodeState::kDown) {
    flapped_ = now - up_since_ < config_.flap_window;
  } else if (state_ == NodeState::kDown) {
    up_since_ = now;
    ever_up_ = true;
  }
  state_ = to;
  since_ = now;
  return change;
}

Duration NodeHealth::next_probe_after() const {
  bool counting = state_ == NodeState::kSuspect || (state_ == NodeState::kDown && good_ > 0);
  return counting ? config_.probe_interval_unsure : config_.probe_interval;
}

}  // namespace fairlead::core
