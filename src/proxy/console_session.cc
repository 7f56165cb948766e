#include "proxy/console_session.h"

#include "core/local_statement.h"
#include "proxy/worker.h"
#include "wire/backend_encode.h"

namespace fairlead::proxy {
namespace {

namespace frontend = wire::frontend;
using net::Task;

/// Everything whole, because the console looks at everything, and short.
constexpr wire::FramePolicy kConsolePolicy =
    wire::FramePolicy(wire::kFrontendPolicy)
        .whole(frontend::kQuery, console::kConsoleMessageMax)
        .whole(frontend::kParse, console::kConsoleMessageMax)
        .whole(frontend::kBind, console::kConsoleMessageMax)
        .whole(frontend::kFunctionCall, console::kConsoleMessageMax)
        .whole(frontend::kCopyData, console::kConsoleMessageMax);

std::string welcome(const core::CancelKey& key) {
  std::string out;
  wire::append_authentication_ok(out);
  // What drivers look at before their first statement; as PgBouncer's console does, the version
  // says that no PostgreSQL is behind it.
  const std::string version = std::string(core::kVersion) + "/fairlead";
  for (const auto& [name, value] :
       {std::pair<std::string_view, std::string_view>{"server_version", version},
        {"server_encoding", "UTF8"},
        {"client_encoding", "UTF8"},
        {"DateStyle", "ISO"},
        {"TimeZone", "GMT"},
        {"integer_datetimes", "on"},
        {"standard_conforming_strings", "on"}}) {
    wire::append_parameter_status(out, name, value);
  }
  wire::append_backend_key_data(out, key.process_id(), key.secret());
  wire::append_ready_for_query(out, wire::TxStatus::kIdle);
  return out;
}

}  // namespace

ConsoleSession::ConsoleSession(Worker& worker, net::Stream& stream, core::CancelKey key)
    : worker_(worker),
      stream_(stream),
      key_(key),
      reader_(worker.loop(), stream, kConsolePolicy),
      session_(core::kVersion),
      changed_(worker.loop()),
      last_input_(net::Loop::now()) {}

Task<void> ConsoleSession::serve(std::string early) {
  reader_.put_back(early);
  if (!co_await write_all(stream_, welcome(key_))) co_return;
  while (!ended_ && !session_.ended()) {
    reading_ = true;
    const auto message = co_await reader_.next();
    reading_ = false;
    last_input_ = net::Loop::now();
    if (!message) {
      if (message.error().code == ErrorCode::kProtocolViolation) say_goodbye(message.error());
      co_return;
    }
    if (!co_await answer(*message)) break;
    co_await worker_.loop().yield();  // Clients are served between its messages, however many.
  }
  if (ended_)
    say_goodbye({ErrorCode::kAdminShutdown, "terminating connection due to administrator command"});
}

/// False: the client is gone.
Task<bool> ConsoleSession::answer(const FrameReader::Message& message) {
  out_.clear();
  session_.on_message(message.type, message.body(), out_);
  while (const auto view = session_.wants()) {
    const auto report = co_await ask_workers(*view);
    if (!report) co_return false;
    session_.answer(*report, out_);
  }
  if (out_.empty()) co_return true;
  co_return (co_await write_all(stream_, std::exchange(out_, {}))).has_value();
}

/// nullopt: the session ends before they have answered.
Task<std::optional<console::Report>> ConsoleSession::ask_workers(console::View view) {
  const auto awaited = worker_.gather(view, [this] { changed_.notify_all(); });
  while (!awaited->report && !ended_) co_await changed_.wait();
  awaited->on_report = {};
  co_return std::move(awaited->report);
}

/// As far as the socket takes it at once: who does not read is not waited for.
void ConsoleSession::say_goodbye(const Error& error) {
  std::string out;
  wire::append_error(out, wire::Severity::kFatal, error);
  (void)stream_.write(out);
  stream_.discard_input();
  stream_.shutdown();
}

void ConsoleSession::end(bool now) {
  ended_ = true;
  changed_.notify_all();
  if (reading_)
    say_goodbye({ErrorCode::kAdminShutdown, "terminating connection due to administrator command"});
  else if (now)
    stream_.shutdown();
}

void ConsoleSession::tick(Time now) {
  const Duration limit = worker_.settings().config->proxy.client_idle_timeout;
  if (reading_ && limit.count() > 0 && now - last_input_ >= limit) end(false);
}

}  // namespace fairlead::proxy
