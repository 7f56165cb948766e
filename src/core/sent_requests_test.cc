#include "core/sent_requests.h"

#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

TEST(SentRequests, ASegmentWithoutEndKeepsOnlyWhatChangesTheSession) {  // B8, F23
  const auto read = std::make_shared<const sql::QueryFacts>();
  sql::QueryFacts facts;
  facts.calls_set_config = true;
  const auto setting = std::make_shared<const sql::QueryFacts>(facts);
  SentRequests sent;
  SentRequest& request = sent.push();
  request.executions.push_back({.facts = setting, .set_config = {}});
  for (int i = 0; i < 100'000; ++i) {
    request.executions.push_back({.facts = read, .set_config = {}});
    request.on_completed();
    ASSERT_LE(request.executions.size(), 2000u);
    ASSERT_EQ(request.executions[request.completed].facts, read) << "the last one is not answered";
  }
  EXPECT_EQ(request.executions[0].facts, setting);
}

}  // namespace
}  // namespace fairlead::core
