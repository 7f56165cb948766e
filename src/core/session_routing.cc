// Session: where a request goes, by what it means, by the transaction that it begins or goes on,
// and by what its comment or the session wishes; or the answer, where it needs no server.
#include <utility>

#include "core/session.h"

namespace fairlead::core {

void Session::route_or_answer() {
  if (answer_locally()) {
    stage_ = Stage::kDone;
    return;
  }
  if (plan_.pins.has(sql::PinEvent::kSequenceRead)) refuse_earlier_sequence();
  const bool upgrades = must_upgrade();
  if (is_on_replica() && !upgrades) refuse_on_replica();
  would_be_.reset();
  if (upgrades) {
    route_ = {.target = Target::kPrimary, .reason = sql::Reason::kUpgrade};
    leave_server();
  } else {
    route_ = route_request();
  }
  stage_ = Stage::kServer;
}

/// What a comment of the request says, or else the session's setting.
template <class T>
std::optional<T> Session::asked(const std::optional<T>& hint, std::string_view setting) const {
  if (hint) return hint;
  if (!state_.variables.has_proxy_settings()) return {};
  const Setting* set = state_.variables.find(setting);
  if (set == nullptr) return {};
  const auto value = sql::read_setting(setting, set->text());
  const T* wish = value ? std::get_if<T>(&*value) : nullptr;
  return wish != nullptr ? std::optional<T>(*wish) : std::nullopt;
}

bool Session::always_explains() const {
  const auto explain = asked(std::optional<sql::Explain>(), "fairlead.explain");
  return explain && explain->on;
}

bool Session::explains() const {
  const auto explain = asked(plan_.hints.explain, "fairlead.explain");
  return explain && explain->on;
}

ReadWish Session::read_wish(const sql::Hints& hints) const {
  return {.consistency = asked(hints.consistency, "fairlead.consistency"),
          .max_lag = asked(hints.max_lag, "fairlead.max_lag"),
          .min_lsn = asked(hints.min_lsn, "fairlead.min_lsn")};
}

/// What follows may be anything, the end of a transaction and a write behind it for one.
void Session::route_as_part(sql::Reason reason, RouteInput& input) const {
  input.decision.access = sql::Access::kPrimary;
  input.decision.reason = reason;
  input.decision.may_write = true;
  if (!transaction_.is_deferred()) input.opens = nullptr;
}

Route Session::route_request() {
  if (transaction_.is_deferred() && transaction_.hints() != nullptr)
    plan_.hints.inherit(*transaction_.hints());
  const sql::Hints& hints = plan_.hints;
  RouteInput input;
  input.port = state_.port;
  input.pinned = server_ == nullptr && !state_.pins.reasons().empty();
  input.hint = asked(hints.route, "fairlead.route");
  input.read = read_wish(hints);
  input.decision = plan_.decision;
  input.decision.opaque = plan_.opaque;
  if (plan_.opens) input.opens = &*plan_.opens;
  input.leaves_transaction = plan_.leaves_transaction;
  if (transaction_.is_deferred())
    open_transaction(asked(hints.transaction_reads, "fairlead.transaction_reads"), input);
  // A part of a segment, without its Sync, may still be followed by a write (A5); names alone may
  // be asked anywhere.
  if (plan_.end == RequestEnd::kFlush && plan_.executes)
    route_as_part(sql::Reason::kPipelineOpen, input);
  if (plan_.end == RequestEnd::kOversize) route_as_part(sql::Reason::kTooLarge, input);
  input.default_read_only = state_.default_read_only();
  const Setting* isolation = state_.variables.find("default_transaction_isolation");
  input.default_serializable = isolation != nullptr && isolation->text() == "serializable";
  Route route = decide_route(input);
  if (environment_.observes && state_.port == Port::kAutomatic) {
    would_be_ = {std::exchange(route, observe_route(route)), input.reads_until_write};
  }
  if (transaction_.is_deferred()) {
    transaction_.on_routed(input.reads_until_write && route.target == Target::kReplica);
    if (!transaction_.may_use_replica()) route.reason = sql::Reason::kUpgrade;
  }
  return route;
}

}  // namespace fairlead::core
