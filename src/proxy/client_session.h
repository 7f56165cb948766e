// One client: its connection, and the driver of its session.
//
// A coroutine reads the client and gives what comes to the session (core/session.h), which decides;
// the leased server's own coroutine brings the answers, so both directions run at once. This class
// carries out what the session asks for: bytes to both sides, leases, cancel requests. It decides
// nothing but when to read. Worker's thread only.
#pragma once

#include <optional>
#include <string>

#include "console/report.h"
#include "core/cancel_key.h"
#include "core/session.h"
#include "net/outbox.h"
#include "proxy/awaited_report.h"
#include "proxy/tenant.h"

namespace fairlead::proxy {

class Worker;

class ClientSession final : public LeaseHolder,
                            private core::SessionHost,
                            private PoolWaiter,
                            private PositionsQueue::Waiter {
 public:
  /// `startup`: what the start-up packet asks for.
  ClientSession(Worker& worker, net::Stream& stream, core::VariableSet startup, Tenant& tenant,
                core::CancelKey key, core::Port port);
  ~ClientSession();

  /// Serves the client until it leaves. When it returns, nothing refers to the session any more.
  /// `early`: what it has sent already.
  net::Task<void> serve(std::string early);

  /// A CancelRequest that may be for this session (F40-F44).
  void cancel(const core::CancelClaim& claim);
  /// Ends the session with 57P01: at once if it is idle or `now`, else when its transaction is
  /// over.
  void end(bool now) { session_.end(now); }
  /// A few times a second: limits of time, and whether a client that waits is still there.
  void tick(Time now);
  /// The node is down: what can be run elsewhere is given up there (A60).
  void on_node_down(core::NodeIndex node);
  /// Another epoch has begun: what was meant for the last primary is not any more (E3, E26).
  void on_new_epoch();

  Tenant& tenant() { return tenant_; }
  /// For SHOW PINS; nullopt: it keeps no server beyond its transaction.
  std::optional<console::PinnedClient> pinned(Time now) const;

 private:
  // Reading: client_session.cc.
  net::Task<bool> welcome();
  net::Task<void> serve_input();
  net::Task<void> leave();
  void read_once();
  void end_if_unheard(Time now);
  void take(std::string_view input);
  void refresh_environment();

  // LeaseHolder.
  core::Relayed on_server_piece(const wire::Piece& piece) override {
    return session_.on_server_piece(piece);
  }
  void forward(std::string_view bytes) override { session_.forward(bytes); }
  void on_server_done() override { session_.on_server_done(); }
  void on_server_lost(const Error& why) override;
  void on_server_drained() override { session_.on_server_drained(); }
  bool blocked() const override { return outbox_.blocked() && !session_.ended(); }
  net::Task<void> unblocked() override;

  // core::SessionHost: client_leases.cc, mostly.
  void to_client(std::string_view bytes) override { outbox_.send(bytes); }
  void to_server(std::string_view bytes) override { server_->send(bytes); }
  bool server_blocked() const override { return server_->outbox().blocked(); }
  void lease(const core::LeaseWish& wish) override;
  Result<std::optional<std::string>> fresh_token() override;
  Result<bool> may_begin() override;
  void end_wait() override;
  std::optional<Lsn> lost_above(Time wrote_at, uint64_t since_epoch) const override {
    return tenant_.snapshot().lost_above(wrote_at, since_epoch);
  }
  core::StillShows still_shows(const core::Route& route, const core::RequestPlan& reads) override;
  void cancel_lease() override;
  void release_server() override;
  void close_server() override;
  void cancel_statement() override;
  void end_client() override;
  void wake() override;
  Time now() const override { return net::Loop::now(); }
  Time note_write(const core::WrittenTables& tables) override;
  void note_catalog_change(core::CatalogChange change) override;
  void note_statement(const core::Lease& lease, sql::Reason reason) override;
  void note_observed(const core::ObservedRequest& request) override;
  void note_retry() override;
  void note_error() override;
  void note_trouble(core::NodeIndex node, std::string_view why) override;
  void note_sudden_death(core::NodeIndex node) override;
  void note_doubt() override;
  std::string_view node_name(core::NodeIndex node) const override;
  std::span<const wire::ResultColumn> report_columns(std::string_view name) const override;
  std::shared_ptr<const wire::ResultTable> fresh_report(std::string_view name) override;

  // PoolWaiter.
  void on_server(ServerConnection& server) override;
  void on_no_server(NoServer why) override;
  bool may_go_elsewhere() const override {
    return choice_.target == core::Target::kReplica && !wish_.route.replica_only;
  }

  // PositionsQueue::Waiter.
  void on_positions() override;
  void on_positions_timeout() override;

  /// What it waits for in the tenant's positions_queue().
  enum class Awaited : uint8_t {
    kNothing,
    kNode,   // One that can serve the lease.
    kToken,  // The primary's position. This and the next are the session's own to look at again.
    kPause,  // The end of a pause.
    kFreshness,  // What the leased replica has to show.
  };
  void wait_for(Awaited what, Time since, Time until);
  void stop_waiting();
  /// Since when it waits for that, if it does.
  Time waits_since(Awaited what) const {
    return awaited_ == what ? awaited_since_ : net::Loop::now();
  }
  void choose_node(bool may_wait);
  bool wait_for_positions(Duration patience);
  bool waits_for_primary();
  void on_server_too_new();
  void grant(ServerConnection& server);
  ServerConnection& take_server();
  core::NoLease no_lease(NoServer why);
  Error no_server_in_time();
  net::Task<void> send_cancel(ServerEndpoint endpoint, uint32_t pid, std::string secret);

  Worker& worker_;
  net::Stream& stream_;
  net::Spawner spawner_;
  net::Outbox outbox_;
  net::Signal changed_;  // What a waiting coroutine of this session waits for may have come.
  Tenant& tenant_;
  const core::CancelKey key_;
  const core::VariableSet startup_;
  core::Session session_;

  std::string inbox_;  // What the session has not used yet.
  core::Pause pause_ = core::Pause::kInput;
  ServerConnection* server_ = nullptr;  // Leased.
  core::LeaseWish wish_;
  Time wished_at_{};
  Duration queued_{};  // Of the time since then: until the pools that it asked gave it a server.
  Time granted_at_{};
  core::NodeChoice choice_;  // Where a server was asked for last.
  /// Stays when the queue has told of news, until whoever waits has looked whether they are enough.
  Awaited awaited_ = Awaited::kNothing;
  Time awaited_since_{};
  Time retry_at_{};       // That node let nobody in, and is not asked again before.
  bool reading_ = false;  // The coroutine waits for the client's next bytes.
  bool client_gone_ = false;
  uint32_t unblocking_ = 0;
  core::ObservedClient observed_;
  std::shared_ptr<AwaitedReport> awaited_report_;  // For SHOW fairlead.routes and its like.
  Time heard_at_{};  // Since then it has sent nothing, and was kept waiting by nobody.
};

}  // namespace fairlead::proxy
