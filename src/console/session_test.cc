#include "console/session.h"

#include <gmock/gmock.h>

#include "wire/error_fields.h"
#include "wire/frame.h"
#include "wire/frame_policy.h"
#include "wire/message_type.h"

namespace fairlead::console {
namespace {

using testing::HasSubstr;
using std::string_literals::operator""s;

/// One connection and what has come back on it.
class Client {
 public:
  void send(char type, std::string body) {
    session_.on_message(type, body, out_);
    while (session_.wants()) {
      ++reports_;
      session_.answer(report_, out_);
    }
  }
  void query(const std::string& text) { send('Q', text + '\0'); }
  void parse(const std::string& text, const std::string& name = "") {
    send('P', name + '\0' + text + "\0\0\0"s);
  }
  void bind(const std::string& formats = "\0\0"s, const std::string& name = "") {
    send('B', "\0"s + name + "\0\0\0\0\0"s + formats);
  }
  void describe(const std::string& what = "P") { send('D', what + '\0'); }
  void execute(char rows_max = 0) { send('E', "\0\0\0\0"s + rows_max); }
  void sync() { send('S', ""); }

  /// The types of what has come since the last call.
  std::string types() {
    std::string all;
    wire::FrameCutter cutter(wire::kBackendPolicy);
    std::string_view rest = out_;
    while (!rest.empty()) {
      const auto piece = cutter.next(rest);
      EXPECT_TRUE(piece.has_value());
      if (!piece || piece->kind == wire::Piece::Kind::kNone) break;
      if (piece->type == 'E')
        error_ = std::string(wire::ErrorFields::decode(piece->body())->sqlstate());
      if (piece->type == 'Z') status_ = piece->body().front();
      all.push_back(piece->type);
    }
    bytes_ = std::exchange(out_, {});
    return all;
  }
  const std::string& bytes() const { return bytes_; }  // Of the same.
  const std::string& error() const { return error_; }
  char status() const { return status_; }
  int reports() const { return reports_; }
  bool ended() const { return session_.ended(); }
  Report& report() { return report_; }

