#include "proxy/client_session.h"

#include <fmt/format.h>

#include "core/variable_names.h"
#include "proxy/worker.h"
#include "wire/backend_encode.h"
#include "wire/printable.h"

namespace fairlead::proxy {

using net::Task;

ClientSession::ClientSession(Worker& worker, net::Stream& stream, ClientIdentity identity,
                             Tenant& tenant, core::CancelKey key, core::Port port)
    : worker_(worker),
      stream_(stream),
      spawner_(worker.loop()),
      outbox_(worker.loop(), stream, spawner_),
      changed_(worker.loop()),
      tenant_(tenant),
      identity_(std::move(identity)),
      key_(key),
      session_(worker.shared().hash_key),
      reader_(worker.settings().config->proxy.segment_buffer_max.count) {
  session_.port = port;
  outbox_.on_drained([this] { changed_.notify_all(); });
}

ClientSession::~ClientSession() = default;

Task<void> ClientSession::serve() {
  if (co_await welcome()) {
    while (!ending_ && co_await serve_some()) {
    }
  }
  co_await leave();
}

/// What the client asks for in its start-up packet, as settings that every server gets (C8). Names
/// that only a start-up packet can set, or nobody, are left out: the pool's servers have logged in
/// already.
core::VariableSet ClientSession::startup_settings(std::string* problem) const {
  std::vector<core::VariableSet::Entry> entries;
  for (const auto& [name, value] : identity_.settings) {
    const auto canonical = core::canonical_variable_name(name);
    if (!canonical) {
      *problem = fmt::format("unrecognized configuration parameter \"{}\"", wire::printable(name));
      return {};
    }
    const core::VariableClass kind = core::variable_class(*canonical);
    if (kind == core::VariableClass::kProxy) {
      if (const auto valid = sql::validate_setting(*canonical, value); !valid) {
        *problem = valid.error().message;
        return {};
      }
    }
    if (kind == core::VariableClass::kProxy || kind == core::VariableClass::kSession) {
      entries.push_back({*canonical, core::Setting::from_value(value, "UTF8")});
    }
  }
  return core::VariableSet(std::move(entries));
}

/// Tells the client what its servers report (C1). The first client with its settings borrows a
/// server to find out, which also proves that user, database and settings are good.
Task<bool> ClientSession::welcome() {
  std::string problem;
  const core::VariableSet startup = startup_settings(&problem);
  if (!problem.empty()) {
    fatal({ErrorCode::kInvalidParameterValue, problem, "in the start-up packet"});
    co_return false;
  }
  const core::Port port = session_.port;
  session_ = core::SessionState(worker_.shared().hash_key, startup);
  session_.port = port;
  if (tenant_.config().pool_mode == config::PoolMode::kSession)
    session_.pins.pin(core::PinReason::kSessionPooling);

  const core::ReportedParameters* reported = tenant_.welcome(startup);
  if (reported == nullptr) {
    const bool on_replica = port == core::Port::kRead || !tenant_.snapshot().primary;
    route_ = {.target = on_replica ? core::Target::kReplica : core::Target::kPrimary,
              .reason = sql::Reason::kLocal,
              .replica_only = on_replica};
    stage_ = Stage::kServer;
    const Progress found = find_server();
    if (found == Progress::kWaitServer && !co_await finish_lease()) ending_ = true;
    if (ending_ || server_ == nullptr) co_return false;
    if (!co_await prepare_server()) co_return false;
    tenant_.remember_welcome(startup, server_->state().reported);
    reported = tenant_.welcome(startup);
    if (session_.pins.reasons().empty()) on_server_done();
    stage_ = Stage::kTurn;
  }
  session_.seen = *reported;
  session_.seen.set("in_hot_standby", port == core::Port::kRead ? "on" : "off");

  std::string out;
  wire::append_authentication_ok(out);
  for (const auto& parameter : session_.seen.entries())
    wire::append_parameter_status(out, parameter.name, parameter.value);
  wire::append_backend_key_data(out, key_.process_id(), key_.secret());
  wire::append_ready_for_query(out, wire::TxStatus::kIdle);
  outbox_.send(out);
  welcomed_ = true;
  co_return true;
}

Task<bool> ClientSession::serve_some() {
  co_await stream_.readable();  // Interrupted or ready: either way there is something to look at.
  if (ending_) co_return false;
  if (retry_wanted_ && !co_await retry()) co_return false;
  for (bool more = true; more;) {
    const std::span<char> scratch = worker_.loop().scratch();
    const net::Transfer got = stream_.read(scratch);
    if (got.would_block()) co_return true;
    if (got.closed()) co_return false;
    more = stream_.may_hold_more() || got.bytes == scratch.size();
    last_activity_ = net::Loop::now();
    if (inbox_.empty()) {
      if (!co_await serve_input({scratch.data(), got.bytes})) co_return false;
    } else {
      std::string input = std::move(inbox_);
      inbox_.clear();
      input.append(scratch.data(), got.bytes);
      if (!co_await serve_input(input)) co_return false;
    }
    // Back-pressure: a client that does not read its answers is not read either.
    while (outbox_.blocked() && !ending_) co_await changed_.wait();
  }
  co_return true;
}

/// Serves every complete request of `input` and keeps what is left. `input` may be the worker's
/// shared buffer: it is saved before the first wait.
Task<bool> ClientSession::serve_input(std::string_view input) {
  std::string saved;
  while (!input.empty()) {
    const auto end = reader_.read(input);
    if (!end) {
      fatal(end.error());
      co_return false;
    }
    if (*end == core::RequestEnd::kMore) break;
    if (*end == core::RequestEnd::kTerminate) co_return false;
    end_ = *end;
    for (;;) {
      const Progress progress = advance(input.substr(0, reader_.size()));
      if (progress == Progress::kDone) break;
      if (progress == Progress::kEnd) co_return false;
      if (saved.data() != input.data()) {
        saved.assign(input);
        input = saved;
      }
      if (!co_await wait_for(progress, input.substr(0, reader_.size()))) co_return false;
    }
    const size_t used = reader_.size();
    reader_.next();
    if (saved.empty()) {
      input.remove_prefix(used);
    } else {
      saved.erase(0, used);
      input = saved;
    }
  }
  inbox_.assign(input);
  co_return true;
}

Task<bool> ClientSession::wait_for(Progress progress, std::string_view request) {
  (void)request;
  switch (progress) {
    case Progress::kWaitTurn:
      co_await changed_.wait();
      if (retry_wanted_ && !ending_) co_return co_await retry();
      break;
    case Progress::kWaitServer:
      co_return co_await finish_lease();
    case Progress::kWaitPrepare:
      co_return co_await prepare_server();
    case Progress::kWaitDrain:
      if (server_ != nullptr && server_->outbox().blocked()) co_await changed_.wait();
      break;
    case Progress::kDone:
    case Progress::kEnd:
      break;
  }
  co_return !ending_;
}

}  // namespace fairlead::proxy
