// What a session asks of the program around it: the other half of session.h.
//
// Implemented by the driver in src/proxy with sockets and pools, and by simulations and the fuzzer
// with plain values. No call waits: what takes time is answered by a call of the session, later or
// within the same call.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/time.h"
#include "core/lease.h"
#include "core/node_choice.h"
#include "core/observation.h"
#include "core/write_moments.h"
#include "wire/result_table.h"

namespace fairlead::core {

class SessionHost {
 public:
  virtual void to_client(std::string_view bytes) = 0;
  /// To the leased server.
  virtual void to_server(std::string_view bytes) = 0;
  /// The leased server does not take more at the moment; on_server_drained() follows.
  virtual bool server_blocked() const = 0;

  /// Answered by Session::on_lease() or on_no_lease().
  virtual void lease(const LeaseWish& wish) = 0;
  /// The primary's position, looked at after the first call that was not answered yet, as a token
  /// (token.h). nullopt: not known yet, wake() follows. Error: nobody knows it in time.
  virtual Result<std::optional<std::string>> fresh_token() = 0;
  /// Whether something new may begin on the leased primary, which has asked for a pause. False: not
  /// yet, wake() follows. Error: it has taken too long.
  virtual Result<bool> may_begin() = 0;
  /// What was asked by fresh_token(), may_begin(), fresh_report() or still_shows() is not waited
  /// for any more.
  virtual void end_wait() = 0;
  /// Above which position the session's writes may be lost, because another node is the primary
  /// since (ClusterSnapshot::lost_above).
  virtual std::optional<Lsn> lost_above(Time wrote_at, uint64_t since_epoch) const = 0;
  /// What the leased replica shows of what a read by `route` must see that has come with the first
  /// call that was not answered yet (B34). kNotYet: wake() follows.
  virtual StillShows still_shows(const Route& route, const RequestPlan& reads) = 0;
  /// The client does not want the server that it waits for; on_no_lease() still comes.
  virtual void cancel_lease() = 0;
  /// The leased server is idle and clean: somebody else may have it.
  virtual void release_server() = 0;
  /// The leased server must not be used any more.
  virtual void close_server() = 0;
  /// Sends a CancelRequest to the leased server; Session::on_cancel_done() once the server has
  /// closed that connection, or has not in time: then it is given to nobody else (F41).
  virtual void cancel_statement() = 0;

  /// Nothing more is read from the client; its connection ends when everything sent is out.
  virtual void end_client() = 0;
  /// Session::take() has to be called again: what it waited for may have come.
  virtual void wake() = 0;

  /// The moment, for what is remembered of it.
  virtual Time now() const = 0;
  /// A transaction that may have written these tables is about to be acknowledged: what
  /// read-your-writes counts from (D11). Returns the moment.
  virtual Time note_write(const WrittenTables& tables) = 0;
  /// A statement that has changed the catalog, or may have, has been committed (A42). Not kNone.
  virtual void note_catalog_change(CatalogChange change) = 0;
  /// One statement more has been sent to that node.
  virtual void note_statement(const Lease& lease, sql::Reason reason) = 0;
  /// Observe mode: it went to the primary, and this is what it would have been.
  virtual void note_observed(const ObservedRequest& request) = 0;
  virtual void note_retry() = 0;
  /// The client is told of an error that is Fairlead's own.
  virtual void note_error() = 0;
  /// Trouble with a node, as one session saw it.
  virtual void note_trouble(NodeIndex node, std::string_view why) = 0;
  /// The leased server has died, and others of its node may be about to: those that were opened
  /// before are lent to nobody any more.
  virtual void note_sudden_death(NodeIndex node) = 0;
  /// The leased server answers as no primary does: the nodes are asked at once who it is (E6).
  virtual void note_doubt() = 0;
  /// The name of a node, for people: host:port.
  virtual std::string_view node_name(NodeIndex node) const = 0;

  /// The columns of what SHOW fairlead.`name` tells about the whole of Fairlead; none: it is no
  /// such report.
  virtual std::span<const wire::ResultColumn> report_columns(std::string_view name) const = 0;
  /// That report as it is after the call that asks for it. Null: not known yet, wake() follows.
  virtual std::shared_ptr<const wire::ResultTable> fresh_report(std::string_view name) = 0;

 protected:
  ~SessionHost() = default;
};

}  // namespace fairlead::core