 private:
  Session session_{"1.2.3"};
  Report report_;
  std::string out_;
  std::string bytes_;
  std::string error_;
  char status_ = 0;
  int reports_ = 0;
};

Client with_routes() {
  Client client;
  client.report().to_primary[static_cast<size_t>(sql::Reason::kWrite)] = 3;
  client.report().to_replica[static_cast<size_t>(sql::Reason::kRead)] = 7;
  return client;
}

}  // namespace

TEST(ConsoleSession, AQueryAnswersAsAServerDoes) {
  Client client = with_routes();
  client.query("SHOW ROUTES");
  EXPECT_EQ(client.types(), "TDDCZ");
  EXPECT_EQ(client.status(), 'I');
  EXPECT_THAT(client.bytes(), HasSubstr("replica"));
}

TEST(ConsoleSession, EachStatementOfAQueryIsAnsweredFromItsOwnLook) {
  Client client = with_routes();
  client.query("SHOW ROUTES; SHOW VERSION; SHOW ROUTES");
  EXPECT_EQ(client.types(), "TDDCTDCTDDCZ");
  EXPECT_EQ(client.reports(), 2);
}

TEST(ConsoleSession, AnEmptyQueryIsAnsweredAsOne) {
  Client client;
  client.query("");
  EXPECT_EQ(client.types(), "IZ");
  client.query("-- ping");
  EXPECT_EQ(client.types(), "IZ");
}

TEST(ConsoleSession, AnUnknownCommandIsASyntaxErrorAndTheConnectionGoesOn) {
  Client client = with_routes();
  client.query("SHOW ROUTES; DROP TABLE x");
  EXPECT_EQ(client.types(), "EZ") << "nothing of it is carried out";
  EXPECT_EQ(client.error(), "42601");
  EXPECT_EQ(client.reports(), 0);
  client.query("SHOW VERSION");
  EXPECT_EQ(client.types(), "TDCZ");
}

TEST(ConsoleSession, ATransactionIsOnlyAStatus) {
  Client client;
  client.query("BEGIN");
  EXPECT_EQ(client.types(), "CZ");
  EXPECT_EQ(client.status(), 'T');
  client.query("nonsense");
  client.types();
  EXPECT_EQ(client.status(), 'T');
  client.query("COMMIT");
  client.types();
  EXPECT_EQ(client.status(), 'I');
}

TEST(ConsoleSession, TheExtendedProtocolGivesTheSame) {
  Client client = with_routes();
  client.parse("SHOW ROUTES", "s1");
  client.describe("Ss1");
  client.sync();
  EXPECT_EQ(client.types(), "1tTZ");
  EXPECT_EQ(client.reports(), 0) << "columns are known without asking anybody";
  client.bind("\0\0"s, "s1");
  client.describe();
  client.execute();
  client.sync();
  EXPECT_EQ(client.types(), "2TDDCZ");
}

TEST(ConsoleSession, NumbersComeInBinaryWhereADriverAsksForThat) {
  Client client = with_routes();
  client.parse("SHOW ROUTES");
  client.bind("\0\1\0\1"s);
  client.describe();
  client.execute();
  client.types();
  EXPECT_THAT(client.bytes(), HasSubstr("\0\0\0\x08\0\0\0\0\0\0\0\7"s));
}

TEST(ConsoleSession, ALimitOfRowsSuspendsThePortal) {
  Client client = with_routes();
  client.parse("SHOW ROUTES");
  client.bind();
  client.execute(1);
  EXPECT_EQ(client.types(), "12Ds");
  client.execute(1);
  EXPECT_EQ(client.types(), "Ds");
  client.execute(1);
  EXPECT_EQ(client.types(), "C");
  EXPECT_EQ(client.reports(), 1) << "one portal shows one moment";
}

TEST(ConsoleSession, AfterAnErrorEverythingIsSkippedUpToTheSync) {
  Client client;
  client.parse("nonsense");
  client.bind();
  client.execute();
  client.query("SHOW VERSION");
  EXPECT_EQ(client.types(), "E");
  client.sync();
  EXPECT_EQ(client.types(), "Z");
  client.query("SHOW VERSION");
  EXPECT_EQ(client.types(), "TDCZ");
}

TEST(ConsoleSession, WhatDoesNotExistIsSaidSo) {
  Client client;
  client.bind();
  client.sync();
  EXPECT_EQ(client.types(), "EZ");
  EXPECT_EQ(client.error(), "26000");
  client.execute();
  client.sync();
  EXPECT_EQ(client.types(), "EZ");
  client.describe("Snone");
  client.sync();
  EXPECT_EQ(client.types(), "EZ");
}

TEST(ConsoleSession, ANameIsPreparedOnceUntilItIsClosed) {
  Client client;
  client.parse("SHOW VERSION", "s");
  client.parse("SHOW VERSION", "s");
  client.sync();
  EXPECT_EQ(client.types(), "1EZ");
  EXPECT_EQ(client.error(), "42P05");
  client.send('C', "Ss\0"s);
  client.parse("SHOW VERSION", "s");
  client.sync();
  EXPECT_EQ(client.types(), "31Z");
}

TEST(ConsoleSession, SeveralStatementsCannotBePrepared) {
  Client client;
  client.parse("SHOW VERSION; SHOW VERSION");
  client.sync();
  EXPECT_EQ(client.types(), "EZ");
  EXPECT_EQ(client.error(), "42601");
}

TEST(ConsoleSession, NamesAreBounded) {
  Client client;
  for (size_t i = 0; i < kNamesMax; ++i) client.parse("SHOW VERSION", std::to_string(i));
  client.parse("SHOW VERSION", "one more");
  client.sync();
  EXPECT_EQ(client.types(), std::string(kNamesMax, '1') + "EZ");
  EXPECT_EQ(client.error(), "54000");
}

TEST(ConsoleSession, MisshapenMessagesAreErrorsNotTheEnd) {
  Client client;
  for (const char type : {'P', 'B', 'D', 'E', 'C'}) {
    client.send(type, "x");
    client.sync();
    EXPECT_EQ(client.types(), "EZ") << type;
    EXPECT_EQ(client.error(), "08P01") << type;
  }
  client.send('Q', "no zero");
  EXPECT_EQ(client.types(), "EZ");
  client.send('F', "");
  EXPECT_EQ(client.types(), "EZ");
  EXPECT_EQ(client.error(), "0A000");
  client.send('d', "copied");
  EXPECT_EQ(client.types(), "");
}

TEST(ConsoleSession, FormatsAndParametersThatDoNotFitAreRefused) {
  Client client;
  client.parse("SHOW ROUTES");
  client.bind("\0\2\0\0\0\0"s);
  client.sync();
  EXPECT_EQ(client.types(), "1EZ");
  client.parse("SHOW ROUTES");
  client.send('B', "\0\0\0\0\0\1\0\0\0\1x\0\0"s);
  client.sync();
  EXPECT_EQ(client.types(), "1EZ");
  EXPECT_EQ(client.error(), "08P01");
}

TEST(ConsoleSession, TerminateEndsIt) {
  Client client;
  client.send('X', "");
  EXPECT_TRUE(client.ended());
}

}  // namespace fairlead::console
