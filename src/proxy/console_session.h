// The driver of one connection to the admin console (console/session.h): reads its messages, asks
// the workers for what they count, writes the answers. Worker's thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "console/session.h"
#include "core/cancel_key.h"
#include "net/signal.h"
#include "net/stream.h"
#include "proxy/frame_reader.h"

namespace fairlead::proxy {

class Worker;

class ConsoleSession {
 public:
  ConsoleSession(Worker& worker, net::Stream& stream, core::CancelKey key);

  /// Serves until the client leaves. `early`: what it has sent already.
  net::Task<void> serve(std::string early);

  /// Ends it with 57P01: once what is asked is answered, or at once if `now`.
  void end(bool now);
  /// A few times a second: the limit of time for idle clients.
  void tick(Time now);

 private:
  net::Task<bool> answer(const FrameReader::Message& message);
  net::Task<std::optional<console::Report>> ask_workers(console::View view);
  void say_goodbye(const Error& error);

  Worker& worker_;
  net::Stream& stream_;
  const core::CancelKey key_;
  FrameReader reader_;
  console::Session session_;
  net::Signal changed_;  // A report has come, or the end.
  std::string out_;
  Time last_input_{};
  bool reading_ = false;
  bool ended_ = false;
};

}  // namespace fairlead::proxy
