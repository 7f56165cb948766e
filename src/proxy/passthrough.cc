#include "proxy/passthrough.h"

#include "proxy/frame_reader.h"
#include "wire/backend_encode.h"
#include "wire/frontend_encode.h"

namespace fairlead::proxy {

using net::Task;

namespace {

// For the rest of the message that is under way, what waits for the client, and the goodbye.
constexpr Duration kFarewellTimeout = std::chrono::seconds(2);

std::string welcome(const LoggedIn& server) {
  std::string out;
  wire::append_authentication_ok(out);
  for (const auto& [name, value] : server.reported) wire::append_parameter_status(out, name, value);
  wire::append_backend_key_data(out, server.backend_pid, server.cancel_secret);
  wire::append_ready_for_query(out, wire::TxStatus::kIdle);
  return out;
}

}  // namespace

Passthrough::Passthrough(net::Loop& loop, net::Stream& client, Tenant& tenant,
                         ClientIdentity identity)
    : loop_(loop),
      client_(client),
      tenant_(tenant),
      identity_(std::move(identity)),
      spawner_(loop),
      to_client_(loop, client, spawner_) {}

Task<void> Passthrough::serve() {
  server_ = co_await connect();
  if (!server_) co_return;
  to_server_ = std::make_unique<net::Outbox>(loop_, *server_, spawner_);
  traffic_.on_client(identity_.early);
  to_server_->send(std::exchange(identity_.early, {}));
  spawner_.spawn(copy_to_server());
  spawner_.spawn(copy_to_client());
  co_await spawner_.join();
}

/// The server, once the client has been welcomed; null when it was told why there is none.
Task<std::unique_ptr<net::Stream>> Passthrough::connect() {
  const auto& snapshot = tenant_.snapshot();
  if (!snapshot.primary) {
    co_await send_fatal(client_,
                        {ErrorCode::kCannotConnectNow, "there is no primary to replicate from",
                         snapshot.why_no_primary()});
    co_return nullptr;
  }
  const PoolOpening& opening = tenant_.pool(*snapshot.primary).opening();
  ServerLogin login = opening.login;
  login.parameters = identity_.settings;
  login.question = LoginQuestion::kNone;
  login.protocol_minor = identity_.protocol_minor;
  login.parameters.emplace_back(
      "replication", identity_.replication == wire::Replication::kLogical ? "database" : "true");
  auto server = co_await log_in(loop_, opening.endpoint, std::move(login));
  if (!server) {
    if (server.error().server_error.empty()) {
      co_await send_fatal(client_, server.error().error);
    } else {
      (void)co_await write_all(client_, server.error().server_error);
    }
    co_return nullptr;
  }
  to_client_.send(welcome(*server));
  co_return std::move(server->stream);
}

/// Stops reading the client while the server is blocked.
Task<void> Passthrough::copy_to_server() {
  while (co_await client_.input()) {
    const net::Transfer got = client_.read(loop_.scratch());
    if (got.closed()) break;
    if (!got.ok()) continue;
    const std::string_view bytes(loop_.scratch().data(), got.bytes);
    traffic_.on_client(bytes);
    to_server_->send(bytes);
    co_await to_server_->drained();
    if (to_server_->broken()) break;
  }
  close();
}

/// Stops reading the server while the client is blocked.
Task<void> Passthrough::copy_to_client() {
  while (!ends_now()) {
    if (!co_await server_->input() && !ending_) break;
    if (ends_now()) break;
    const net::Transfer got = server_->read(loop_.scratch());
    if (got.closed()) break;
    if (!got.ok()) continue;
    forward({loop_.scratch().data(), got.bytes});
    if (!ends_now()) co_await to_client_.drained();
    if (to_client_.broken()) break;
  }
  if (ends_now()) co_await say_goodbye();
  close();
}

/// What the server sent; behind a message at which the connection ends, nothing more.
void Passthrough::forward(std::string_view bytes) {
  std::string_view rest = bytes;
  while (!rest.empty() && !ends_now()) traffic_.on_server(rest);
  to_client_.send(bytes.substr(0, bytes.size() - rest.size()));
}

Task<void> Passthrough::say_goodbye() {
  std::string out;
  wire::append_error(
      out, wire::Severity::kFatal,
      {ErrorCode::kAdminShutdown, "terminating connection due to administrator command"});
  to_client_.send(out);
  if (traffic_.client_at_boundary()) {
    std::string terminate;
    wire::append_terminate(terminate);
    to_server_->send(terminate);
    to_server_->send_now();
  }
  limit_farewell();
  co_await to_client_.drained();
  client_.discard_input();
}

void Passthrough::end() {
  ending_ = true;
  if (!server_) return;  // Its login has a limit of its own.
  if (!traffic_.in_command()) limit_farewell();
  server_->interrupt();
}

void Passthrough::limit_farewell() {
  if (!farewell_) farewell_.emplace(loop_, client_, kFarewellTimeout);
}

void Passthrough::close() {
  client_.shutdown();
  if (server_) server_->shutdown();
}

}  // namespace fairlead::proxy
