#include "proxy/client_login.h"

#include <fmt/format.h>

#include "auth/client_auth.h"
#include "base/log.h"
#include "console/session.h"
#include "net/deadline.h"
#include "net/random.h"
#include "proxy/frame_reader.h"
#include "wire/backend_encode.h"
#include "wire/frontend.h"
#include "wire/message_type.h"
#include "wire/printable.h"
#include "wire/startup_options.h"

namespace fairlead::proxy {
namespace {

using net::Task;

auth::ClientAuthMethod method_of(config::AuthMethod method) {
  switch (method) {
    case config::AuthMethod::kTrust:
      return auth::ClientAuthMethod::kTrust;
    case config::AuthMethod::kMd5:
      return auth::ClientAuthMethod::kMd5;
    default:
      return auth::ClientAuthMethod::kScramSha256;
  }
}

// F12: how long after the message that caused it a refusal is sent. The first proof for a plain
// secret costs a PBKDF2, some milliseconds that an unknown user's proof does not take; within this
// time nobody sees the difference.
constexpr Duration kRefusalDelay = std::chrono::milliseconds(50);

class ClientLogin {
 public:
  ClientLogin(net::Loop& loop, net::Stream& stream, auth::PlainVerifiers& plain_verifiers,
              SettingsPtr settings, std::optional<Error> refusal)
      : loop_(loop),
        stream_(stream),
        plain_verifiers_(plain_verifiers),
        settings_(std::move(settings)),
        refusal_(std::move(refusal)) {}

  Task<LoginOutcome> run() {
    auto packet = co_await read_startup();
    if (!packet) co_return std::nullopt;
    const auto startup = wire::decode_startup(*packet);
    if (!startup && wire::is_cancel_request(*packet)) co_return std::nullopt;
    if (!startup) co_return co_await refuse(startup.error());
    if (const auto* cancel = std::get_if<wire::CancelRequest>(&*startup)) {
      co_return CancelWish{cancel->pid, std::string(cancel->secret)};
    }
    const auto& message = std::get<wire::StartupMessage>(*startup);
    // The console is for the moment when nobody else gets in.
    if (refusal_ && !console::is_console(message.database())) co_return co_await refuse(*refusal_);
    auto identity = identify(message);
    if (!identity) co_return co_await refuse(identity.error());
    if (!co_await negotiate(message)) co_return std::nullopt;
    if (!co_await authenticate(*identity)) co_return std::nullopt;
    if (auto unknown = missing_database(*identity)) {
      std::string out;  // As PostgreSQL, which says that it knows the user first.
      wire::append_authentication_ok(out);
      if (!co_await write_all(stream_, std::move(out))) co_return std::nullopt;
      co_return co_await refuse(std::move(*unknown));
    }
    co_return std::move(*identity);
  }

 private:
  /// What follows the length of the first packet that is not about encryption; nullopt when the
  /// client is gone or refused.
  Task<std::optional<std::string>> read_startup() {
    bool asked_for_tls = false;
    bool asked_for_gss = false;
    for (;;) {
      std::string packet;
      if (!co_await fill(packet)) co_return std::nullopt;
      if (packet.front() == wire::kTlsHandshakeByte && !asked_for_tls) {  // F3: direct TLS.
        asked_for_tls = true;
        if (!co_await start_direct_tls()) co_return std::nullopt;
        continue;
      }
      const auto length = wire::startup_length(packet);
      if (!length) {
        co_await send_fatal(stream_, length.error());
        co_return std::nullopt;
      }
      if (!*length || packet.size() < **length) continue;
      const auto decoded = wire::decode_startup(std::string_view(packet).substr(4, **length - 4));
      const bool is_ssl = decoded && std::holds_alternative<wire::SslRequest>(*decoded);
      const bool is_gss = decoded && std::holds_alternative<wire::GssEncRequest>(*decoded);
      if (!is_ssl && !is_gss) {
        if (!consume(**length)) co_return std::nullopt;
        co_return packet.substr(4, **length - 4);
      }
      bool& asked = is_ssl ? asked_for_tls : asked_for_gss;
      if (asked) {  // F3: at most one of each.
        co_await send_fatal(stream_,
                            {ErrorCode::kProtocolViolation, "encryption was asked for twice"});
        co_return std::nullopt;
      }
      asked = true;
      // What was put behind the request before the answer came would be read as if it had been
      // encrypted (CVE-2021-23222).
      if (packet.size() > **length || !consume(**length)) {
        co_await send_fatal(
            stream_, {ErrorCode::kProtocolViolation, "received unencrypted data after SSL request",
                      "This could be either a client-software bug or evidence of an attempted "
                      "man-in-the-middle attack."});
        co_return std::nullopt;
      }
      if (!co_await answer_encryption(is_ssl)) co_return std::nullopt;
    }
  }

