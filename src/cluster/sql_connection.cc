// libpq, asynchronously, so that every wait has an end.
#include "cluster/sql_connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <limits>

#include "cluster/subprocess.h"

namespace fairlead::cluster {

namespace {

using Clock = std::chrono::steady_clock;

struct ResultFreer {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, ResultFreer>;

std::string_view or_empty(const char* text) { return text ? text : ""; }

std::string quoted(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "'";
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '.' || c == '_' || c == '~')
      out.push_back(c);
    else
      out += fmt::format("%{:02X}", byte);
  }
  return out;
}

/// How often a stop flag is looked at.
constexpr int64_t kSliceMs = 50;

bool is_set(const StopFlag* stop) { return stop != nullptr && stop->load(); }

/// False when the deadline came first, or the flag was set.
bool wait_for(int socket, short events, Clock::time_point deadline, const StopFlag* stop) {
  pollfd wait{socket, events, 0};
  while (!is_set(stop)) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return false;
    const int64_t slice = stop == nullptr ? std::numeric_limits<int>::max() : kSliceMs;
    if (poll(&wait, 1, static_cast<int>(std::min(left, slice))) > 0) return true;
  }
  return false;
}

SqlRows rows_of(const PGresult* answer) {
  SqlRows out;
  const int columns = PQnfields(answer);
  for (int column = 0; column < columns; ++column)
    out.columns.emplace_back(PQfname(answer, column));
  for (int row = 0; row < PQntuples(answer); ++row) {
    auto& cells = out.rows.emplace_back();
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(answer, row, column))
        cells.emplace_back(std::nullopt);
      else
        cells.emplace_back(std::string(PQgetvalue(answer, row, column),
                                       static_cast<size_t>(PQgetlength(answer, row, column))));
    }
  }
  out.command = or_empty(PQcmdStatus(const_cast<PGresult*>(answer)));
  return out;
}

void drop_copy_data(PGconn* connection) {
  char* row = nullptr;
  while (PQgetCopyData(connection, &row, 0) > 0) PQfreemem(row);
}

std::unexpected<Error> cannot_connect(PGconn* connection, std::string_view why) {
  const std::string where =
      fmt::format("{}:{}", or_empty(PQhost(connection)), or_empty(PQport(connection)));
  return fail(ErrorCode::kConnectionFailure, fmt::format("cannot connect to {}", where),
              std::string(why));
}

}  // namespace

std::string Endpoint::conninfo() const {
  const std::string secret = password.empty() ? "" : " password=" + quoted(password);
  return fmt::format("host={} port={} user={}{} dbname={}", quoted(host), port, quoted(user),
                     secret, quoted(database));
}

std::string Endpoint::url() const {
  const std::string secret = password.empty() ? "" : ":" + percent_encoded(password);
  const std::string place = host.starts_with('/') ? percent_encoded(host)
                            : host.contains(':')  ? "[" + host + "]"
                                                  : host;
  return fmt::format("postgresql://{}{}@{}:{}/{}", percent_encoded(user), secret, place, port,
                     percent_encoded(database));
}

void forget_libpq_variables() {
  std::vector<std::string> names;
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (const std::string_view text = *variable; text.starts_with("PG"))
      names.emplace_back(text.substr(0, text.find('=')));
  for (const std::string& name : names) unsetenv(name.c_str());
}

void SqlConnection::Closer::operator()(pg_conn* connection) const { PQfinish(connection); }

Result<SqlConnection> SqlConnection::open(const std::string& conninfo,
                                          std::chrono::milliseconds deadline) {
  Handle connection(PQconnectStart(conninfo.c_str()));
  if (!connection) return fail(ErrorCode::kInternal, "libpq is out of memory");
  const auto end = Clock::now() + deadline;
  PostgresPollingStatusType want = PGRES_POLLING_WRITING;
  while (want != PGRES_POLLING_OK) {
    if (want == PGRES_POLLING_FAILED || PQstatus(connection.get()) == CONNECTION_BAD)
      return cannot_connect(connection.get(), tail(PQerrorMessage(connection.get()), 3));
    if (!wait_for(PQsocket(connection.get()), want == PGRES_POLLING_READING ? POLLIN : POLLOUT, end,
                  nullptr))
      return cannot_connect(connection.get(),
                            fmt::format("no answer within {} ms", deadline.count()));
    want = PQconnectPoll(connection.get());
  }
  // Notices are for people at a terminal; libpq would print them on standard error.
  PQsetNoticeReceiver(connection.get(), [](void*, const PGresult*) {}, nullptr);
  return SqlConnection(std::move(connection));
}

