// Both sides of SCRAM talking to each other, and every way in which somebody between them (or one
// of them) could cheat.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "auth/scram_client.h"
#include "auth/scram_server.h"

namespace fairlead::auth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr uint32_t kFew = 2;  // Iterations: what is tested does not depend on their number.
const std::string kSalt = "sixteen bytes ok";
const ScramVerifier kPencilVerifier = ScramVerifier::derive("pencil", kSalt, kFew);
const ScramLoginKeys kPencilKeys = ScramLoginKeys::derive("pencil", kSalt, kFew);
const ChannelBinding kNoTls;
const ChannelBinding kTls{"hash of the certificate"};

ScramClient::Credentials password(std::string_view text) { return SecretText(text); }

/// Changes one of the messages on its way: step 0 client-first, 1 server-first, 2 client-final,
/// 3 server-final.
using Tamper = std::function<void(int step, std::string& message)>;
void leave_alone(int, std::string&) {}

struct Exchange {
  ScramClient client;
  ScramServer server;
  Tamper tamper = leave_alone;

  /// Success is what the server learnt; the error is the first one on either side.
  Result<ScramLoginKeys> run() {
    const std::vector<std::string> offered = server.mechanisms();
    return run({offered.begin(), offered.end()});
  }

  Result<ScramLoginKeys> run(const std::vector<std::string_view>& offered) {
    Result<ScramClient::First> first = client.start(offered);
    if (!first) return std::unexpected(first.error());
    tamper(0, first->payload);
    Result<std::string> challenge = server.on_client_first(first->mechanism, first->payload);
    if (!challenge) return std::unexpected(challenge.error());
    tamper(1, *challenge);
    Result<std::string> reply = client.on_server_first(*challenge);
    if (!reply) return std::unexpected(reply.error());
    tamper(2, *reply);
    Result<ScramServer::Finished> finished = server.on_client_final(*reply);
    if (!finished) return std::unexpected(finished.error());
    tamper(3, finished->server_final);
    if (auto proven = client.on_server_final(finished->server_final); !proven)
      return std::unexpected(proven.error());
    return finished->keys;
  }
};

Exchange exchange(ScramClient::Credentials credentials, const ChannelBinding& binding = kNoTls,
                  Tamper tamper = leave_alone) {
  return {ScramClient(std::move(credentials), "clientnonce", binding, BindingPolicy::kPrefer),
          ScramServer(kPencilVerifier, "servernonce", binding), std::move(tamper)};
}

