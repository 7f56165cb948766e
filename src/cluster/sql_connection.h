// One libpq connection with deadlines, for commands and tests: SQL in, rows of text out.
//
// Blocks the calling thread; one thread at a time. A server that hangs (SIGSTOP) costs the deadline
// and no more. Not for the daemon, whose probes use its own connections.
#pragma once

#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cluster/progress.h"

struct pg_conn;
struct pg_result;

namespace fairlead::cluster {

/// Where and as whom to connect.
struct Endpoint {
  std::string host;  // An address, or a folder with a Unix socket.
  uint16_t port = 5432;
  std::string user;
  std::string password;  // Empty: what PGPASSWORD or ~/.pgpass says.
  std::string database;

  /// libpq's key='value' form, every value quoted.
  std::string conninfo() const;
  /// "postgresql://user:password@host:port/database" for applications; every part percent-encoded.
  std::string url() const;
};

/// Drops every PG… variable of the process. libpq takes from them what a conninfo does not name,
/// and what a shell says of other servers (PGSSLMODE, PGTARGETSESSIONATTRS, PGSERVICE, ...) would
/// make healthy servers of our own look dead. Before the process has a second thread.
void forget_libpq_variables();

using Cell = std::optional<std::string>;  // Nothing: SQL's NULL.

/// Nothing of NULL, and of what is no number.
template <class Integer>
std::optional<Integer> number_of(const Cell& cell) {
  Integer value = 0;
  if (!cell) return std::nullopt;
  const auto [end, error] = std::from_chars(cell->data(), cell->data() + cell->size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

struct SqlRows {
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
  std::string command;  // "INSERT 0 1"
};

class SqlConnection {
 public:
  static constexpr std::chrono::milliseconds kConnectDeadline{5000};
  static constexpr std::chrono::milliseconds kQueryDeadline{30'000};

  /// Any libpq connection string or URL.
  static Result<SqlConnection> open(const std::string& conninfo,
                                    std::chrono::milliseconds deadline = kConnectDeadline);
  static Result<SqlConnection> open(const Endpoint& endpoint,
                                    std::chrono::milliseconds deadline = kConnectDeadline) {
    return open(endpoint.conninfo(), deadline);
  }

  /// Several statements may stand in `sql`; the rows are the last one's. The error of a statement
  /// is kInternal with "SQLSTATE xxxxx" in its detail; sqlstate() has the bare five characters.
  /// After a passed deadline (kQueryCanceled) the connection is of no more use.
  Result<SqlRows> query(const std::string& sql,
                        std::chrono::milliseconds deadline = kQueryDeadline);

  /// The first column of the only row; NULL reads as "".
  Result<std::string> value(const std::string& sql);

  /// SQLSTATE of the last query that failed, else empty.
  const std::string& sqlstate() const { return sqlstate_; }

  /// A value as a literal, or a name as an identifier, with its quotes.
  std::string literal(std::string_view value) const;
  std::string identifier(std::string_view name) const;

  /// The scram-sha-256 verifier of a password, so that no server log ever sees the password itself.
  Result<std::string> verifier(const std::string& user, const std::string& password) const;

  /// Waits end with kQueryCanceled when the flag is set; the connection is then of no more use. The
  /// flag must outlive the connection.
  void stop_with(const StopFlag& stop) { stop_ = &stop; }
  /// False once the connection is lost, or a wait was given up: then its state is not known.
  bool works() const;
  /// The server's, as 150020.
  int version() const;

  /// A parameter that the server reported, "" if it did not: "in_hot_standby".
  std::string parameter(const std::string& name) const;
  /// For what this class does not do: pipelines, COPY, notifications. Stays owned by this object.
  pg_conn* raw() const { return connection_.get(); }

 private:
  struct Closer {
    void operator()(pg_conn* connection) const;
  };
  using Handle = std::unique_ptr<pg_conn, Closer>;
  explicit SqlConnection(Handle connection) : connection_(std::move(connection)) {}

  Result<void> wait_for_answer(std::chrono::steady_clock::time_point deadline);
  std::unexpected<Error> statement_error(const pg_result* result);

  Handle connection_;
  std::string sqlstate_;
  const StopFlag* stop_ = nullptr;
  bool gave_up_ = false;
};

}  // namespace fairlead::cluster
