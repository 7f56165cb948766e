// What a probe makes of a login that failed (E7).
#include <gtest/gtest.h>

#include "proxy/probe.h"

namespace fairlead::proxy {
namespace {

using core::ProbeResult;

LoginFailure said(std::string sqlstate) {
  LoginFailure failure;
  failure.sqlstate = std::move(sqlstate);
  return failure;
}

LoginFailure failed_as(bool LoginFailure::* flag) {
  LoginFailure failure;
  failure.*flag = true;
  return failure;
}

TEST(Classify, TellsWhoDidNotAnswerFromWhoWasNotAsked) {
  EXPECT_EQ(classify(failed_as(&LoginFailure::refused)), ProbeResult::kRefused);
  EXPECT_EQ(classify(failed_as(&LoginFailure::timed_out)), ProbeResult::kTimeout);
  EXPECT_EQ(classify(failed_as(&LoginFailure::not_asked)), ProbeResult::kNotAsked);
}

TEST(Classify, TellsAServersOwnWords) {
  EXPECT_EQ(classify(said("57P03")), ProbeResult::kStarting);
  EXPECT_EQ(classify(said("28P01")), ProbeResult::kAuthFailed);
  EXPECT_EQ(classify(said("3D000")), ProbeResult::kAuthFailed);
  EXPECT_EQ(classify(said("53300")), ProbeResult::kOtherError);
}

}  // namespace
}  // namespace fairlead::proxy
