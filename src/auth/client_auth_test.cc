#include "auth/client_auth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/scram_client.h"
#include "base/bytes.h"

namespace fairlead::auth {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const ScramVerifier kVerifier = ScramVerifier::derive("pencil", "salt of the role", 2);
const ScramLoginKeys kKeys = ScramLoginKeys::derive("pencil", "salt of the role", 2);
const Secret kPlain = PlainPassword{SecretText("pencil")};
const Secret kMd5 = Md5Secret::derive("pencil", "ann").value();
const Md5Salt kMd5Salt{1, 0, 2, 3};

PlainVerifiers& verifiers() {
  static PlainVerifiers all;
  return all;
}

ClientAuthInput input(ClientAuthMethod method, std::optional<Secret> secret,
                      ChannelBinding binding = {}) {
  return {.user = "ann",
          .method = method,
          .secret = std::move(secret),
          .binding = std::move(binding),
          .nonce = {7},
          .md5_salt = kMd5Salt,
          .mock_key = {'k'},
          .plain_verifiers = &verifiers()};
}

std::string sasl_initial(std::string_view mechanism, std::string_view payload) {
  std::string body;
  append_c_string(body, mechanism);
  append_u32(body, static_cast<uint32_t>(payload.size()));
  return body.append(payload);
}

/// What a client that knows `password` makes of the requests; the names of the steps, and the
/// actions that end it.
struct Login {
  std::vector<size_t> steps;  // Indices of the actions, in order.
  ClientAuthActions last;
};

Login log_in(ClientAuthInput with, std::string_view password, const ChannelBinding& seen = {}) {
  ClientAuthFsm fsm(std::move(with));
  ScramClient client(SecretText(password), "clientnonce", seen, BindingPolicy::kPrefer);
  Login login;
  ClientAuthActions actions = fsm.on_start();
  for (;;) {
    for (const ClientAuthAction& action : actions) login.steps.push_back(action.index());
    const ClientAuthAction& action = actions.front();
    if (const auto* sasl = std::get_if<SendSasl>(&action)) {
      const std::vector<std::string_view> offered(sasl->mechanisms.begin(), sasl->mechanisms.end());
      const ScramClient::First first = client.start(offered).value();
      actions = fsm.on_password_message(sasl_initial(first.mechanism, first.payload));
    } else if (const auto* challenge = std::get_if<SendSaslContinue>(&action)) {
      actions = fsm.on_password_message(client.on_server_first(challenge->payload).value());
    } else if (const auto* md5 = std::get_if<SendMd5>(&action)) {
      const Md5Secret secret = Md5Secret::derive(password, "ann").value();
      std::string body;
      append_c_string(body, md5_response(secret, md5->salt).value().view());
      actions = fsm.on_password_message(body);
    } else {
      if (const auto* final = std::get_if<SendSaslFinal>(&action)) {
        EXPECT_TRUE(client.on_server_final(final->payload));
      }
      login.last = std::move(actions);
      return login;
    }
  }
}

const Accepted* accepted(const Login& login) { return std::get_if<Accepted>(&login.last.back()); }
const Rejected* rejected(const Login& login) { return std::get_if<Rejected>(&login.last.back()); }

TEST(ClientAuth, TrustAcceptsAtOnceAndLearnsNothing) {
  ClientAuthFsm fsm(input(ClientAuthMethod::kTrust, std::nullopt));
  EXPECT_EQ(fsm.on_start(), ClientAuthActions{Accepted{}});
}

TEST(ClientAuth, AVerifierLogsInWithScramAndTeachesTheKeys) {  // F10
  for (const auto method : {ClientAuthMethod::kScramSha256, ClientAuthMethod::kMd5}) {
    const Login login = log_in(input(method, kVerifier), "pencil");
    ASSERT_NE(accepted(login), nullptr);
    EXPECT_EQ(*accepted(login), Accepted{kKeys});
    // SendSasl, SendSaslContinue, SendSaslFinal, Accepted.
    EXPECT_THAT(login.steps, ElementsAre(0, 1, 2, 4));
  }
}

TEST(ClientAuth, APlainPasswordServesEveryMethodAndIsWhatIsLearnt) {
  for (const auto method : {ClientAuthMethod::kScramSha256, ClientAuthMethod::kMd5}) {
    const Login login = log_in(input(method, kPlain), "pencil");
    ASSERT_NE(accepted(login), nullptr);
    EXPECT_EQ(*accepted(login), Accepted{PlainPassword{SecretText("pencil")}});
  }
}

TEST(ClientAuth, AnMd5SecretLogsInWithMd5) {
  const Login login = log_in(input(ClientAuthMethod::kMd5, kMd5), "pencil");
  ASSERT_NE(accepted(login), nullptr);
  EXPECT_EQ(*accepted(login), Accepted{std::get<Md5Secret>(kMd5)});
}

TEST(ClientAuth, PlusIsOfferedOnlyWithACertificateAndWorks) {  // F11
  const ChannelBinding tls{"hash"};
  ClientAuthFsm with(input(ClientAuthMethod::kScramSha256, kVerifier, tls));
  EXPECT_EQ(with.on_start(),
            ClientAuthActions{(SendSasl{{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"}})});
  ClientAuthFsm without(input(ClientAuthMethod::kScramSha256, kVerifier));
  EXPECT_EQ(without.on_start(), ClientAuthActions{(SendSasl{{"SCRAM-SHA-256"}})});

  EXPECT_NE(accepted(log_in(input(ClientAuthMethod::kScramSha256, kVerifier, tls), "pencil", tls)),
            nullptr);
  const Login other =
      log_in(input(ClientAuthMethod::kScramSha256, kVerifier, tls), "pencil", ChannelBinding{"x"});
  ASSERT_NE(rejected(other), nullptr);
  EXPECT_EQ(rejected(other)->error.code, ErrorCode::kInvalidAuthorization);
}

TEST(ClientAuth, WhateverIsWrongLooksTheSameFromOutside) {  // F12
  const Error expected{ErrorCode::kInvalidPassword,
                       "password authentication failed for user \"ann\""};
  for (const ChannelBinding& tls : {ChannelBinding{}, ChannelBinding{"hash"}}) {
    std::vector<Login> logins;
    for (const std::optional<Secret>& secret : std::initializer_list<std::optional<Secret>>{
             std::nullopt, Secret(kVerifier), kPlain, kMd5, Secret(NoPassword{})}) {
      logins.push_back(log_in(input(ClientAuthMethod::kScramSha256, secret, tls), "wrong", tls));
    }
    // Neither does the right password help where no secret can serve it.
    logins.push_back(log_in(input(ClientAuthMethod::kScramSha256, kMd5, tls), "pencil", tls));
    for (const Login& login : logins) {
      ASSERT_NE(rejected(login), nullptr);
      EXPECT_EQ(rejected(login)->error, expected);
      EXPECT_EQ(login.steps, logins.front().steps);
    }
  }
  for (const std::optional<Secret>& secret : std::initializer_list<std::optional<Secret>>{
           std::nullopt, kPlain, kMd5, Secret(NoPassword{})}) {
    const Login login = log_in(input(ClientAuthMethod::kMd5, secret), "wrong");
    ASSERT_NE(rejected(login), nullptr);
    EXPECT_EQ(rejected(login)->error, expected);
    EXPECT_THAT(login.steps, ElementsAre(3, 5));  // SendMd5, Rejected.
  }
}

TEST(ClientAuth, AnEmptyPasswordNeverLogsIn) {
  for (const auto method : {ClientAuthMethod::kScramSha256, ClientAuthMethod::kMd5}) {
    EXPECT_NE(rejected(log_in(input(method, std::nullopt), "")), nullptr);
    EXPECT_NE(rejected(log_in(input(method, Secret(NoPassword{})), "")), nullptr);
  }
}

TEST(ClientAuth, TheChallengeOfAPlainSecretEqualsThatOfAnUnknownUser) {  // F12
  const std::string first = sasl_initial("SCRAM-SHA-256", "n,,n=,r=x");
  ClientAuthFsm known(input(ClientAuthMethod::kScramSha256, kPlain));
  ClientAuthFsm unknown(input(ClientAuthMethod::kScramSha256, std::nullopt));
  EXPECT_EQ(known.on_start(), unknown.on_start());
  EXPECT_EQ(known.on_password_message(first), unknown.on_password_message(first));
}

TEST(ClientAuth, APlainSecretIsDerivedForTheFirstProofAndNeverAgain) {  // F12
  PlainVerifiers kept;
  const auto with_kept = [&](std::optional<Secret> secret) {
    ClientAuthInput with = input(ClientAuthMethod::kScramSha256, std::move(secret));
    with.plain_verifiers = &kept;
    return with;
  };
  ClientAuthFsm no_proof(with_kept(kPlain));
  no_proof.on_start();
  no_proof.on_password_message(sasl_initial("SCRAM-SHA-256", "n,,n=,r=x"));
  EXPECT_EQ(kept.derived_total(), 0u) << "who has shown no proof costs nothing";
  EXPECT_NE(rejected(log_in(with_kept(kPlain), "wrong")), nullptr);
  EXPECT_EQ(kept.derived_total(), 1u);
  EXPECT_NE(accepted(log_in(with_kept(kPlain), "pencil")), nullptr);
  EXPECT_NE(rejected(log_in(with_kept(kPlain), "wrong")), nullptr);
  EXPECT_NE(rejected(log_in(with_kept(std::nullopt), "wrong")), nullptr);
  EXPECT_NE(accepted(log_in(with_kept(kVerifier), "pencil")), nullptr);
  EXPECT_EQ(kept.derived_total(), 1u);
}

TEST(ClientAuth, APlainSecretThatChangesCountsAtOnce) {
  PlainVerifiers kept;
  const auto with_kept = [&](std::string_view password, char key) {
    ClientAuthInput with =
        input(ClientAuthMethod::kScramSha256, PlainPassword{SecretText(password)});
    with.mock_key = {key};
    with.plain_verifiers = &kept;
    return with;
  };
  EXPECT_NE(accepted(log_in(with_kept("pencil", 'k'), "pencil")), nullptr);
  EXPECT_NE(rejected(log_in(with_kept("crayon", 'k'), "pencil")), nullptr);
  EXPECT_NE(accepted(log_in(with_kept("crayon", 'k'), "crayon")), nullptr);
  EXPECT_NE(accepted(log_in(with_kept("crayon", 'l'), "crayon")), nullptr);  // Another salt.
  EXPECT_EQ(kept.derived_total(), 3u);
}

TEST(ClientAuth, ANameThatWouldEndALogLineIsShownInOne) {
  for (const auto method : {ClientAuthMethod::kScramSha256, ClientAuthMethod::kMd5}) {
    for (const std::optional<Secret>& secret : std::initializer_list<std::optional<Secret>>{
             std::nullopt, kMd5, kPlain, Secret(NoPassword{})}) {
      ClientAuthInput with = input(method, secret);
      with.user = "x\n2026 error\x1b[2J\xff";
      const Login login = log_in(std::move(with), "wrong");
      ASSERT_NE(rejected(login), nullptr);
      for (const std::string& text :
           {rejected(login)->for_operator, rejected(login)->error.message}) {
        EXPECT_THAT(text, HasSubstr("\"x\\x0a2026 error\\x1b[2J\\xff\""));
        EXPECT_EQ(text.find_first_of("\n\x1b\xff"), std::string::npos);
      }
    }
  }
}

TEST(ClientAuth, TheOperatorLearnsWhyAndTheClientDoesNot) {
  const auto why = [](std::optional<Secret> secret) {
    return rejected(log_in(input(ClientAuthMethod::kScramSha256, std::move(secret)), "wrong"))
        ->for_operator;
  };
  EXPECT_THAT(why(std::nullopt), HasSubstr("is unknown"));
  EXPECT_THAT(why(kMd5), HasSubstr("cannot serve scram-sha-256"));
  EXPECT_THAT(why(Secret(NoPassword{})), HasSubstr("has no password"));
  EXPECT_THAT(why(kVerifier), HasSubstr("does not match"));
}

TEST(ClientAuth, EveryTruncationOfTheFirstMessageIsRejected) {
  const std::string body = sasl_initial("SCRAM-SHA-256", "n,,n=,r=x");
  for (size_t length = 0; length < body.size(); ++length) {
    ClientAuthFsm fsm(input(ClientAuthMethod::kScramSha256, kVerifier));
    fsm.on_start();
    const ClientAuthActions actions = fsm.on_password_message(body.substr(0, length));
    ASSERT_EQ(actions.size(), 1U);
    EXPECT_TRUE(std::holds_alternative<Rejected>(actions[0])) << length;
  }
  ClientAuthFsm longer(input(ClientAuthMethod::kScramSha256, kVerifier));
  longer.on_start();
  EXPECT_TRUE(std::holds_alternative<Rejected>(longer.on_password_message(body + "x")[0]));
}

TEST(ClientAuth, EveryTruncationOfAnMd5AnswerIsRejected) {
  const std::string answer(md5_response(std::get<Md5Secret>(kMd5), kMd5Salt).value().view());
  const auto outcome = [](std::string_view body) {
    ClientAuthFsm fsm(input(ClientAuthMethod::kMd5, kMd5));
    fsm.on_start();
    return fsm.on_password_message(body).back();
  };
  const std::string body = answer + '\0';
  EXPECT_TRUE(std::holds_alternative<Accepted>(outcome(body)));
  for (size_t length = 0; length < body.size(); ++length)
    EXPECT_TRUE(std::holds_alternative<Rejected>(outcome(body.substr(0, length)))) << length;
  for (size_t length = 0; length < answer.size(); ++length) {
    EXPECT_TRUE(std::holds_alternative<Rejected>(outcome(answer.substr(0, length) + '\0')));
  }
  EXPECT_TRUE(std::holds_alternative<Rejected>(outcome(body + '\0')));
}

TEST(ClientAuth, EventsOutOfTurnAreRejectedInEveryState) {
  const std::string first = sasl_initial("SCRAM-SHA-256", "n,,n=,r=x");
  const auto is_violation = [](const ClientAuthActions& actions) {
    const auto* out = std::get_if<Rejected>(&actions.back());
    return out != nullptr && out->error.code == ErrorCode::kProtocolViolation;
  };
  ClientAuthFsm before(input(ClientAuthMethod::kScramSha256, kVerifier));
  EXPECT_TRUE(is_violation(before.on_password_message(first)));
  EXPECT_TRUE(is_violation(before.on_start()));  // Ended: it does not begin again.
  EXPECT_TRUE(is_violation(before.on_password_message(first)));

  ClientAuthFsm twice(input(ClientAuthMethod::kScramSha256, kVerifier));
  twice.on_start();
  EXPECT_TRUE(is_violation(twice.on_start()));

  ClientAuthFsm again(input(ClientAuthMethod::kScramSha256, kVerifier));
  again.on_start();
  again.on_password_message(first);
  EXPECT_TRUE(is_violation(again.on_password_message(first)));

  ClientAuthFsm trusted(input(ClientAuthMethod::kTrust, std::nullopt));
  trusted.on_start();
  EXPECT_TRUE(is_violation(trusted.on_password_message("x")));
}

}  // namespace
}  // namespace fairlead::auth
