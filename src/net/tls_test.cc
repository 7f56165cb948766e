#include "net/tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <csignal>
#include <cstdio>
#include <filesystem>

#include "net/loop_testing.h"

namespace fairlead::net {
namespace {

using ::testing::HasSubstr;

struct CertificateDeleter {
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(FILE* file) const { (void)std::fclose(file); }
};
template <class T>
using Owned = std::unique_ptr<T, CertificateDeleter>;

/// A server whose certificate signs itself, and names db1.example, 127.0.0.1 and fe80::1.
class TlsToServer : public testing::Test {
 protected:
  TlsToServer() {
    (void)std::signal(SIGPIPE, SIG_IGN);  // As the program does; OpenSSL writes where nobody reads.
    std::string name = testing::TempDir() + "/fl-XXXXXX";
    folder_ = mkdtemp(name.data());
    const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
    const Owned<X509> certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("a server"), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), subject);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                "DNS:db1.example,IP:127.0.0.1,IP:fe80::1");
    X509_add_ext(certificate.get(), names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    PEM_write_X509(open("ca.pem").get(), certificate.get());
    PEM_write_PrivateKey(open("key.pem").get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  }
  ~TlsToServer() override { std::filesystem::remove_all(folder_); }

  std::string path(const char* name) const { return folder_ + "/" + name; }
  TlsClient client(TlsMode mode) const { return TlsClient::load(mode, path("ca.pem")).value(); }

  /// Why a handshake with the server, called `host`, failed; empty: it did not.
  std::string why(const std::string& host, TlsMode mode = TlsMode::kVerifyFull) const {
    const TlsClient client = this->client(mode);
    const TlsServer server = TlsServer::load(path("ca.pem"), path("key.pem")).value();
    std::string told;
    Loop loop;
    run(loop, shake_hands(loop, client, server, host, told));
    return told;
  }

 private:
  Owned<FILE> open(const char* name) const {
    return Owned<FILE>(std::fopen(path(name).c_str(), "w"));
  }

  static Task<void> accept(Stream& stream, const TlsServer& server) {
    (void)co_await stream.accept_tls(server);
  }

  static Task<void> shake_hands(Loop& loop, const TlsClient& client, const TlsServer& server,
                                const std::string& host, std::string& told) {
    Ends ends = co_await connect_ends(loop);
    Spawner spawner(loop);
    spawner.spawn(accept(*ends.far, server));
    const auto secured = co_await ends.near->connect_tls(client, host);
    if (!secured) told = describe(secured.error());
    ends.near->shutdown();
    co_await spawner.join();
  }

  std::string folder_;
};

TEST_F(TlsToServer, ACertificateIsHeldToEachFormOfTheNamesAndAddressesThatItHas) {
  for (const char* host : {"db1.example", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "fe80::1",
                           "fe80:0::1", "fe80::1%eth0"})
    EXPECT_EQ(why(host), "") << host;
  for (const char* host :
       {"127.0.0.2", "127.2", "12345", "0", "::1", "fe80::2%eth0", "::ffff:7f01"})
    EXPECT_THAT(why(host), HasSubstr("IP address mismatch")) << host;
  for (const char* host :
       {"db2.example", "1.2.3.4.5", "99999999999", "fe80::1::%x", "eth0%fe80::1"})
    EXPECT_THAT(why(host), HasSubstr("hostname mismatch")) << host;
  EXPECT_EQ(why("whatever", TlsMode::kVerifyCa), "");
}

TEST_F(TlsToServer, AHostThatNoCertificateCanNameIsAnErrorWhereItMustBeNamed) {
  for (const std::string_view host : {std::string_view(), std::string_view("db1.example\0x", 13),
                                      std::string_view("127.0.0.1\0x", 11)}) {
    EXPECT_THAT(why(std::string(host)), HasSubstr("no certificate can name this host")) << host;
    EXPECT_TRUE(client(TlsMode::kVerifyCa).make(0, std::string(host))) << host;
  }
  EXPECT_TRUE(client(TlsMode::kVerifyFull).make(0, std::string(300, 'a'))) << "too long for SNI";
}

}  // namespace
}  // namespace fairlead::net
