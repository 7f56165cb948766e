#include "proxy/passthrough.h"

#include <optional>

#include "net/outbox.h"
#include "proxy/frame_reader.h"
#include "wire/backend_encode.h"

namespace fairlead::proxy {
namespace {

using net::Task;

/// One direction: reads `from`, writes to `to`, and stops reading while `to` is blocked.
Task<void> copy(net::Loop& loop, net::Stream& from, net::Stream& to, net::Outbox& out) {
  for (;;) {
    const net::Transfer got = from.read(loop.scratch());
    if (got.closed()) break;
    if (got.ok()) {
      out.send({loop.scratch().data(), got.bytes});
      if (out.blocked()) co_await out.drained();
      if (out.broken()) break;
      continue;
    }
    const auto [error] = co_await from.readable();
    if (error) break;
  }
  to.shutdown();
  from.shutdown();
}

}  // namespace

Task<void> pass_through(net::Loop& loop, net::Stream& client, Tenant& tenant,
                        ClientIdentity identity) {
  const auto& snapshot = tenant.snapshot();
  if (!snapshot.primary) {
    co_await send_fatal(client,
                        {ErrorCode::kCannotConnectNow, "there is no primary to replicate from",
                         snapshot.why_no_primary()});
    co_return;
  }
  const PoolOpening& opening = tenant.pool(*snapshot.primary).opening();
  ServerLogin login = opening.login;
  login.parameters = identity.settings;
  login.question = LoginQuestion::kNone;
  login.protocol_minor = identity.protocol_minor;
  login.parameters.emplace_back(
      "replication", identity.replication == wire::Replication::kLogical ? "database" : "true");
  auto server = co_await log_in(loop, opening.endpoint, std::move(login));
  if (!server) {
    if (server.error().server_error.empty()) {
      co_await send_fatal(client, server.error().error);
    } else {
      (void)co_await write_all(client, server.error().server_error);
    }
    co_return;
  }
  std::string welcome;
  wire::append_authentication_ok(welcome);
  for (const auto& [name, value] : server->reported)
    wire::append_parameter_status(welcome, name, value);
  wire::append_backend_key_data(welcome, server->backend_pid, server->cancel_secret);
  wire::append_ready_for_query(welcome, wire::TxStatus::kIdle);

  net::Spawner spawner(loop);
  net::Outbox to_client(loop, client, spawner);
  net::Outbox to_server(loop, *server->stream, spawner);
  to_client.send(welcome);
  to_server.send(identity.early);
  spawner.spawn(copy(loop, client, *server->stream, to_server));
  spawner.spawn(copy(loop, *server->stream, client, to_client));
  co_await spawner.join();
}

}  // namespace fairlead::proxy
