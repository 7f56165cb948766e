#include "core/response_queue.h"

#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

Answer must(ResponseQueue& queue, char type) {
  const auto answer = queue.on_message(type);
  EXPECT_TRUE(answer) << type;
  return answer.value_or(Answer{});
}

void expect_all(ResponseQueue& queue, std::initializer_list<Expect> kinds) {
  for (const Expect kind : kinds) queue.expect({.kind = kind});
}

TEST(ResponseQueue, IsEmptyOnlyAfterReadyForQuery) {  // F21
  ResponseQueue queue;
  expect_all(queue, {Expect::kQuery});
  for (const char type : {'T', 'D', 'C', 'T', 'D', 'C'}) {
    EXPECT_FALSE(must(queue, type).completes);
    EXPECT_FALSE(queue.empty());
  }
  EXPECT_TRUE(must(queue, 'Z').completes);
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.owes_ready());
}

TEST(ResponseQueue, APipelineThatNeverRunsDryIsForgottenAsItIsAnswered) {  // F22
  ResponseQueue queue;
  queue.expect({.kind = Expect::kSync});
  std::string out;
  for (int i = 0; i < 100'000; ++i) {
    queue.expect_local("local");
    queue.expect({.kind = Expect::kSync});
    must(queue, 'Z');
    EXPECT_TRUE(queue.take_local(out));
    ASSERT_EQ(queue.size(), 1u);
    ASSERT_LE(queue.held(), 1000u);
  }
  EXPECT_EQ(out.size(), 100'000 * std::string("local").size());
}

TEST(ResponseQueue, IsFullOfWhatIsOwedAndOfOurOwnBytes) {  // F20
  ResponseQueue queue;
  for (size_t i = 0; i < ResponseQueue::kSizeMax; ++i) {
    EXPECT_FALSE(queue.is_full());
    queue.expect({.kind = Expect::kBind});
  }
  EXPECT_TRUE(queue.is_full());
  must(queue, '2');
  EXPECT_FALSE(queue.is_full() || queue.has_room());
  while (!queue.has_room()) must(queue, '2');
  EXPECT_EQ(queue.size(), ResponseQueue::kSizeMax / 2);

  ResponseQueue of_bytes;
  of_bytes.expect({.kind = Expect::kBind});
  of_bytes.expect_local(std::string(ResponseQueue::kLocalBytesMax, 'x'));
  EXPECT_TRUE(of_bytes.is_full());
  must(of_bytes, 'E');
  EXPECT_TRUE(of_bytes.has_room()) << "it is skipped";
}

TEST(ResponseQueue, KeepsAnInjectedParseFromTheClient) {  // F22
  ResponseQueue queue;
  queue.expect({.kind = Expect::kParse, .hidden = true});
  expect_all(queue, {Expect::kBind, Expect::kExecute, Expect::kSync});
  EXPECT_FALSE(must(queue, '1').forward);
  EXPECT_TRUE(must(queue, '2').forward);
  EXPECT_TRUE(must(queue, 'C').completes);
  EXPECT_TRUE(must(queue, 'Z').completes);
}

TEST(ResponseQueue, GivesItsOwnAnswersInTheirPlace) {  // F22
  ResponseQueue queue;
  expect_all(queue, {Expect::kBind});
  queue.expect_local("local");
  expect_all(queue, {Expect::kSync});
  std::string out;
  EXPECT_FALSE(queue.take_local(out));
  must(queue, '2');
  EXPECT_TRUE(queue.take_local(out));
  EXPECT_EQ(out, "local");
  must(queue, 'Z');
  EXPECT_TRUE(queue.empty());
}

TEST(ResponseQueue, AnErrorSkipsUntilTheNextSyncAndNamesWhatWasSkipped) {  // F22
  ResponseQueue queue;
  queue.expect({.kind = Expect::kParse, .hidden = true, .tag = 7});
  queue.expect({.kind = Expect::kBind, .tag = 8});
  queue.expect_local("never");
  expect_all(queue, {Expect::kSync, Expect::kBind, Expect::kSync});
  EXPECT_TRUE(must(queue, 'E').forward) << "the error of an injected Parse is the client's";
  ASSERT_EQ(queue.skipped().size(), 2u);
  EXPECT_EQ(queue.skipped()[0].tag, 7u);
  std::string out;
  EXPECT_FALSE(queue.take_local(out));
  EXPECT_TRUE(must(queue, 'Z').completes);
  must(queue, '2');
  must(queue, 'Z');
  EXPECT_TRUE(queue.empty());
}

TEST(ResponseQueue, SkipsWhatIsSentAfterAnErrorUntilSync) {
  ResponseQueue queue;
  expect_all(queue, {Expect::kParse});
  must(queue, 'E');
  EXPECT_TRUE(queue.skipping());
  expect_all(queue, {Expect::kBind, Expect::kExecute, Expect::kQuery});
  queue.expect_local("never");
  EXPECT_TRUE(queue.empty());
  expect_all(queue, {Expect::kSync});
  EXPECT_FALSE(queue.skipping());
  EXPECT_TRUE(must(queue, 'Z').completes);
}

TEST(ResponseQueue, AnErrorInAQueryEndsWithItsReadyForQuery) {
  ResponseQueue queue;
  expect_all(queue, {Expect::kQuery, Expect::kQuery});
  must(queue, 'E');
  must(queue, 'Z');
  must(queue, 'C');
  must(queue, 'Z');
  EXPECT_TRUE(queue.empty());
}

TEST(ResponseQueue, TheSyncBeforeCopyDataIsIgnoredByTheServer) {  // F25
  ResponseQueue queue;
  expect_all(queue, {Expect::kBind, Expect::kExecute, Expect::kSync});
  must(queue, '2');
  must(queue, 'G');
  EXPECT_TRUE(queue.copying_in());
  EXPECT_EQ(queue.ready_owed(), 0u);
  queue.on_copy_end_sent();
  expect_all(queue, {Expect::kSync});
  must(queue, 'C');
  must(queue, 'Z');
  EXPECT_TRUE(queue.empty());
}

TEST(ResponseQueue, AnErrorEndsCopyIn) {  // F25
  ResponseQueue queue;
  expect_all(queue, {Expect::kQuery});
  must(queue, 'G');
  must(queue, 'E');
  EXPECT_FALSE(queue.copying_in());
  must(queue, 'Z');
  EXPECT_TRUE(queue.empty());
}

TEST(ResponseQueue, RefusesWhatNobodyAskedFor) {
  for (const char type : {'1', '2', '3', 'Z', 'C', 'D', 'T', 'n', 's', 'I', 'G', 't', 'V'}) {
    ResponseQueue queue;
    EXPECT_FALSE(queue.on_message(type)) << type;
  }
  ResponseQueue queue;
  expect_all(queue, {Expect::kQuery});
  for (const char type : {'1', '2', '3', 's'}) EXPECT_FALSE(queue.on_message(type)) << type;
}

TEST(ResponseQueue, NoticesParametersAndNotificationsAnswerNothing) {  // F26
  ResponseQueue queue;
  for (const char type : {'N', 'S', 'A'}) EXPECT_FALSE(must(queue, type).completes);
  expect_all(queue, {Expect::kQuery});
  for (const char type : {'N', 'S', 'A'}) EXPECT_FALSE(must(queue, type).completes);
  EXPECT_FALSE(queue.empty());
}

}  // namespace
}  // namespace fairlead::core