Result<void> SqlConnection::wait_for_answer(Clock::time_point deadline) {
  PGconn* c = connection_.get();
  for (;;) {
    const int unsent = PQflush(c);
    if (unsent < 0) break;
    if (unsent == 0 && !PQisBusy(c)) return {};
    const auto events = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
    if (!wait_for(PQsocket(c), events, deadline, stop_)) {
      gave_up_ = true;
      return fail(ErrorCode::kQueryCanceled,
                  is_set(stop_) ? "stopped on request" : "no answer from the server in time");
    }
    if (PQconsumeInput(c) == 0) break;
  }
  return fail(ErrorCode::kConnectionFailure, "the connection to the server was lost",
              tail(PQerrorMessage(c), 3));
}

std::unexpected<Error> SqlConnection::statement_error(const pg_result* result) {
  sqlstate_ = or_empty(PQresultErrorField(result, PG_DIAG_SQLSTATE));
  const bool lost = PQstatus(connection_.get()) == CONNECTION_BAD;
  std::string message(or_empty(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)));
  if (message.empty()) message = tail(PQresultErrorMessage(result), 3);
  const std::string detail = sqlstate_.empty() ? "" : "SQLSTATE " + sqlstate_;
  return fail(lost ? ErrorCode::kConnectionFailure : ErrorCode::kInternal, std::move(message),
              detail, std::string(or_empty(PQresultErrorField(result, PG_DIAG_MESSAGE_HINT))));
}

Result<SqlRows> SqlConnection::query(const std::string& sql, std::chrono::milliseconds deadline) {
  sqlstate_.clear();
  PGconn* c = connection_.get();
  const auto end = Clock::now() + deadline;
  if (PQsendQuery(c, sql.c_str()) == 0)
    return fail(ErrorCode::kConnectionFailure, "cannot send a query", tail(PQerrorMessage(c), 3));
  SqlRows rows;
  std::optional<Error> error;
  for (;;) {
    if (auto ready = wait_for_answer(end); !ready) return std::unexpected(ready.error());
    const Answer answer(PQgetResult(c));
    if (!answer) break;
    switch (PQresultStatus(answer.get())) {
      case PGRES_TUPLES_OK:
      case PGRES_COMMAND_OK:
      case PGRES_EMPTY_QUERY:
        rows = rows_of(answer.get());
        break;
      // Commands here never copy; a test that does gets an error, and a connection that still
      // works.
      case PGRES_COPY_IN:
        PQputCopyEnd(c, "COPY needs the raw connection");
        break;
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH:
        drop_copy_data(c);
        break;
      default:
        if (!error) error = statement_error(answer.get()).error();
    }
  }
  if (error) return std::unexpected(*error);
  return rows;
}

Result<std::string> SqlConnection::value(const std::string& sql) {
  auto rows = query(sql);
  if (!rows) return std::unexpected(rows.error());
  if (rows->rows.size() != 1 || rows->columns.empty())
    return fail(ErrorCode::kInternal, fmt::format("expected one row, got {}", rows->rows.size()));
  return rows->rows[0][0].value_or("");
}

std::string SqlConnection::literal(std::string_view value) const {
  std::unique_ptr<char, decltype(&PQfreemem)> text(
      PQescapeLiteral(connection_.get(), value.data(), value.size()), &PQfreemem);
  return text ? std::string(text.get()) : "NULL";
}

std::string SqlConnection::identifier(std::string_view name) const {
  std::unique_ptr<char, decltype(&PQfreemem)> text(
      PQescapeIdentifier(connection_.get(), name.data(), name.size()), &PQfreemem);
  return text ? std::string(text.get()) : "\"\"";
}

Result<std::string> SqlConnection::verifier(const std::string& user,
                                            const std::string& password) const {
  std::unique_ptr<char, decltype(&PQfreemem)> text(
      PQencryptPasswordConn(connection_.get(), password.c_str(), user.c_str(), "scram-sha-256"),
      &PQfreemem);
  if (!text)
    return fail(ErrorCode::kInternal, "cannot derive a password verifier",
                tail(PQerrorMessage(connection_.get()), 3));
  return std::string(text.get());
}

bool SqlConnection::works() const {
  return !gave_up_ && PQstatus(connection_.get()) == CONNECTION_OK;
}

int SqlConnection::version() const { return PQserverVersion(connection_.get()); }

std::string SqlConnection::parameter(const std::string& name) const {
  return std::string(or_empty(PQparameterStatus(connection_.get(), name.c_str())));
}

}  // namespace fairlead::cluster
