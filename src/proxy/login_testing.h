// For the tests of this folder: what it takes to log in to a server that the test plays.
#pragma once

#include <memory>
#include <string>

#include "proxy/server_login.h"
#include "wire/backend_encode.h"

namespace fairlead::proxy {

inline ServerEndpoint endpoint_at(uint16_t port, net::TlsMode mode, Duration timeout) {
  return {.host = "127.0.0.1",
          .port = port,
          .tls = std::make_shared<net::TlsClient>(net::TlsClient::load(mode, "").value()),
          .timeout = timeout};
}

inline ServerLogin login_of_tester() {
  return {.user = "tester",
          .database = "tests",
          .credentials = {},
          .derived = nullptr,
          .parameters = {},
          .question = LoginQuestion::kNone};
}

/// What a server says that lets everybody in.
inline std::string welcome_of_server() {
  std::string out;
  wire::append_authentication_ok(out);
  wire::append_backend_key_data(out, 1, "secret");
  wire::append_ready_for_query(out, wire::TxStatus::kIdle);
  return out;
}

}  // namespace fairlead::proxy
