// A server's output on its way to the client: cut into messages, shown to the session one by one,
// and handed on in runs, so that a whole result goes out in one call.
//
// Pure; one per server connection, on its worker's thread.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "core/session.h"
#include "wire/frame.h"

namespace fairlead::core {

/// Who gets the output: the driver of the connection, for the session that has leased it.
class RelaySink {
 public:
  /// Whether a session has the server; it may change with every call.
  virtual bool leased() const = 0;
  /// Whether the server was given up: nothing more of its output counts.
  virtual bool given_up() const = 0;
  /// These three only while it is leased.
  virtual Relayed on_server_piece(const wire::Piece& piece) = 0;
  virtual void forward(std::string_view bytes) = 0;
  virtual void on_server_done() = 0;
  /// A piece that comes while nobody has the server. Error: it must not be used any more (F26).
  virtual Result<void> on_idle_piece(const wire::Piece& piece) = 0;

 protected:
  ~RelaySink() = default;
};

class ServerRelay {
 public:
  /// Bytes in the order in which they came, cut anywhere. Error: the server broke the protocol;
  /// what came before that was relayed.
  Result<void> feed(std::string_view bytes, RelaySink& sink);

  /// No half message was read.
  bool at_boundary() const { return kept_.empty() && cutter_.at_boundary(); }

 private:
  Result<void> relay(std::string_view input, RelaySink& sink);

  wire::FrameCutter cutter_{wire::kBackendPolicy};
  std::string kept_;  // The start of a message that is not complete yet.
};

}  // namespace fairlead::core
