#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>

#include "base/assert.h"

namespace fairlead::net {
namespace {

constexpr std::string_view kAlpn = "\x0apostgresql";

std::string last_error() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  if (code == 0) return "no reason was given";
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return text.data();
}

/// RFC 5929: the hash of the signature algorithm, but SHA-256 in place of MD5 and SHA-1.
std::string binding_hash(X509* certificate) {
  int digest_id = NID_undef;
  if (X509_get_signature_info(certificate, &digest_id, nullptr, nullptr, nullptr) != 1) return {};
  if (digest_id == NID_undef || digest_id == NID_md5 || digest_id == NID_sha1)
    digest_id = NID_sha256;
  const EVP_MD* digest = EVP_get_digestbynid(digest_id);
  if (digest == nullptr) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int size = 0;
  if (X509_digest(certificate, digest, hash.data(), &size) != 1) return {};
  return {reinterpret_cast<const char*>(hash.data()), size};
}

SslContextPointer make_context(const SSL_METHOD* method) {
  SslContextPointer context(SSL_CTX_new(method));
  require(context != nullptr, "OpenSSL gave no context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // Writes are retried with whatever of the bytes is left; an idle connection gives its 34 KiB of
  // buffers back.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_IGNORE_UNEXPECTED_EOF);
  return context;
}

int choose_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned int in_size, void*) {
  unsigned char* chosen = nullptr;
  const int result =
      SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(kAlpn.data()),
                            static_cast<unsigned int>(kAlpn.size()), in, in_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// The bytes of an address, 4 or 16; empty: `host` is a name. As libpq and the look-up of names see
/// it: all that inet_aton takes, such as "127.1", is an IPv4 address.
std::string address_bytes(const std::string& host) {
  constexpr std::string_view kEndsWhatIsRead(" \t\n\v\f\r\0", 7);  // By inet_aton.
  if (host.find_first_of(kEndsWhatIsRead) != std::string::npos) return {};
  std::array<char, sizeof(in6_addr)> bytes{};
  if (inet_aton(host.c_str(), reinterpret_cast<in_addr*>(bytes.data())) != 0)
    return {bytes.data(), sizeof(in_addr)};
  const std::string without_scope = host.substr(0, host.find('%'));
  if (inet_pton(AF_INET6, without_scope.c_str(), bytes.data()) == 1)
    return {bytes.data(), sizeof(in6_addr)};
  return {};
}

/// Has the handshake fail unless the certificate is that of `host`.
bool expect_certificate_of(SSL* ssl, const std::string& host, const std::string& address) {
  X509_VERIFY_PARAM* check = SSL_get0_param(ssl);
  if (!address.empty())
    return X509_VERIFY_PARAM_set1_ip(check, reinterpret_cast<const unsigned char*>(address.data()),
                                     address.size()) == 1;
  // OpenSSL takes an empty name for no check at all.
  return !host.empty() && X509_VERIFY_PARAM_set1_host(check, host.data(), host.size()) == 1;
}

SslPointer make_ssl(SSL_CTX* context, int fd) {
  SslPointer ssl(SSL_new(context));
  require(ssl != nullptr && SSL_set_fd(ssl.get(), fd) == 1, "OpenSSL gave no connection");
  return ssl;
}

}  // namespace

Result<TlsServer> TlsServer::load(const std::string& certificate_file,
                                  const std::string& key_file) {
  TlsServer tls;
  tls.context_ = make_context(TLS_server_method());
  SSL_CTX* context = tls.context_.get();
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return fail(ErrorCode::kConfig,
                "the TLS certificate \"" + certificate_file + "\" cannot be used", last_error(),
                "Set listen.tls_cert_file to a PEM file with the certificate and its chain.");
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return fail(ErrorCode::kConfig, "the TLS key \"" + key_file + "\" cannot be used", last_error(),
                "Set listen.tls_key_file to the PEM key that belongs to the certificate.");
  }
  SSL_CTX_set_alpn_select_cb(context, choose_alpn, nullptr);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  tls.end_point_hash_ = binding_hash(SSL_CTX_get0_certificate(context));
  return tls;
}

SslPointer TlsServer::make(int fd) const {
  SslPointer ssl = make_ssl(context_.get(), fd);
  SSL_set_accept_state(ssl.get());
  return ssl;
}

Result<TlsClient> TlsClient::load(TlsMode mode, const std::string& ca_file) {
  TlsClient tls;
  tls.mode_ = mode;
  tls.context_ = make_context(TLS_client_method());
  SSL_CTX* context = tls.context_.get();
  if (mode == TlsMode::kVerifyCa || mode == TlsMode::kVerifyFull) {
    const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                       : SSL_CTX_load_verify_file(context, ca_file.c_str());
    if (loaded != 1) {
      return fail(ErrorCode::kConfig,
                  "the TLS root certificates \"" + ca_file + "\" cannot be used", last_error(),
                  "Set tls_ca_file to a PEM file with the certificate authority of the servers.");
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  return tls;
}

Result<SslPointer> TlsClient::make(int fd, const std::string& host) const {
  SslPointer ssl = make_ssl(context_.get(), fd);
  const std::string address = address_bytes(host);
  if (mode_ == TlsMode::kVerifyFull && !expect_certificate_of(ssl.get(), host, address)) {
    ERR_clear_error();
    return fail(ErrorCode::kConnectionFailure, "no certificate can name this host", {},
                "Call it by a name or an address that its certificate has.");
  }
  // Without it, as for a name that is too long, a server shows the certificate that it has.
  if (address.empty() && SSL_set_tlsext_host_name(ssl.get(), host.c_str()) != 1) ERR_clear_error();
  SSL_set_connect_state(ssl.get());
  return ssl;
}

std::string peer_end_point_hash(SSL* ssl) {
  X509* certificate = SSL_get0_peer_certificate(ssl);
  return certificate == nullptr ? std::string{} : binding_hash(certificate);
}

bool negotiated_postgresql(SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return std::string_view(reinterpret_cast<const char*>(name), size) == kAlpn.substr(1);
}

std::string tls_failure(SSL* ssl) {
  const long verification = SSL_get_verify_result(ssl);
  if (verification != X509_V_OK) {
    ERR_clear_error();
    return std::string("the certificate was not accepted: ") +
           X509_verify_cert_error_string(verification);
  }
  return last_error();
}

}  // namespace fairlead::net
