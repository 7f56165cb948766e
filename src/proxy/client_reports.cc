// ClientSession: what it tells the console, and what the console's views tell its client.
#include "console/views.h"
#include "core/local_statement.h"
#include "proxy/client_session.h"
#include "proxy/worker.h"

namespace fairlead::proxy {

std::optional<console::PinnedClient> ClientSession::pinned(Time now) const {
  const core::PinState& pins = session_.state().pins;
  const core::PinReasons reasons = pins.reasons();
  if (server_ == nullptr || reasons.empty()) return std::nullopt;
  const core::ServerState& server = server_->state();
  return console::PinnedClient{.client_id = key_.process_id(),
                               .addr = stream_.peer(),
                               .user = tenant_.user(),
                               .database = tenant_.name(),
                               .node = std::string(node_name(server.node)),
                               .server_pid = server.backend_pid,
                               .reasons = reasons,
                               .perhaps = pins.suspects() - reasons,
                               .since_s = std::chrono::duration<double>(now - granted_at_).count()};
}

std::span<const wire::ResultColumn> ClientSession::report_columns(std::string_view name) const {
  const auto view = console::find_view(name);
  return view ? console::columns_of(*view) : std::span<const wire::ResultColumn>{};
}

/// Each call that is not answered yet asks once; the answer belongs to the call that finds it.
std::shared_ptr<const wire::ResultTable> ClientSession::fresh_report(std::string_view name) {
  const auto view = console::find_view(name);
  if (!view) return nullptr;
  if (!awaited_report_) awaited_report_ = worker_.gather(*view, [this] { wake(); });
  if (!awaited_report_->report) return nullptr;
  const auto table = std::make_shared<const wire::ResultTable>(
      console::table_of(*view, *awaited_report_->report, core::kVersion));
  awaited_report_.reset();
  return table;
}

}  // namespace fairlead::proxy
