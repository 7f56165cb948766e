#include "proxy/server_login.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/deadline.h"
#include "net/random.h"
#include "proxy/frame_reader.h"
#include "proxy/probe_answer.h"
#include "wire/backend.h"
#include "wire/error_fields.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"
#include "wire/printable.h"
#include "wire/startup.h"

namespace fairlead::proxy {
namespace {

namespace backend = wire::backend;
using net::Task;
using net::TlsMode;

LoginFailure failure(Error error) {
  std::string state(sqlstate(error.code));
  return {.error = std::move(error), .server_error = {}, .sqlstate = std::move(state)};
}

// In PostgreSQL 14 and later a numeric with six digits behind the point; without any operator or
// name that the role's search_path could give another meaning.
constexpr std::string_view kStartSql =
    "SELECT EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time())";

constexpr std::string_view kRoleSql = "SELECT pg_catalog.pg_is_in_recovery()";

/// "" if it is not one value.
std::string read_value(std::string_view body) {
  const auto row = wire::DataRow::decode(body);
  if (!row || row->values.size() != 1 || !row->values[0]) return {};
  return std::string(*row->values[0]);
}

/// What a server sends once the login is over, and never before.
bool begins_session(char type) {
  return type == backend::kReadyForQuery || type == backend::kParameterStatus ||
         type == backend::kBackendKeyData;
}

/// One attempt to log in over a connection that is already there.
class LoginDriver {
 public:
  LoginDriver(net::Loop& loop, net::Stream& stream, const ServerEndpoint& endpoint,
              const ServerLogin& login)
      : stream_(stream),
        endpoint_(endpoint),
        login_(login),
        reader_(loop, stream, wire::kBackendPolicy),
        auth_(auth_input()) {}

  Task<std::expected<LoggedIn, LoginFailure>> run() {
    std::string startup;
    std::vector<wire::Parameter> parameters{{"user", login_.user}, {"database", login_.database}};
    for (const auto& [name, value] : login_.parameters) parameters.push_back({name, value});
    wire::append_startup_message(startup, login_.protocol_minor, parameters);
    if (auto sent = co_await write_all(stream_, std::move(startup)); !sent)
      co_return std::unexpected(failure(sent.error()));
    for (;;) {
      const auto message = co_await reader_.next();
      if (!message) co_return std::unexpected(failure(message.error()));
      if (begins_session(message->type)) {  // F14: whatever it says, it has to prove itself first.
        if (auto done = auth_.check_done(); !done) co_return std::unexpected(failure(done.error()));
      }
      if (message->type == backend::kReadyForQuery) {
        if (auto asked = co_await ask_who_it_is(); !asked)
          co_return std::unexpected(failure(asked.error()));
        co_return std::move(result_);
      }
      if (message->type == backend::kAuthentication) {
        if (auto answered = co_await answer(message->body()); !answered)
          co_return std::unexpected(failure(answered.error()));
      } else if (auto taken = take(*message); !taken) {
        co_return std::unexpected(std::move(taken.error()));
      }
    }
  }

 private:
  auth::ServerAuthInput auth_input() const {
    auth::ServerAuthInput input;
    input.server = endpoint_.name();
    input.user = login_.user;
    input.credentials = login_.credentials;
    input.derived = login_.derived;
    input.way_out = login_.way_out;
    input.allowed = endpoint_.allowed_auth;
    const bool is_protected = stream_.has_tls() || config::is_loopback(endpoint_.host);
    input.transport =
        is_protected ? auth::ServerTransport::kProtected : auth::ServerTransport::kPlainNetwork;
    if (stream_.has_tls())
      input.binding = auth::ChannelBinding{net::peer_end_point_hash(stream_.ssl())};
    input.nonce = net::random_value<auth::RawNonce>();
    return input;
  }

  Task<Result<void>> answer(std::string_view body) {
    const auto request = wire::Authentication::decode(body);
    if (!request) co_return std::unexpected(request.error());
    const auto action =
        auth_.on_authentication(static_cast<uint32_t>(request->code), request->payload);
    std::string out;
    if (const auto* refused = std::get_if<auth::Fail>(&action))
      co_return std::unexpected(refused->error);
    if (const auto* password = std::get_if<auth::SendPassword>(&action))
      wire::append_password(out, password->text.view());
    if (const auto* first = std::get_if<auth::SendSaslInitial>(&action)) {
      wire::append_sasl_initial_response(out, first->mechanism, first->payload);
    }
    if (const auto* response = std::get_if<auth::SendSaslResponse>(&action))
      wire::append_sasl_response(out, response->payload);
    co_return co_await write_all(stream_, std::move(out));
  }

