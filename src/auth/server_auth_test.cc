#include "auth/server_auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/scram_server.h"

namespace fairlead::auth {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

constexpr uint32_t kOk = 0, kCleartext = 3, kMd5Code = 5, kSasl = 10, kContinue = 11, kFinal = 12;
const std::string kScramOnly = "SCRAM-SHA-256\0\0"s;
const ScramVerifier kRoleVerifier = ScramVerifier::derive("pencil", "salt of the role", 2);
const ScramLoginKeys kRoleKeys = ScramLoginKeys::derive("pencil", "salt of the role", 2);
const ServerCredentials kPassword = PlainPassword{SecretText("pencil")};
constexpr AllowedServerAuth kEverything = AllowedServerAuth()
                                              .with(ServerAuthMethod::kMd5)
                                              .with(ServerAuthMethod::kCleartext)
                                              .with(ServerAuthMethod::kCleartextAnywhere);

ServerAuthInput input(ServerCredentials credentials, AllowedServerAuth allowed = {}) {
  return {.server = "db1:5432",
          .user = "ann",
          .credentials = std::move(credentials),
          .derived = nullptr,
          .allowed = allowed,
          .transport = ServerTransport::kProtected,
          .binding = {},
          .binding_policy = BindingPolicy::kPrefer,
          .nonce = {7}};
}

/// Checks that `action` is a Fail and returns its error.
Error error_of(const ServerAuthAction& action) {
  const auto* failed = std::get_if<Fail>(&action);
  EXPECT_NE(failed, nullptr);
  return failed == nullptr ? Error{} : failed->error;
}

/// A whole login to a real ScramServer, up to but without the last AuthenticationOk.
ServerAuthAction scram(ServerAuthFsm& fsm, ScramServer server) {
  std::string offer;
  for (const std::string& mechanism : server.mechanisms()) offer += mechanism + '\0';
  ServerAuthAction action = fsm.on_authentication(kSasl, offer + '\0');
  if (!std::holds_alternative<SendSaslInitial>(action)) return action;
  const auto& initial = std::get<SendSaslInitial>(action);
  const auto challenge = server.on_client_first(initial.mechanism, initial.payload);
  action = fsm.on_authentication(kContinue, challenge.value());
  if (!std::holds_alternative<SendSaslResponse>(action)) return action;
  const auto finished = server.on_client_final(std::get<SendSaslResponse>(action).payload);
  return fsm.on_authentication(kFinal, finished.value().server_final);
}

TEST(ServerCredentials, AreOnFileUnlessOnlyAVerifierIs) {
  const Md5Secret md5 = Md5Secret::derive("pencil", "ann").value();
  EXPECT_EQ(to_server_credentials(PlainPassword{SecretText("pencil")}), kPassword);
  EXPECT_EQ(to_server_credentials(md5), ServerCredentials(md5));
  EXPECT_EQ(to_server_credentials(kRoleVerifier), ServerCredentials());
  EXPECT_EQ(to_server_credentials(NoPassword{}), ServerCredentials());
}

TEST(ServerAuth, AServerThatTrustsIsDoneAtOnce) {
  ServerAuthFsm fsm(input(std::monostate{}));
  EXPECT_EQ(fsm.on_authentication(kOk, {}), ServerAuthAction(Done{}));
}

TEST(ServerAuth, APasswordAndKeysLogInWithScram) {  // F10
  for (const ServerCredentials& credentials :
       std::initializer_list<ServerCredentials>{kPassword, kRoleKeys}) {
    ServerAuthFsm fsm(input(credentials));
    EXPECT_EQ(scram(fsm, ScramServer(kRoleVerifier, "s", {})), ServerAuthAction(WaitForServer{}));
    EXPECT_EQ(fsm.on_authentication(kOk, {}), ServerAuthAction(Done{}));
  }
}

TEST(ServerAuth, TheKeysOfAPasswordAreDerivedOnceForAllServersWithTheSameVerifier) {
  ServerAuthInput with = input(kPassword);
  with.derived = std::make_shared<DerivedKeys>();
  for (int node = 0; node < 3; ++node) {
    ServerAuthFsm fsm(with);
    EXPECT_EQ(scram(fsm, ScramServer(kRoleVerifier, "s", {})), ServerAuthAction(WaitForServer{}));
  }
  EXPECT_EQ(with.derived->derived_total(), 1u);
  ServerAuthFsm fsm(with);
  const ScramVerifier changed = ScramVerifier::derive("pencil", "another salt", 2);
  EXPECT_EQ(scram(fsm, ScramServer(changed, "s", {})), ServerAuthAction(WaitForServer{}));
  EXPECT_EQ(with.derived->derived_total(), 2u);
}

TEST(ServerAuth, BindsToTheServersCertificate) {  // F11
  ServerAuthInput with = input(kPassword);
  with.binding = {"certificate"};
  with.binding_policy = BindingPolicy::kRequire;
  ServerAuthFsm fsm(std::move(with));
  EXPECT_EQ(scram(fsm, ScramServer(kRoleVerifier, "s", {"certificate"})),
            ServerAuthAction(WaitForServer{}));
  EXPECT_EQ(fsm.on_authentication(kOk, {}), ServerAuthAction(Done{}));
}

TEST(ServerAuth, RequiredBindingRefusesEverythingElse) {
  for (const auto& [code, payload] : std::initializer_list<std::pair<uint32_t, std::string>>{
           {kOk, ""}, {kCleartext, ""}, {kMd5Code, "salt"}, {kSasl, kScramOnly}}) {
    ServerAuthInput with = input(kPassword, kEverything);
    with.binding = {"certificate"};
    with.binding_policy = BindingPolicy::kRequire;
    ServerAuthFsm fsm(std::move(with));
    const Error error = error_of(fsm.on_authentication(code, payload));
    EXPECT_EQ(error.code, ErrorCode::kInvalidAuthorization) << code;
    EXPECT_THAT(error.message, HasSubstr("channel binding is required")) << code;
  }
}

TEST(ServerAuth, ByDefaultNeitherMd5NorCleartextIsAnswered) {  // F14
  struct Case {
    uint32_t code;
    std::string payload;
    std::string word;
  };
  for (const Case& asked :
       std::initializer_list<Case>{{kCleartext, "", "password"}, {kMd5Code, "salt", "md5"}}) {
    ServerAuthFsm fsm(input(kPassword));
    const Error error = error_of(fsm.on_authentication(asked.code, asked.payload));
    EXPECT_EQ(error.code, ErrorCode::kInvalidAuthorization);
    EXPECT_EQ(error.message, "the server db1:5432 asks user \"ann\" for the method \"" +
                                 asked.word + "\", which server_auth does not allow");
    EXPECT_THAT(error.detail, HasSubstr("would learn what logs in"));
    EXPECT_THAT(error.hint, HasSubstr("add \"" + asked.word + "\" to server_auth"));
  }
}

TEST(ServerAuth, AnMd5SecretAnswersMd5BecauseItServesNothingElse) {  // F14
  const Md5Secret secret = Md5Secret::derive("pencil", "ann").value();
  ServerAuthFsm fsm(input(secret));
  EXPECT_EQ(fsm.on_authentication(kMd5Code, "salt"),
            ServerAuthAction(SendPassword{md5_response(secret, {'s', 'a', 'l', 't'}).value()}));
  ServerAuthFsm cleartext(input(secret));
  EXPECT_THAT(error_of(cleartext.on_authentication(kCleartext, {})).message,
              HasSubstr("does not allow"));
  ServerAuthInput bound = input(secret);
  bound.binding_policy = BindingPolicy::kRequire;
  EXPECT_THAT(error_of(ServerAuthFsm(std::move(bound)).on_authentication(kMd5Code, "salt")).message,
              HasSubstr("channel binding is required"));
}

TEST(ServerAuth, NoSessionBeginsBeforeTheLoginIsDone) {  // F14
  ServerAuthFsm fsm(input(kPassword));
  EXPECT_THAT(fsm.check_done().error().message, HasSubstr("without AuthenticationOk"));
  ScramServer server(kRoleVerifier, "s", {});
  ServerAuthAction action = fsm.on_authentication(kSasl, kScramOnly);
  EXPECT_THAT(fsm.check_done().error().message, HasSubstr("before it proved itself"));
  const auto& initial = std::get<SendSaslInitial>(action);
  const auto challenge = server.on_client_first(initial.mechanism, initial.payload);
  action = fsm.on_authentication(kContinue, challenge.value());
  EXPECT_THAT(fsm.check_done().error().message, HasSubstr("before it proved itself"));
  const auto finished = server.on_client_final(std::get<SendSaslResponse>(action).payload);
  fsm.on_authentication(kFinal, finished.value().server_final);
  EXPECT_THAT(fsm.check_done().error().message, HasSubstr("without AuthenticationOk"));
  fsm.on_authentication(kOk, {});
  EXPECT_TRUE(fsm.check_done());
  fsm.on_authentication(kOk, {});  // Once more: a violation, and the end.
  EXPECT_FALSE(fsm.check_done());
}

TEST(ServerAuth, TheAllowedSetIsExactlyWhatItSays) {
  ServerAuthFsm no_trust(input(kPassword, AllowedServerAuth().without(ServerAuthMethod::kTrust)));
  EXPECT_TRUE(std::holds_alternative<Fail>(no_trust.on_authentication(kOk, {})));
  ServerAuthFsm no_scram(input(kPassword, kEverything.without(ServerAuthMethod::kScramSha256)));
  EXPECT_TRUE(std::holds_alternative<Fail>(no_scram.on_authentication(kSasl, kScramOnly)));
  for (const auto& [code, payload] : std::initializer_list<std::pair<uint32_t, std::string>>{
           {kOk, ""}, {kCleartext, ""}, {kMd5Code, "salt"}, {kSasl, kScramOnly}}) {
    ServerAuthFsm nothing(input(kPassword, AllowedServerAuth::nothing()));
    EXPECT_TRUE(std::holds_alternative<Fail>(nothing.on_authentication(code, payload))) << code;
  }
}

TEST(ServerAuth, CleartextTravelsProtectedOrNotAtAllUnlessConfigured) {  // F14
  const auto ask = [](AllowedServerAuth allowed, ServerTransport transport) {
    ServerAuthInput with = input(kPassword, allowed);
    with.transport = transport;
    return ServerAuthFsm(std::move(with)).on_authentication(kCleartext, {});
  };
  const ServerAuthAction sent = SendPassword{SecretText("pencil")};
  const auto cleartext = AllowedServerAuth().with(ServerAuthMethod::kCleartext);
  EXPECT_EQ(ask(cleartext, ServerTransport::kProtected), sent);
  EXPECT_THAT(error_of(ask(cleartext, ServerTransport::kPlainNetwork)).message,
              HasSubstr("others can read"));
  const auto anywhere = AllowedServerAuth().with(ServerAuthMethod::kCleartextAnywhere);
  EXPECT_EQ(ask(anywhere, ServerTransport::kProtected), sent);
  EXPECT_EQ(ask(anywhere, ServerTransport::kPlainNetwork), sent);
}

TEST(ServerAuth, Md5IsAnsweredFromAPasswordOrAnMd5SecretWhenAllowed) {
  const Md5Secret secret = Md5Secret::derive("pencil", "ann").value();
  const ServerAuthAction expected =
      SendPassword{md5_response(secret, {'s', 'a', 'l', 't'}).value()};
  for (const ServerCredentials& credentials :
       std::initializer_list<ServerCredentials>{kPassword, secret}) {
    ServerAuthFsm fsm(input(credentials, kEverything));
    EXPECT_EQ(fsm.on_authentication(kMd5Code, "salt"), expected);
    EXPECT_EQ(fsm.on_authentication(kOk, {}), ServerAuthAction(Done{}));
  }
}

TEST(ServerAuth, MissingCredentialsNameTheUserTheMethodAndTheWayOut) {
  struct Case {
    ServerCredentials credentials;
    uint32_t code;
    std::string payload;
    std::string method;
  };
  for (const Case& missing : std::initializer_list<Case>{
           {std::monostate{}, kSasl, kScramOnly, "scram-sha-256"},
           {Md5Secret::derive("pencil", "ann").value(), kSasl, kScramOnly, "scram-sha-256"},
           {std::monostate{}, kMd5Code, "salt", "md5"},
           {kRoleKeys, kMd5Code, "salt", "md5"},
           {std::monostate{}, kCleartext, "", "cleartext"},
           {kRoleKeys, kCleartext, "", "cleartext"}}) {
    ServerAuthFsm fsm(input(missing.credentials, kEverything));
    const Error error = error_of(fsm.on_authentication(missing.code, missing.payload));
    EXPECT_EQ(error.code, ErrorCode::kInvalidAuthorization);
    EXPECT_THAT(error.message, HasSubstr("user \"ann\""));
    EXPECT_THAT(error.detail, HasSubstr(missing.method));
    EXPECT_THAT(error.hint, HasSubstr("users file"));
  }
}

TEST(ServerAuth, AServerThatSkipsItsProofIsRefused) {
  ServerAuthFsm after_first(input(kPassword, kEverything));
  after_first.on_authentication(kSasl, kScramOnly);
  EXPECT_THAT(error_of(after_first.on_authentication(kOk, {})).message, HasSubstr("proved itself"));

  ServerAuthFsm after_reply(input(kPassword, kEverything));
  ScramServer server(kRoleVerifier, "s", {});
  ServerAuthAction action = after_reply.on_authentication(kSasl, kScramOnly);
  const auto& initial = std::get<SendSaslInitial>(action);
  const auto challenge = server.on_client_first(initial.mechanism, initial.payload);
  after_reply.on_authentication(kContinue, challenge.value());
  EXPECT_THAT(error_of(after_reply.on_authentication(kOk, {})).message, HasSubstr("proved itself"));
  // And that was the end of it.
  EXPECT_TRUE(std::holds_alternative<Fail>(after_reply.on_authentication(kOk, {})));
}

TEST(ServerAuth, AServerCannotChangeItsMindInTheMiddle) {
  // A walk through a login by SCRAM; at each step every request but the right one must fail.
  const std::pair<uint32_t, std::string> events[] = {{kOk, ""},          {kCleartext, ""},
                                                     {kMd5Code, "salt"}, {kSasl, kScramOnly},
                                                     {kContinue, ""},    {kFinal, "v=AAAA"}};
  for (int steps = 1; steps <= 4; ++steps) {
    for (const auto& [code, payload] : events) {
      ServerAuthFsm fsm(input(kPassword, kEverything));
      ScramServer server(kRoleVerifier, "s", {});
      ServerAuthAction action = fsm.on_authentication(kSasl, kScramOnly);
      if (steps > 1) {
        const auto& initial = std::get<SendSaslInitial>(action);
        const auto challenge = server.on_client_first(initial.mechanism, initial.payload);
        action = fsm.on_authentication(kContinue, challenge.value());
      }
      if (steps > 2) {
        const auto finished = server.on_client_final(std::get<SendSaslResponse>(action).payload);
        action = fsm.on_authentication(kFinal, finished.value().server_final);
      }
      if (steps > 3) action = fsm.on_authentication(kOk, {});
      const bool right = steps == 3 && code == kOk;
      const ServerAuthAction answer = fsm.on_authentication(code, payload);
      EXPECT_EQ(std::holds_alternative<Done>(answer), right) << steps << ' ' << code;
      EXPECT_EQ(std::holds_alternative<Fail>(answer), !right) << steps << ' ' << code;
      EXPECT_TRUE(std::holds_alternative<Fail>(fsm.on_authentication(kOk, {})));
    }
  }
}

TEST(ServerAuth, APasswordIsSentOnce) {
  for (const auto& [code, payload] : std::initializer_list<std::pair<uint32_t, std::string>>{
           {kCleartext, ""}, {kMd5Code, "salt"}, {kSasl, kScramOnly}}) {
    ServerAuthFsm fsm(input(kPassword, kEverything));
    EXPECT_TRUE(std::holds_alternative<SendPassword>(fsm.on_authentication(kMd5Code, "salt")));
    EXPECT_TRUE(std::holds_alternative<Fail>(fsm.on_authentication(code, payload)));
  }
}

TEST(ServerAuth, MalformedRequestsFail) {
  for (const auto& [code, payload] : std::initializer_list<std::pair<uint32_t, std::string>>{
           {kOk, "x"}, {kCleartext, "x"}, {kMd5Code, "sal"}, {kMd5Code, "salt5"}, {kMd5Code, ""}}) {
    ServerAuthFsm fsm(input(kPassword, kEverything));
    EXPECT_EQ(error_of(fsm.on_authentication(code, payload)).code, ErrorCode::kProtocolViolation);
  }
  for (size_t length = 0; length < kScramOnly.size(); ++length) {
    ServerAuthFsm fsm(input(kPassword));
    EXPECT_TRUE(std::holds_alternative<Fail>(
        fsm.on_authentication(kSasl, std::string_view(kScramOnly).substr(0, length))));
  }
  ServerAuthFsm trailing(input(kPassword));
  EXPECT_TRUE(std::holds_alternative<Fail>(trailing.on_authentication(kSasl, kScramOnly + "x")));
}

TEST(ServerAuth, NamesAnAuthenticationThatItDoesNotSupport) {
  ServerAuthFsm fsm(input(kPassword, kEverything));
  const Error error = error_of(fsm.on_authentication(7, {}));
  EXPECT_EQ(error.code, ErrorCode::kFeatureNotSupported);
  EXPECT_THAT(error.detail, HasSubstr("GSSAPI"));
}

}  // namespace
}  // namespace fairlead::auth
