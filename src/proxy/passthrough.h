// A replication connection: one client, one server of its own on the primary, every byte passed on
// as it is (F5, C21). Never pooled; looked into only as far as it takes to end it well.
//
// On its worker's thread, owned by the coroutine that serves it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/replication_traffic.h"
#include "net/deadline.h"
#include "net/outbox.h"
#include "proxy/client_login.h"
#include "proxy/tenant.h"

namespace fairlead::proxy {

class Passthrough {
 public:
  /// `client` and `tenant` must outlive it.
  Passthrough(net::Loop& loop, net::Stream& client, Tenant& tenant, ClientIdentity identity);

  /// Returns when one of both sides has ended, or end() or close() has taken effect.
  net::Task<void> serve();

  /// Tells the client 57P01, as PostgreSQL tells a walsender's client that is terminated: a stream
  /// behind the message that is under way, a command and a transaction when they have ended.
  void end();
  /// Both connections, at once and without a word.
  void close();

  const std::string& cluster() const { return tenant_.cluster(); }

 private:
  net::Task<std::unique_ptr<net::Stream>> connect();
  net::Task<void> copy_to_server();
  net::Task<void> copy_to_client();
  void forward(std::string_view bytes);
  bool ends_now() const { return ending_ && traffic_.may_end(); }
  net::Task<void> say_goodbye();
  void limit_farewell();

  net::Loop& loop_;
  net::Stream& client_;
  Tenant& tenant_;
  ClientIdentity identity_;
  net::Spawner spawner_;
  net::Outbox to_client_;
  std::unique_ptr<net::Stream> server_;  // Null before it has logged in.
  std::unique_ptr<net::Outbox> to_server_;
  core::ReplicationTraffic traffic_;
  std::optional<net::Deadline> farewell_;
  bool ending_ = false;
};

}  // namespace fairlead::proxy