  bool tells_standby() const {
    return std::ranges::any_of(result_.reported,
                               [](const auto& pair) { return pair.first == "in_hot_standby"; });
  }

  Task<Result<void>> ask_who_it_is() {
    if (login_.question == LoginQuestion::kNone) co_return Result<void>{};
    if (tells_standby()) {
      if (login_.question != LoginQuestion::kStart) co_return Result<void>{};
      const auto start = co_await ask(kStartSql);
      if (!start) co_return std::unexpected(start.error());
      result_.postmaster_started_us = microseconds_of(*start);  // Unknown is none the worse.
      co_return Result<void>{};
    }
    const auto is_standby = co_await ask(kRoleSql);
    if (!is_standby) co_return std::unexpected(is_standby.error());
    if (*is_standby != "t" && *is_standby != "f")
      co_return fail(
          ErrorCode::kProtocolViolation,
          fmt::format("the server {} did not say whether it is in recovery", endpoint_.name()),
          fmt::format("its answer: \"{}\"", wire::printable(*is_standby, 200)),
          "The user must be allowed to call pg_is_in_recovery().");
    result_.reported.emplace_back("in_hot_standby", *is_standby == "t" ? "on" : "off");
    co_return Result<void>{};
  }

  /// The one value that the server answers; "" if it is something else, or an error.
  Task<Result<std::string>> ask(std::string_view sql) {
    std::string query;
    wire::append_query(query, sql);
    if (auto sent = co_await write_all(stream_, std::move(query)); !sent)
      co_return std::unexpected(sent.error());
    std::string value;
    for (;;) {
      const auto message = co_await reader_.next();
      if (!message) co_return std::unexpected(message.error());
      if (message->type == backend::kReadyForQuery) co_return value;
      if (message->type == backend::kDataRow) value = read_value(message->body());
    }
  }

  std::expected<void, LoginFailure> take(const FrameReader::Message& message) {
    switch (message.type) {
      case backend::kParameterStatus: {
        const auto status = wire::ParameterStatus::decode(message.body());
        if (!status) return std::unexpected(failure(status.error()));
        result_.reported.emplace_back(status->name, status->value);
        return {};
      }
      case backend::kBackendKeyData: {
        const auto key = wire::BackendKeyData::decode(message.body());
        if (!key) return std::unexpected(failure(key.error()));
        result_.backend_pid = key->pid;
        result_.cancel_secret = std::string(key->secret);
        return {};
      }
      case backend::kErrorResponse:
        return std::unexpected(server_refusal(message));
      case backend::kNoticeResponse:
      case backend::kNegotiateProtocolVersion:
        return {};  // An older minor version changes nothing that we use.
      default:
        return std::unexpected(failure(
            {ErrorCode::kProtocolViolation,
             fmt::format("the server sent a message of type \"{}\" during login", message.type)}));
    }
  }

  LoginFailure server_refusal(const FrameReader::Message& message) const {
    const auto fields = wire::ErrorFields::decode(message.body());
    if (!fields) return failure(fields.error());
    LoginFailure refusal =
        failure({ErrorCode::kConnectionFailure,
                 fmt::format("the server {} refused the login of \"{}\" to database \"{}\"",
                             endpoint_.name(), wire::printable(login_.user),
                             wire::printable(login_.database)),
                 wire::printable(fields->message(), 500)});
    refusal.server_error = std::string(message.frame);
    refusal.sqlstate = std::string(fields->sqlstate());
    return refusal;
  }

