#include "core/session.h"

#include "wire/backend_encode.h"

namespace fairlead::core {

Session::Session(SessionHost& host, HashKey key, Port port, VariableSet startup, bool keeps_server,
                 size_t segment_max)
    : host_(host), state_(key, std::move(startup)), reader_(segment_max) {
  state_.port = port;
  if (keeps_server) state_.pins.pin(PinReason::kSessionPooling);
}

std::optional<NodeIndex> Session::leased_node() const {
  if (server_ == nullptr) return {};
  return server_->node;
}

/// The first client with its settings borrows a server to find out what servers report, which also
/// proves that user, database and settings are good.
Pause Session::welcome(const ReportedParameters* known) {
  if (ended_) return Pause::kEnded;
  if (known == nullptr) {
    if (stage_ == Stage::kTurn) {
      const bool on_replica = state_.port == Port::kRead;
      route_ = {.target = on_replica ? Target::kReplica : Target::kPrimary,
                .reason = sql::Reason::kLocal,
                .replica_only = on_replica};
      stage_ = Stage::kServer;
    }
    while (stage_ != Stage::kSend) {
      const Pause pause = stage_ == Stage::kSettings ? give_settings() : wait_for_server();
      if (ended_) return Pause::kEnded;
      if (pause != Pause::kInput) return pause;
    }
    stage_ = Stage::kTurn;
    welcome_reports_ = server_->login_reported;
    for (const ReportedParameter& report : server_->reported.entries())
      welcome_reports_->set(report.name, report.value);
    if (state_.pins.reasons().empty()) on_server_done();
  } else {
    welcome_reports_ = *known;
  }
  welcome_reports_->set("in_hot_standby", state_.port == Port::kRead ? "on" : "off");
  for (const ReportedParameter& report : welcome_reports_->entries()) {
    if (!describes_node(report.name)) state_.note_seen(report.name, report.value);
  }
  return Pause::kInput;
}

Pause Session::take(std::string_view& input) {
  if (ended_) return Pause::kEnded;
  if (repeat_.wanted()) {
    if (const Pause pause = advance_repeat(); pause != Pause::kInput) return pause;
  }
  while (!input.empty()) {
    if (!request_read_) {
      if (const Pause pause = read_request(input); pause != Pause::kInput) return pause;
      if (!request_read_) return Pause::kInput;
    }
    const Pause pause = advance(input.substr(0, reader_.size()));
    if (pause != Pause::kInput) return pause;
    input.remove_prefix(reader_.size());
    reader_.next();
    request_read_ = false;
  }
  return Pause::kInput;
}

Pause Session::read_request(std::string_view input) {
  const auto end = reader_.read(input);
  if (!end) {
    fatal(end.error());
    return Pause::kEnded;
  }
  if (*end == RequestEnd::kTerminate) {
    ended_ = true;
    return Pause::kEnded;
  }
  end_ = *end;
  request_read_ = end_ != RequestEnd::kMore;
  return Pause::kInput;
}

void Session::forward(std::string_view bytes) {
  const std::string_view out = repeat_.pass(bytes);
  if (!out.empty()) host_.to_client(out);
}

}  // namespace fairlead::core
