#include "core/request_writer.h"

#include <gtest/gtest.h>

#include "core/prepared_server.h"
#include "core/response_queue.h"
#include "wire/frontend_encode.h"
#include "wire/message_type.h"

namespace fairlead::core {
namespace {

constexpr HashKey kWriterKey{.low = 3, .high = 4};

TEST(RequestWriter, APrepareDropsTheServersUnnamedStatement) {  // C12
  StatementRegistry registry(kWriterKey);
  ServerStatements statements(kWriterKey);
  ResponseQueue responses;
  const PreparedPtr unnamed = registry.intern(PreparedKind::kProtocol, "SELECT 1", "");
  ASSERT_TRUE(statements.plan_use_unnamed(*unnamed, 0));
  statements.on_parse_complete();
  ASSERT_FALSE(statements.plan_use_unnamed(*unnamed, 0));

  RequestPlan plan;
  plan.messages.push_back({.message = {.type = wire::frontend::kQuery},
                           .treatment = PlannedMessage::Treatment::kSqlPrepare,
                           .statement = registry.intern(PreparedKind::kSql, "SELECT 2", "")});
  std::string out;
  ASSERT_TRUE(RequestWriter(statements, responses, 0, true).write("", plan, out));
  ASSERT_EQ(out.front(), wire::frontend::kQuery);
  EXPECT_TRUE(statements.plan_use_unnamed(*unnamed, 0)) << "it has to be given once more";
}

TEST(RequestWriter, AParseOfTheSameUnnamedStatementThatFailsHasDroppedIt) {  // C12
  StatementRegistry registry(kWriterKey);
  ServerStatements statements(kWriterKey);
  ResponseQueue responses;
  std::string parse;
  wire::append_parse(parse, "", "SELECT 1");
  RequestPlan plan;
  const auto size = static_cast<uint32_t>(parse.size());
  plan.messages.push_back({.message = {.type = wire::frontend::kParse, .size = size},
                           .treatment = PlannedMessage::Treatment::kParse,
                           .statement = registry.intern(PreparedKind::kProtocol, "SELECT 1", "")});
  std::string out;
  for (const bool fails : {false, true}) {
    ASSERT_TRUE(RequestWriter(statements, responses, 0, true).write(parse, plan, out));
    ASSERT_EQ(statements.unanswered(), 1u);
    fails ? statements.on_error_skip() : static_cast<void>(statements.on_parse_complete());
  }
  EXPECT_TRUE(statements.plan_use_unnamed(*plan.messages[0].statement, 0));
}

}  // namespace
}  // namespace fairlead::core
