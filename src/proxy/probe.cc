#include "proxy/probe.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "proxy/probe_schedule.h"

namespace fairlead::proxy {
namespace {

using core::ProbeResult;

/// 57P01 admin_shutdown, 57P02 crash_shutdown, 57P03 cannot_connect_now.
bool is_starting_or_stopping(std::string_view sqlstate) {
  return sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03";
}

/// Alive, but not for us: authentication, no such database, no right to connect to it.
bool keeps_us_out(std::string_view sqlstate) {
  return sqlstate.starts_with("28") || sqlstate == "3D000" || sqlstate == "42501";
}

Duration remaining(Time deadline) {
  return std::max<Duration>(deadline - net::Loop::now(), std::chrono::milliseconds(1));
}

}  // namespace

ProbeResult classify(const LoginFailure& failure) {
  if (failure.refused) return ProbeResult::kRefused;
  if (failure.timed_out) return ProbeResult::kTimeout;
  if (failure.not_asked) return ProbeResult::kNotAsked;
  if (is_starting_or_stopping(failure.sqlstate)) return ProbeResult::kStarting;
  if (keeps_us_out(failure.sqlstate)) return ProbeResult::kAuthFailed;
  return ProbeResult::kOtherError;
}

NodeProber::NodeProber(net::Loop& loop, ServerEndpoint endpoint, ServerLogin login)
    : loop_(loop), endpoint_(std::move(endpoint)), login_(std::move(login)) {}

net::Task<ProbeOutcome> NodeProber::probe(Duration timeout, std::optional<Lsn> awaited) {
  const Time deadline = net::Loop::now() + timeout;
  if (conversation_) {
    std::optional<ProbeOutcome> failed;
    if (awaited && !cannot_await_) failed = co_await await_replay(*awaited, deadline);
    ProbeOutcome outcome = failed ? std::move(*failed) : co_await observe(deadline);
    // A connection that has ended says nothing yet of the server behind it, which may have
    // restarted long ago: only a new one tells.
    const bool is_answer = conversation_ != nullptr || outcome.result == ProbeResult::kTimeout;
    if (is_answer) co_return outcome;
  }
  if (auto failed = co_await connect(deadline)) co_return std::move(*failed);
  co_return co_await observe(deadline);
}

net::Task<std::optional<ProbeOutcome>> NodeProber::connect(Time deadline) {
  ServerEndpoint endpoint = endpoint_;
  endpoint.timeout = remaining(deadline);
  auto opened = co_await Conversation::open(loop_, std::move(endpoint), login_);
  if (!opened)
    co_return ProbeOutcome{.result = classify(opened.error()),
                           .detail = describe(opened.error().error)};
  conversation_ = std::move(*opened);
  shows_holding_ = false;
  auto rows = co_await ask(kIdentitySql, deadline);
  if (!rows) co_return std::move(rows.error());
  auto identity = read_identity(*rows);
  if (!identity) {
    conversation_.reset();
    co_return ProbeOutcome{.result = ProbeResult::kOtherError,
                           .detail = describe(identity.error())};
  }
  identity_ = *identity;
  co_return std::nullopt;
}

net::Task<std::expected<std::vector<Row>, ProbeOutcome>> NodeProber::ask(std::string_view sql,
                                                                         Time deadline) {
  auto rows = co_await conversation_->ask(std::string(sql), remaining(deadline));
  if (rows) co_return std::move(*rows);
  co_return std::unexpected(failure_of(rows.error(), deadline));
}

/// After an error the connection may be unfit for the next probe; a new one is cheap.
ProbeOutcome NodeProber::failure_of(const Error& error, Time deadline) {
  conversation_.reset();
  ProbeOutcome outcome{.result = ProbeResult::kOtherError, .detail = describe(error)};
  if (net::Loop::now() >= deadline)
    outcome.result = ProbeResult::kTimeout;
  else if (is_starting_or_stopping(error.detail))
    outcome.result = ProbeResult::kStarting;
  return outcome;
}

net::Task<std::optional<ProbeOutcome>> NodeProber::tell_name(Time deadline) {
  const bool holding = holding_;
  const std::string_view name = holding ? kHoldingName : kMonitorName;
  auto rows = co_await ask(fmt::format("SET application_name = '{}'", name), deadline);
  if (!rows) co_return std::move(rows.error());
  shows_holding_ = holding;
  co_return std::nullopt;
}

/// Whether it got there or not, the node is asked where it is.
net::Task<std::optional<ProbeOutcome>> NodeProber::await_replay(Lsn position, Time deadline) {
  const auto sql =
      fmt::format("WAIT FOR LSN '{}' WITH (TIMEOUT '{}ms', NO_THROW)", position.to_string(),
                  std::chrono::duration_cast<std::chrono::milliseconds>(kPositionGapMin).count());
  const auto answer = co_await conversation_->ask(sql, remaining(deadline));
  if (answer) co_return std::nullopt;
  if (!conversation_->is_over()) {
    cannot_await_ = true;
    log::warning("{} does not take WAIT FOR LSN, and is asked for its position instead: {}",
                 endpoint_.name(), describe(answer.error()));
    co_return std::nullopt;
  }
  co_return failure_of(answer.error(), deadline);
}

net::Task<ProbeOutcome> NodeProber::observe(Time deadline) {
  if (shows_holding_ != holding_) {
    if (auto failed = co_await tell_name(deadline)) co_return std::move(*failed);
  }
  const Time started_at = net::Loop::now();
  auto rows = co_await ask(kProbeSql, deadline);
  if (!rows) co_return std::move(rows.error());
  auto seen = read_observation(*rows, *identity_);
  if (!seen) {
    conversation_.reset();
    co_return ProbeOutcome{.result = ProbeResult::kOtherError, .detail = describe(seen.error())};
  }
  seen->observed_started_at = started_at;
  seen->observed_at = net::Loop::now();
  co_return ProbeOutcome{.result = ProbeResult::kOk, .seen = std::move(*seen)};
}

}  // namespace fairlead::proxy