  net::Stream& stream_;
  const ServerEndpoint& endpoint_;
  const ServerLogin& login_;
  FrameReader reader_;
  auth::ServerAuthFsm auth_;
  LoggedIn result_;
};

/// What the server answered to SSLRequest: 'S', 'N', or an error of a server that is older than TLS
/// or starting up.
Task<Result<bool>> ask_for_tls(net::Stream& stream) {
  std::string request;
  wire::append_ssl_request(request);
  if (auto sent = co_await write_all(stream, std::move(request)); !sent)
    co_return std::unexpected(sent.error());
  for (;;) {
    // Exactly one byte: anything more before the handshake was put there by somebody in between
    // (CVE-2021-23222).
    char answer = 0;
    const net::Transfer got = stream.read({&answer, 1});
    if (got.closed())
      co_return fail(ErrorCode::kConnectionFailure,
                     "the server closed the connection when asked for TLS");
    if (got.ok()) {
      if (answer == 'S') co_return true;
      if (answer == 'N') co_return false;
      co_return fail(ErrorCode::kProtocolViolation,
                     "the server answered neither yes nor no when asked for TLS");
    }
    if (!co_await stream.readable())
      co_return fail(ErrorCode::kConnectionFailure, "the connection was closed");
  }
}

Task<Result<void>> start_tls(net::Stream& stream, const ServerEndpoint& endpoint) {
  const auto agreed = co_await ask_for_tls(stream);
  if (!agreed) co_return std::unexpected(agreed.error());
  if (*agreed) co_return co_await stream.connect_tls(*endpoint.tls, endpoint.host);
  if (endpoint.tls->mode() <= TlsMode::kPrefer) co_return Result<void>{};
  co_return fail(
      ErrorCode::kConnectionFailure,
      fmt::format("the server {} does not offer TLS, and tls_mode demands it", endpoint.name()), {},
      "Switch ssl on in postgresql.conf, or set tls_mode to \"prefer\".");
}

Duration time_left(Time until) { return std::max(until - net::Loop::now(), Duration{0}); }

Task<std::expected<std::unique_ptr<net::Stream>, LoginFailure>> open(net::Loop& loop,
                                                                     const ServerEndpoint& endpoint,
                                                                     bool use_tls, Time until) {
  auto socket = co_await net::dial(loop, endpoint.host, endpoint.port, time_left(until));
  if (!socket) {
    LoginFailure failed = failure(socket.error().error);
    failed.refused = socket.error().fault == net::DialFault::kRefused;
    failed.timed_out = socket.error().fault == net::DialFault::kSilent;
    failed.not_asked = socket.error().fault == net::DialFault::kOwn;
    co_return std::unexpected(std::move(failed));
  }
  auto stream = std::make_unique<net::Stream>(std::move(*socket));
  stream->keep_alive(endpoint.keepalive);
  if (!use_tls) co_return stream;
  net::Deadline deadline(loop, *stream, time_left(until));
  if (auto started = co_await start_tls(*stream, endpoint); !started) {
    LoginFailure failed = failure(started.error());
    failed.timed_out = deadline.expired();
    co_return std::unexpected(std::move(failed));
  }
  co_return stream;
}

Task<std::expected<LoggedIn, LoginFailure>> attempt(net::Loop& loop, const ServerEndpoint& endpoint,
                                                    const ServerLogin& login, bool use_tls,
                                                    Time until) {
  auto stream = co_await open(loop, endpoint, use_tls, until);
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  net::Deadline deadline(loop, **stream, time_left(until));
  LoginDriver driver(loop, **stream, endpoint, login);
  auto result = co_await driver.run();
  if (!result) {
    if (deadline.expired()) {
      result.error().timed_out = true;
      result.error().error = {ErrorCode::kConnectionFailure,
                              fmt::format("the server {} did not finish the login within {} ms",
                                          endpoint.name(), endpoint.timeout.count() / 1000)};
    }
    co_return std::unexpected(std::move(result.error()));
  }
  result->stream = std::move(*stream);
  co_return std::move(*result);
}

/// libpq's sslmode: which transport to try first, and whether the other one may be tried after it
/// failed.
struct TlsPlan {
  bool first;
  bool may_try_other;
};
TlsPlan plan_tls(TlsMode mode) {
  switch (mode) {
    case TlsMode::kDisable:
      return {false, false};
    case TlsMode::kAllow:
      return {false, true};
    case TlsMode::kPrefer:
      return {true, true};
    default:
      return {true, false};
  }
}

}  // namespace

Task<std::expected<LoggedIn, LoginFailure>> log_in(net::Loop& loop, ServerEndpoint endpoint,
                                                   ServerLogin login) {
  const Time until = net::Loop::now() + endpoint.timeout;
  const TlsPlan plan = plan_tls(endpoint.tls->mode());
  auto result = co_await attempt(loop, endpoint, login, plan.first, until);
  if (result || !plan.may_try_other || !result.error().has_answered()) co_return result;
  // As libpq: the other transport is worth a try when the handshake failed or pg_hba.conf refused
  // this one (28000).
  const bool transport_refused =
      result.error().server_error.empty() || result.error().sqlstate == "28000";
  if (!transport_refused || net::Loop::now() >= until) co_return result;
  auto other = co_await attempt(loop, endpoint, login, !plan.first, until);
  if (other) co_return other;
  co_return result;
}

Task<std::expected<std::unique_ptr<net::Stream>, LoginFailure>> connect_server(
    net::Loop& loop, ServerEndpoint endpoint) {
  const Time until = net::Loop::now() + endpoint.timeout;
  const TlsPlan plan = plan_tls(endpoint.tls->mode());
  auto stream = co_await open(loop, endpoint, plan.first, until);
  if (stream || !plan.may_try_other || !stream.error().has_answered()) co_return stream;
  co_return co_await open(loop, endpoint, !plan.first, until);
}

}  // namespace fairlead::proxy
