#include "app/demo_verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

TEST(ComparePosts, CountsWhatIsLostRepeatedAndThereWithoutAnAnswer) {
  EXPECT_EQ(compare_posts({}, {}), PostsFound{});
  EXPECT_EQ(compare_posts({3, 1, 2}, {2, 3, 1}), PostsFound{.acknowledged = 3});
  EXPECT_EQ(compare_posts({1, 2, 3}, {3, 1}), (PostsFound{.acknowledged = 3, .lost = 1}));
  EXPECT_EQ(compare_posts({1, 2}, {1, 2, 2, 2}), (PostsFound{.acknowledged = 2, .repeated = 2}));
  EXPECT_EQ(compare_posts({1}, {7, 1, 9}), (PostsFound{.acknowledged = 1, .unanswered = 2}));
  EXPECT_EQ(compare_posts({1}, {7, 7}),
            (PostsFound{.acknowledged = 1, .lost = 1, .repeated = 1, .unanswered = 1}));
}

TEST(PostBody, TellsItsRequestAgain) {
  EXPECT_EQ(number_of_post(post_body(42)), 42u);
  EXPECT_EQ(number_of_post("Hello"), std::nullopt);
  EXPECT_EQ(number_of_post(post_body(42) + "x"), std::nullopt);
  EXPECT_EQ(number_of_post(""), std::nullopt);
}

DemoVerdict verdict() {
  return {.killed_role = "primary",
          .killed_node = "127.0.0.1:5601",
          .primary_now = "127.0.0.1:5602",
          .totals = {.reads = 90,
                     .writes = 10,
                     .errors = 3,
                     .last_error = {},
                     .errors_by_state = {{"08007", 2}, {"", 1}},
                     .longest_wait = 1250ms},
          .posts = {.acknowledged = 6, .unanswered = 1}};
}

TEST(DemoVerdict, SaysWhatClientsSaw) {
  const std::string text = verdict_text(verdict());
  EXPECT_THAT(text, HasSubstr("The primary 127.0.0.1:5601 was killed; the primary is "
                              "127.0.0.1:5602 now."));
  EXPECT_THAT(text, HasSubstr("08007              2  the outcome of a write is not known"));
  EXPECT_THAT(text, HasSubstr("longest wait         1.25 s"));
  EXPECT_THAT(text, HasSubstr("acknowledged posts   6: 0 lost, 0 there twice"));
  EXPECT_THAT(verdict_json(verdict()), HasSubstr(R"("errors_by_sqlstate":{"":1,"08007":2})"));
}

TEST(DemoVerdict, OnlyPostsThatAreLostOrThereTwiceAreBroken) {
  DemoVerdict bad = verdict();
  EXPECT_TRUE(bad.lost_nothing());
  bad.posts.lost = 1;
  EXPECT_FALSE(bad.lost_nothing());
  bad.posts = {.repeated = 1};
  EXPECT_FALSE(bad.lost_nothing());
  bad.primary_now.clear();
  EXPECT_THAT(verdict_text(bad), HasSubstr("there is no primary now"));
}

}  // namespace
}  // namespace fairlead::app
