// A server connection of Fairlead's own, one question at a time: probes, the catalog, identity
// checks.
//
// Not pooled and not relayed. A coroutine that awaits ask() owns the conversation; it must not be
// destroyed meanwhile.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/frame_reader.h"
#include "proxy/server_login.h"

namespace fairlead::proxy {

using Row = std::vector<std::optional<std::string>>;

class Conversation {
 public:
  static net::Task<std::expected<std::unique_ptr<Conversation>, LoginFailure>> open(
      net::Loop& loop, ServerEndpoint endpoint, ServerLogin login);

  /// The rows of a simple query, of all its statements one after the other. A server's error comes
  /// back with its own text; after kConnectionFailure or kProtocolViolation the conversation is
  /// over.
  net::Task<Result<std::vector<Row>>> ask(std::string sql, Duration timeout);

  bool is_over() const { return over_; }
  const ParameterList& reported() const { return login_.reported; }

  Conversation(net::Loop& loop, LoggedIn login);

 private:
  net::Task<Result<std::vector<Row>>> read_answer();

  net::Loop& loop_;
  LoggedIn login_;
  FrameReader reader_;
  bool over_ = false;
};

}  // namespace fairlead::proxy