  /// Peeks until a whole start-up packet, or the first byte of TLS, is there; nothing is taken off
  /// the socket, because the bytes after it may belong to TLS. Over TLS there is no peeking, and no
  /// need for it.
  Task<bool> fill(std::string& packet) {
    size_t needed = 1;
    for (;;) {
      const std::span<char> buffer = loop_.scratch().first(wire::kStartupBodyMax + 4);
      const net::Transfer got = stream_.has_tls() ? stream_.read(buffer) : stream_.peek(buffer);
      if (got.closed()) co_return false;
      if (got.ok()) {
        if (!stream_.has_tls() && got.bytes < needed)
          co_return false;  // The client left in the middle of a packet.
        if (!stream_.has_tls()) decrypted_.clear();
        packet = decrypted_.append(buffer.data(), got.bytes);
        if (packet.front() == wire::kTlsHandshakeByte && !stream_.has_tls()) break;
        const auto length = wire::startup_length(packet);
        if (!length || (*length && packet.size() >= **length)) break;
        needed = *length ? **length : packet.size() + 1;
        if (!stream_.has_tls())
          stream_.set_low_water(needed);  // Peeked bytes must not wake us again.
      }
      if (!co_await stream_.readable()) co_return false;
    }
    if (!stream_.has_tls()) {
      stream_.set_low_water(1);
      decrypted_.clear();
    }
    co_return true;
  }

  bool consume(size_t bytes) {
    if (stream_.has_tls()) {
      decrypted_.erase(0, bytes);
      return true;
    }
    return stream_.read(loop_.scratch().first(bytes)).bytes == bytes;
  }

  Task<bool> answer_encryption(bool is_ssl) {
    const bool accept = is_ssl && settings_->tls && !stream_.has_tls();
    if (!co_await write_all(stream_, accept ? "S" : "N")) co_return false;
    if (!accept) co_return true;
    const auto started = co_await stream_.accept_tls(*settings_->tls);
    if (!started) log::debug("{}: {}", stream_.peer(), describe(started.error()));
    co_return started.has_value();
  }

  Task<bool> start_direct_tls() {
    if (!settings_->tls) co_return false;
    const auto started = co_await stream_.accept_tls(*settings_->tls);
    // Without ALPN the client may be a browser that was tricked into speaking to a database (F3).
    co_return started&& net::negotiated_postgresql(stream_.ssl());
  }

  Result<ClientIdentity> identify(const wire::StartupMessage& message) const {
    ClientIdentity identity;
    identity.user = std::string(message.user());
    identity.database = std::string(message.database());
    const auto replication = message.replication();
    if (!replication) return std::unexpected(replication.error());
    identity.replication = *replication;
    auto options = wire::parse_options(message.options());
    if (!options) return std::unexpected(options.error());
    identity.settings = std::move(*options);
    for (const auto& [name, value] : message.parameters) {
      if (name == "user" || name == "database" || name == "options" || name == "replication")
        continue;
      identity.settings.emplace_back(name, value);
    }
    const bool is_console = console::is_console(identity.database);
    if (is_console && identity.replication != wire::Replication::kNone)
      return fail(ErrorCode::kFeatureNotSupported, "the admin console is no database",
                  "a replication connection was asked for");
    identity.protocol_minor = std::min(message.minor, wire::kNewestMinor);
    if (identity.protocol_minor == wire::kReservedMinor) identity.protocol_minor = 0;  // F1
    return identity;
  }

  /// F7: for those who have proved who they are; to others every name is as good as any.
  std::optional<Error> missing_database(const ClientIdentity& identity) const {
    if (console::is_console(identity.database) ||
        settings_->config->find_database(identity.database) != nullptr)
      return std::nullopt;
    return Error{ErrorCode::kInvalidCatalogName,
                 fmt::format("database \"{}\" does not exist", wire::printable(identity.database)),
                 "no [database] entry of Fairlead's configuration has this name, and there is "
                 "none for \"*\""};
  }

  /// F1: tells a client that wants more than we speak what there is, and goes on.
  Task<bool> negotiate(const wire::StartupMessage& message) {
    const bool understood = message.minor == 0 || message.minor == wire::kNewestMinor;
    if (understood && message.protocol_options.empty()) co_return true;
    std::vector<std::string_view> unknown;
    for (const auto& option : message.protocol_options) unknown.push_back(option.name);
    std::string out;
    const uint16_t minor = message.minor == wire::kReservedMinor
                               ? uint16_t{0}
                               : std::min(message.minor, wire::kNewestMinor);
    wire::append_negotiate_protocol_version(out, minor, unknown);
    co_return (co_await write_all(stream_, std::move(out))).has_value();
  }