TEST(ScramServer, AcceptsTheExampleOfRfc7677) {
  const std::string salt = base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==").value();
  ScramServer server(ScramVerifier::derive("pencil", salt, 4096), "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
                     kNoTls);
  EXPECT_EQ(
      server.on_client_first("SCRAM-SHA-256", "n,,n=user,r=rOprNGfwEbeRWgbNEkqO").value(),
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  const auto finished = server.on_client_final(
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
      "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
  EXPECT_EQ(finished.value().server_final, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
  EXPECT_EQ(finished.value().keys, ScramLoginKeys::derive("pencil", salt, 4096));
}

TEST(Scram, APasswordLogsInAndRevealsItsKeys) {  // F10
  EXPECT_EQ(exchange(password("pencil")).run().value(), kPencilKeys);
}

TEST(Scram, KeysLearntFromAClientLogInToAServerWithTheIdenticalVerifier) {  // F10
  const ScramLoginKeys learnt = exchange(password("pencil")).run().value();
  EXPECT_EQ(exchange(learnt).run().value(), kPencilKeys);
}

TEST(Scram, KeysOfAnotherVerifierAreRefusedBeforeAnythingIsProven) {
  for (const ScramLoginKeys& other : {ScramLoginKeys::derive("pencil", "another salt", kFew),
                                      ScramLoginKeys::derive("pencil", kSalt, kFew + 1)}) {
    const Error error = exchange(other).run().error();
    EXPECT_EQ(error.code, ErrorCode::kConfig);
    EXPECT_THAT(error.message, HasSubstr("differs from the server's"));
    EXPECT_THAT(error.hint, HasSubstr("pg_authid"));
  }
}

TEST(Scram, PlusIsUsedWhenBothSidesCanBind) {  // F11
  EXPECT_THAT(ScramServer(kPencilVerifier, "n", kTls).mechanisms(),
              ElementsAre("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"));
  EXPECT_THAT(ScramServer(kPencilVerifier, "n", kNoTls).mechanisms(), ElementsAre("SCRAM-SHA-256"));
  EXPECT_EQ(exchange(password("pencil"), kTls).run().value(), kPencilKeys);
  EXPECT_EQ(exchange(kPencilKeys, kTls).run().value(), kPencilKeys);

  ScramClient client(password("pencil"), "c", kTls, BindingPolicy::kPrefer);
  const std::vector<std::string_view> offered{kScramSha256Plus, kScramSha256};
  EXPECT_EQ(client.start(offered).value(),
            (ScramClient::First{"SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=c"}));
}

TEST(Scram, ClientsThatCannotBindMayStillLogInOverTls) {
  for (const BindingPolicy policy : {BindingPolicy::kPrefer, BindingPolicy::kDisable}) {
    Exchange e{ScramClient(password("pencil"), "c",
                           policy == BindingPolicy::kPrefer ? kNoTls : kTls, policy),
               ScramServer(kPencilVerifier, "s", kTls)};
    EXPECT_EQ(e.run().value(), kPencilKeys);
  }
}

TEST(Scram, AServerWithoutPlusServesAClientThatCouldBind) {
  Exchange e{ScramClient(password("pencil"), "c", kTls, BindingPolicy::kPrefer),
             ScramServer(kPencilVerifier, "s", kNoTls)};
  EXPECT_EQ(e.run().value(), kPencilKeys);
}

TEST(Scram, ADowngradeFromPlusIsSeen) {  // F11
  // Somebody between takes PLUS off the list: the client says "y", and the server knows better.
  const Error error = exchange(password("pencil"), kTls).run({kScramSha256}).error();
  EXPECT_EQ(error.code, ErrorCode::kInvalidAuthorization);
  // And hiding the "y" breaks the binding that the proof covers.
  const Tamper hide = [](int step, std::string& message) {
    if (step == 0) message[0] = 'n';
  };
  EXPECT_FALSE(exchange(password("pencil"), kTls, hide).run({kScramSha256}));
}

TEST(Scram, AnotherCertificateInBetweenFails) {  // F11
  Exchange e{ScramClient(password("pencil"), "c", ChannelBinding{"of the man in the middle"},
                         BindingPolicy::kRequire),
             ScramServer(kPencilVerifier, "s", kTls)};
  EXPECT_EQ(e.run().error().code, ErrorCode::kInvalidAuthorization);
}

TEST(Scram, RequiredBindingThatCannotBeHadIsAnErrorBeforeAnythingIsSent) {
  ScramClient no_tls(password("pencil"), "c", kNoTls, BindingPolicy::kRequire);
  const std::vector<std::string_view> both{kScramSha256Plus, kScramSha256};
  EXPECT_EQ(no_tls.start(both).error().code, ErrorCode::kInvalidAuthorization);
  ScramClient no_plus(password("pencil"), "c", kTls, BindingPolicy::kRequire);
  const std::vector<std::string_view> plain{kScramSha256};
  EXPECT_EQ(no_plus.start(plain).error().code, ErrorCode::kInvalidAuthorization);
  ScramClient unknown(password("pencil"), "c", kTls, BindingPolicy::kPrefer);
  const std::vector<std::string_view> other{"OAUTHBEARER"};
  EXPECT_EQ(unknown.start(other).error().code, ErrorCode::kFeatureNotSupported);
}

TEST(Scram, AWrongPasswordIsInvalidPassword) {
  EXPECT_EQ(exchange(password("pencil ")).run().error().code, ErrorCode::kInvalidPassword);
  EXPECT_EQ(exchange(password("")).run().error().code, ErrorCode::kInvalidPassword);
  ScramLoginKeys keys = kPencilKeys;
  keys.client_key.bytes[31] ^= 1;
  EXPECT_EQ(exchange(keys).run().error().code, ErrorCode::kInvalidPassword);
}

TEST(Scram, AServerThatDoesNotKnowTheVerifierIsRefused) {
  ScramVerifier half = kPencilVerifier;  // It took the StoredKey only, and can check but not prove.
  half.server_key = sha256("guess");
  Exchange e{ScramClient(password("pencil"), "c", kNoTls, BindingPolicy::kPrefer),
             ScramServer(half, "s", kNoTls)};
  EXPECT_EQ(e.run().error().code, ErrorCode::kInvalidAuthorization);
}

TEST(Scram, EveryChangedBitOfEveryMessageFails) {
  for (const ChannelBinding& binding : {kNoTls, kTls}) {
    size_t lengths[4] = {};
    exchange(password("pencil"), binding, [&](int step, std::string& message) {
      lengths[step] = message.size();
    }).run();
    for (int target = 0; target < 4; ++target) {
      for (size_t at = 0; at < lengths[target]; ++at) {
        for (const int bit : {0, 5}) {
          const Tamper flip = [&](int step, std::string& message) {
            if (step == target) message[at] = static_cast<char>(message[at] ^ (1 << bit));
          };
          EXPECT_FALSE(exchange(password("pencil"), binding, flip).run())
              << "message " << target << ", byte " << at << ", bit " << bit;
        }
      }
    }
  }
}

TEST(Scram, EveryTruncationOfEveryMessageFails) {
  for (const ChannelBinding& binding : {kNoTls, kTls}) {
    size_t lengths[4] = {};
    exchange(password("pencil"), binding, [&](int step, std::string& message) {
      lengths[step] = message.size();
    }).run();
    for (int target = 0; target < 4; ++target) {
      for (size_t length = 0; length < lengths[target]; ++length) {
        const Tamper cut = [&](int step, std::string& message) {
          if (step == target) message.resize(length);
        };
        EXPECT_FALSE(exchange(password("pencil"), binding, cut).run())
            << "message " << target << ", length " << length;
      }
    }
  }
}

TEST(ScramServer, IgnoresTheNameInsideTheMessage) {
  const Tamper name = [](int step, std::string& message) {
    if (step == 0) message = "n,,n=somebody,r=clientnonce";
  };
  // The proof covers the name, and so this exchange cannot succeed; but it is not refused for it.
  EXPECT_EQ(exchange(password("pencil"), kNoTls, name).run().error().code,
            ErrorCode::kInvalidPassword);
}

TEST(ScramServer, RefusesMalformedFirstMessages) {
  struct Case {
    std::string_view mechanism;
    std::string payload;
  };
  for (const Case& bad : std::initializer_list<Case>{
           {"SCRAM-SHA-1", "n,,n=,r=x"},
           {"", "n,,n=,r=x"},
           {kScramSha256Plus, "p=tls-server-end-point,,n=,r=x"},  // No TLS: not offered.
           {kScramSha256, "p=tls-server-end-point,,n=,r=x"},
           {kScramSha256, "x,,n=,r=x"},
           {kScramSha256, "nn,,n=,r=x"},
           {kScramSha256, "n,a=other,n=,r=x"},
           {kScramSha256, "n,,m=must,n=,r=x"},
           {kScramSha256, "n,,r=x"},
           {kScramSha256, "n,,n=,r="},
           {kScramSha256, "n,,n=,r=a b"},
           {kScramSha256, "n,,n=,r=a\x7F"},
           {kScramSha256, "n,,n=,r=x,"},
           {kScramSha256, "n,,n=,r=x,1=x"},
           {kScramSha256, std::string("n,,n=,r=a\0b", 11)},
           {kScramSha256, "n,,n=,r=" + std::string(kScramClientMessageBytesMax, 'x')},
       }) {
    ScramServer server(kPencilVerifier, "s", kNoTls);
    EXPECT_FALSE(server.on_client_first(bad.mechanism, bad.payload)) << bad.payload;
  }
  ScramServer server(kPencilVerifier, "s", kNoTls);
  EXPECT_TRUE(server.on_client_first(kScramSha256, "n,,n=,r=x,a=optional extension"));
}

TEST(ScramServer, RefusesMismatchesOfMechanismAndBindingOverTls) {
  for (const auto& [mechanism, payload] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{
           {kScramSha256Plus, "n,,n=,r=x"},
           {kScramSha256Plus, "y,,n=,r=x"},
           {kScramSha256Plus, "p=tls-unique,,n=,r=x"},
           {kScramSha256Plus, "p=,,n=,r=x"},
           {kScramSha256, "p=tls-server-end-point,,n=,r=x"},
           {kScramSha256, "y,,n=,r=x"}}) {
    ScramServer server(kPencilVerifier, "s", kTls);
    EXPECT_FALSE(server.on_client_first(mechanism, payload)) << mechanism << ' ' << payload;
  }
}

TEST(ScramServer, AMockExchangeLooksTheSameAndAlwaysFails) {  // F12
  const MockKey key{'k'};
  const auto challenge = [&] {
    return ScramServer::mock(key, "ann", "s", kNoTls).on_client_first(kScramSha256, "n,,n=,r=x");
  };
  EXPECT_EQ(challenge().value(), challenge().value());
  EXPECT_EQ(challenge().value(), "r=xs,s=" + base64_encode(mock_salt(key, "ann")) + ",i=4096");
  EXPECT_EQ(ScramServer::mock(key, "ann", "s", kTls).mechanisms(),
            ScramServer(kPencilVerifier, "s", kTls).mechanisms());
  for (const ChannelBinding& binding : {kNoTls, kTls}) {
    Exchange e{ScramClient(password("pencil"), "c", binding, BindingPolicy::kPrefer),
               ScramServer::mock(key, "ann", "s", binding)};
    EXPECT_EQ(e.run().error(), exchange(password("wrong"), binding).run().error());
  }
}

TEST(ScramServer, TakesEachMessageOnce) {
  ScramServer server(kPencilVerifier, "s", kNoTls);
  EXPECT_FALSE(server.on_client_final("c=biws,r=xs,p=x"));
  EXPECT_FALSE(server.on_client_first(kScramSha256, "n,,n=,r=x"));  // One failure ends it.
  ScramServer again(kPencilVerifier, "s", kNoTls);
  EXPECT_TRUE(again.on_client_first(kScramSha256, "n,,n=,r=x"));
  EXPECT_FALSE(again.on_client_first(kScramSha256, "n,,n=,r=x"));
}

Result<std::string> answer_to(std::string_view challenge, ScramClient::Credentials credentials) {
  ScramClient client(std::move(credentials), "c", kNoTls, BindingPolicy::kPrefer);
  const std::vector<std::string_view> offered{kScramSha256};
  EXPECT_TRUE(client.start(offered));
  return client.on_server_first(challenge);
}

TEST(ScramClient, RefusesMalformedChallenges) {
  for (const std::string challenge : {
           "r=c,s=c2FsdA==,i=1",  // The server added nothing to the nonce.
           "r=xs,s=c2FsdA==,i=1",
           "r=,s=c2FsdA==,i=1",
           "r=c\x01s,s=c2FsdA==,i=1",
           "r=cs,s=,i=1",
           "r=cs,s=c2FsdA,i=1",
           "r=cs,s=c2FsdA==",
           "r=cs,s=c2FsdA==,i=",
           "r=cs,s=c2FsdA==,i=0",
           "r=cs,s=c2FsdA==,i=-1",
           "r=cs,s=c2FsdA==,i=1x",
           "r=cs,s=c2FsdA==,i=99999999999",
           "m=x,r=cs,s=c2FsdA==,i=1",
           "r=cs,s=c2FsdA==,i=1,",
           "r=cs,s=c2FsdA==,i=1,m=x",
           "s=c2FsdA==,r=cs,i=1",
       }) {
    EXPECT_FALSE(answer_to(challenge, password("pencil"))) << challenge;
  }
  EXPECT_TRUE(answer_to("r=cs,s=c2FsdA==,i=1,x=extension", password("pencil")));
  const std::string long_nonce(kScramServerMessageBytesMax, 'x');
  EXPECT_FALSE(answer_to("r=c" + long_nonce + ",s=c2FsdA==,i=1", password("pencil")));
}

TEST(ScramClient, DoesNotComputeAsManyIterationsAsAHostileServerLikes) {
  const Error error = answer_to("r=cs,s=c2FsdA==,i=1000001", password("pencil")).error();
  EXPECT_EQ(error.code, ErrorCode::kLimitExceeded);
  // Keys need no computing, and so no limit.
  EXPECT_TRUE(answer_to(
      "r=cs,s=c2FsdA==,i=1000001",
      ScramLoginKeys{.client_key = {}, .server_key = {}, .salt = "salt", .iterations = 1'000'001}));
}

TEST(ScramClient, RefusesFinalMessagesThatProveNothing) {
  for (const char* final : {"", "v=", "v=AAAA", "e=other-error", "x=y"}) {
    const Tamper replace = [&](int step, std::string& message) {
      if (step == 3) message = final;
    };
    EXPECT_FALSE(exchange(password("pencil"), kNoTls, replace).run()) << final;
  }
}

TEST(ScramClient, TakesEachMessageOnceAndInOrder) {
  ScramClient early(password("pencil"), "c", kNoTls, BindingPolicy::kPrefer);
  EXPECT_FALSE(early.on_server_first("r=cs,s=c2FsdA==,i=1"));
  ScramClient skipped(password("pencil"), "c", kNoTls, BindingPolicy::kPrefer);
  const std::vector<std::string_view> offered{kScramSha256};
  EXPECT_TRUE(skipped.start(offered));
  EXPECT_FALSE(skipped.on_server_final("v=" + base64_encode(ScramKey{}.view())));
  EXPECT_FALSE(skipped.on_server_first("r=cs,s=c2FsdA==,i=1"));
}

}  // namespace
}  // namespace fairlead::auth
