#include "core/replication_traffic.h"

#include <gtest/gtest.h>

#include "core/messages_testing.h"
#include "wire/backend.h"
#include "wire/backend_encode.h"
#include "wire/frame_builder.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"

namespace fairlead::core {
namespace {

namespace backend = wire::backend;

std::string message(char type, std::string_view body = {}) {
  std::string out;
  wire::FrameBuilder(out, type).bytes(body);
  return out;
}

void server_says(ReplicationTraffic& traffic, std::string_view bytes) {
  while (!bytes.empty()) traffic.on_server(bytes);
}

const std::string kCopyBoth = message(backend::kCopyBothResponse, std::string_view("\0\0\0", 3));

TEST(ReplicationTraffic, WhoWaitsForACommandMayEnd) {
  ReplicationTraffic traffic;
  EXPECT_TRUE(traffic.may_end());
  traffic.on_client(query("IDENTIFY_SYSTEM"));
  EXPECT_FALSE(traffic.may_end());
  server_says(traffic, message(backend::kDataRow, "x") + ready(wire::TxStatus::kIdle));
  EXPECT_TRUE(traffic.may_end());
}

TEST(ReplicationTraffic, ABaseBackupMayNotEndBeforeItIsThere) {
  ReplicationTraffic traffic;
  traffic.on_client(query("BASE_BACKUP"));
  server_says(traffic, message(backend::kCopyOutResponse, std::string_view("\0\0\0", 3)));
  server_says(traffic, message(backend::kCopyData, "a part"));
  EXPECT_TRUE(traffic.in_command());
  server_says(traffic, message(backend::kCopyDone));
  EXPECT_FALSE(traffic.may_end());
  server_says(traffic, ready(wire::TxStatus::kIdle));
  EXPECT_TRUE(traffic.may_end());
}

TEST(ReplicationTraffic, ATransactionMayNotEndBetweenItsCommands) {
  ReplicationTraffic traffic;
  traffic.on_client(query("BEGIN"));
  server_says(traffic, ready(wire::TxStatus::kInTransaction));
  EXPECT_FALSE(traffic.may_end());
  traffic.on_client(query("nonsense"));
  server_says(traffic, ready(wire::TxStatus::kFailed));
  EXPECT_FALSE(traffic.may_end());
  traffic.on_client(query("ROLLBACK"));
  server_says(traffic, ready(wire::TxStatus::kIdle));
  EXPECT_TRUE(traffic.may_end());
}

TEST(ReplicationTraffic, AStreamMayEndBehindEachMessageWhateverTheClientSends) {  // F5
  ReplicationTraffic traffic;
  traffic.on_client(query("START_REPLICATION 0/0"));
  server_says(traffic, kCopyBoth);
  EXPECT_TRUE(traffic.may_end());
  traffic.on_client(message(wire::frontend::kCopyData, "how far it came"));
  EXPECT_TRUE(traffic.may_end());
  const std::string wal = message(backend::kCopyData, "some WAL");
  for (size_t i = 0; i < wal.size(); ++i) {
    server_says(traffic, std::string_view(wal).substr(i, 1));
    EXPECT_EQ(traffic.may_end(), i + 1 == wal.size()) << i;
    EXPECT_FALSE(traffic.in_command());
  }
}

TEST(ReplicationTraffic, AStreamThatIsOverLeavesWhatComesBehindItACommand) {
  ReplicationTraffic traffic;
  traffic.on_client(query("START_REPLICATION 0/0"));
  server_says(traffic, kCopyBoth + message(backend::kCopyDone) + ready(wire::TxStatus::kIdle));
  EXPECT_TRUE(traffic.may_end());
  traffic.on_client(query("BASE_BACKUP"));
  EXPECT_FALSE(traffic.may_end());
}

TEST(ReplicationTraffic, AtMostOneMessageIsTakenAtATime) {
  ReplicationTraffic traffic;
  const std::string first = message(backend::kCopyData, "first");
  const std::string both = first + message(backend::kCopyData, "second");
  std::string_view input = both;
  traffic.on_server(input);
  EXPECT_EQ(both.size() - input.size(), first.size());
}

TEST(ReplicationTraffic, OneByteAtATimeIsTheSameAsAllAtOnce) {
  const std::string all = kCopyBoth + message(backend::kCopyData, "some WAL") +
                          message(backend::kCopyDone) + ready(wire::TxStatus::kInTransaction) +
                          ready(wire::TxStatus::kIdle);
  ReplicationTraffic at_once;
  ReplicationTraffic bytewise;
  at_once.on_client(query("x"));
  for (const char byte : query("x")) bytewise.on_client({&byte, 1});
  EXPECT_TRUE(bytewise.client_at_boundary());
  std::string_view rest = all;
  while (!rest.empty()) {
    const std::string_view before = rest;
    at_once.on_server(rest);
    for (const char byte : before.substr(0, before.size() - rest.size()))
      server_says(bytewise, {&byte, 1});
    EXPECT_EQ(at_once.may_end(), bytewise.may_end());
    EXPECT_EQ(at_once.in_command(), bytewise.in_command());
  }
}

TEST(ReplicationTraffic, HalfAMessageOfTheClientIsNoPlaceForOneOfOurs) {
  ReplicationTraffic traffic;
  const std::string command = query("START_REPLICATION 0/0");
  for (size_t i = 1; i < command.size(); ++i) {
    traffic.on_client(std::string_view(command).substr(i - 1, 1));
    EXPECT_FALSE(traffic.client_at_boundary()) << i;
  }
  traffic.on_client(std::string_view(command).substr(command.size() - 1));
  EXPECT_TRUE(traffic.client_at_boundary());
}

TEST(ReplicationTraffic, ALengthThatNoMessageHasIsSkipped) {
  ReplicationTraffic traffic;
  server_says(traffic, std::string_view("d\0\0\0\0", 5));
  EXPECT_TRUE(traffic.may_end());
  server_says(traffic, std::string_view("d\xFF\xFF\xFF\xFF", 5));
  EXPECT_FALSE(traffic.may_end());
}

}  // namespace
}  // namespace fairlead::core