  Task<bool> authenticate(ClientIdentity& identity) {
    auth::ClientAuthInput input;
    input.user = identity.user;
    input.method = method_of(settings_->config->auth.method);
    if (const auth::Secret* secret = settings_->users.find(identity.user)) input.secret = *secret;
    if (stream_.has_tls()) input.binding = {settings_->tls->end_point_hash()};
    input.nonce = net::random_value<auth::RawNonce>();
    input.md5_salt = net::random_value<auth::Md5Salt>();
    input.mock_key = settings_->mock_key;
    input.plain_verifiers = &plain_verifiers_;
    const std::optional<auth::Secret> secret = input.secret;
    auth::ClientAuthFsm fsm(std::move(input));
    FrameReader reader(loop_, stream_, wire::kLoginPolicy);
    reader.put_back(std::exchange(decrypted_, {}));
    auth::ClientAuthActions actions = fsm.on_start();
    for (;;) {
      switch (co_await carry_out(actions, identity)) {
        case Verdict::kRefused:
          co_return false;
        case Verdict::kAccepted:
          use_stored_secret(secret, identity);
          identity.early = reader.take_rest();
          co_return true;
        case Verdict::kGoOn:
          break;
      }
      const auto message = co_await reader.next();
      if (!message || message->type != wire::frontend::kPassword) {
        if (!message && message.error().code == ErrorCode::kProtocolViolation)
          co_await send_fatal(stream_, message.error());
        co_return false;
      }
      const Time received = net::Loop::now();
      actions = fsm.on_password_message(message->body());
      if (std::holds_alternative<auth::Rejected>(actions.back()))
        co_await loop_.sleep(received + kRefusalDelay - net::Loop::now());
    }
  }

  enum class Verdict : uint8_t { kGoOn, kAccepted, kRefused };

  Task<Verdict> carry_out(const auth::ClientAuthActions& actions, ClientIdentity& identity) {
    std::string out;
    Verdict verdict = Verdict::kGoOn;
    for (const auth::ClientAuthAction& action : actions) {
      if (const auto* sasl = std::get_if<auth::SendSasl>(&action)) {
        const std::vector<std::string_view> mechanisms(sasl->mechanisms.begin(),
                                                       sasl->mechanisms.end());
        wire::append_authentication_sasl(out, mechanisms);
      } else if (const auto* next = std::get_if<auth::SendSaslContinue>(&action)) {
        wire::append_authentication_sasl_continue(out, next->payload);
      } else if (const auto* last = std::get_if<auth::SendSaslFinal>(&action)) {
        wire::append_authentication_sasl_final(out, last->payload);
      } else if (const auto* md5 = std::get_if<auth::SendMd5>(&action)) {
        wire::append_authentication_md5(out, {md5->salt.data(), md5->salt.size()});
      } else if (const auto* accepted = std::get_if<auth::Accepted>(&action)) {
        std::visit([&](const auto& learnt) { identity.credentials = learnt; }, accepted->learnt);
        verdict = Verdict::kAccepted;
      } else if (const auto* rejected = std::get_if<auth::Rejected>(&action)) {
        log::info(
            "{}: login refused: {}", stream_.peer(),
            rejected->for_operator.empty() ? rejected->error.message : rejected->for_operator);
        wire::append_error(out, wire::Severity::kFatal, rejected->error);
        verdict = Verdict::kRefused;
      }
    }
    if (!out.empty() && !co_await write_all(stream_, std::move(out))) co_return Verdict::kRefused;
    co_return verdict;
  }

  /// With trust nothing is learnt from the client; a password on file serves the servers all the
  /// same.
  static void use_stored_secret(const std::optional<auth::Secret>& secret,
                                ClientIdentity& identity) {
    if (!std::holds_alternative<std::monostate>(identity.credentials) || !secret) return;
    identity.credentials = auth::to_server_credentials(*secret);
  }

  Task<LoginOutcome> refuse(Error error) {
    co_await send_fatal(stream_, std::move(error));
    co_return std::nullopt;
  }

  net::Loop& loop_;
  net::Stream& stream_;
  auth::PlainVerifiers& plain_verifiers_;
  SettingsPtr settings_;
  std::optional<Error> refusal_;
  std::string decrypted_;  // Over TLS: what was read and not used yet.
};

}  // namespace

Task<LoginOutcome> receive_client(net::Loop& loop, net::Stream& stream,
                                  auth::PlainVerifiers& plain_verifiers, SettingsPtr settings,
                                  std::optional<Error> refusal) {
  net::Deadline deadline(loop, stream, settings->config->proxy.client_login_timeout);
  ClientLogin login(loop, stream, plain_verifiers, std::move(settings), std::move(refusal));
  co_return co_await login.run();
}

Task<void> send_fatal(net::Stream& stream, Error error) {
  std::string out;
  wire::append_error(out, wire::Severity::kFatal, error);
  (void)co_await write_all(
      stream, std::move(out));  // The client may be gone already: then nobody is left to tell.
  stream.discard_input();
}

}  // namespace fairlead::proxy
