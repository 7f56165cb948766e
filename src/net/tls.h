// TLS configuration for both sides: TlsServer towards clients, TlsClient towards PostgreSQL with
// libpq's sslmode meanings.
//
// Immutable once made, shared by all threads. TLS 1.2 is the oldest version that either side
// accepts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "net/stream.h"

namespace fairlead::net {

struct SslContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContextPointer = std::unique_ptr<SSL_CTX, SslContextDeleter>;

class TlsServer {
 public:
  /// PEM files. Fails when a file cannot be read, or the key does not belong to the certificate.
  static Result<TlsServer> load(const std::string& certificate_file, const std::string& key_file);

  SslPointer make(int fd) const;
  /// Hash of our certificate as SCRAM-SHA-256-PLUS binds to it (RFC 5929 tls-server-end-point,
  /// F11).
  const std::string& end_point_hash() const { return end_point_hash_; }

 private:
  SslContextPointer context_;
  std::string end_point_hash_;
};

/// libpq's sslmode: how much is asked of the server's TLS.
enum class TlsMode : uint8_t { kDisable, kAllow, kPrefer, kRequire, kVerifyCa, kVerifyFull };

class TlsClient {
 public:
  /// `ca_file`: PEM roots that sign the servers' certificates; needed by the verify modes.
  static Result<TlsClient> load(TlsMode mode, const std::string& ca_file);

  /// A connection that is to be with `host`: a name, or an address in any form that the look-up of
  /// names takes for one, "127.1" too. Of an IPv6 address the scope ("%eth0") does not count:
  /// certificates have none. Fails for a host that no certificate can name, if it must be named.
  Result<SslPointer> make(int fd, const std::string& host) const;
  TlsMode mode() const { return mode_; }

 private:
  SslContextPointer context_;
  TlsMode mode_ = TlsMode::kPrefer;
};

/// tls-server-end-point hash of the peer's certificate; empty when it showed none.
std::string peer_end_point_hash(SSL* ssl);

/// ALPN chose "postgresql": what a direct TLS connection must have done (F3).
bool negotiated_postgresql(SSL* ssl);

/// Why the last handshake on `ssl` failed, in words.
std::string tls_failure(SSL* ssl);

}  // namespace fairlead::net
