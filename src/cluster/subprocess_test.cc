#include "cluster/subprocess.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace fairlead::cluster {
namespace {

const StopFlag kNever = false;

Command shell(std::string script) { return {.arguments = {"/bin/sh", "-c", std::move(script)}}; }

TEST(Subprocess, CapturesBothStreamsAndTheCode) {
  const auto ending = run(shell("echo out; echo err >&2; exit 3"), kNever);
  ASSERT_TRUE(ending.has_value());
  EXPECT_EQ(ending->out, "out\n");
  EXPECT_EQ(ending->err, "err\n");
  EXPECT_EQ(ending->exit_code, 3);
}

TEST(Subprocess, TheInputIsReadableAsAFileToo) {
  Command command = shell("cat /dev/stdin");
  command.input = "secret\n";
  EXPECT_EQ(run(command, kNever)->out, "secret\n");
}

TEST(Subprocess, OutputLargerThanAPipeDoesNotBlockAndItsEndIsKept) {
  const auto ending = run(shell("head -c 3000000 /dev/zero | tr '\\0' x; echo end"), kNever);
  ASSERT_TRUE(ending.has_value());
  EXPECT_EQ(ending->out.size(), kCapturedMax);
  EXPECT_TRUE(ending->out.ends_with("xend\n"));
}

TEST(Subprocess, ABadEndingIsAnErrorWithTheTailOfWhatWasSaid) {
  const auto ending = run_good(shell("echo no space left >&2; exit 1"), kNever);
  ASSERT_FALSE(ending.has_value());
  EXPECT_EQ(ending.error().message, "/bin/sh ended with code 1");
  EXPECT_EQ(ending.error().detail, "no space left");
}

TEST(Subprocess, AMissingProgramIsAnErrorThatNamesIt) {
  const auto ending = run({.arguments = {"/nowhere/initdb"}}, kNever);
  ASSERT_FALSE(ending.has_value());
  EXPECT_EQ(ending.error().message, "cannot run /nowhere/initdb");
  EXPECT_EQ(ending.error().detail, "No such file or directory");
}

TEST(Subprocess, PastItsDeadlineTheWholeGroupIsEnded) {
  Command command = shell("sleep 100 & echo $!; wait");
  command.deadline = std::chrono::milliseconds(100);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(run(command, kNever).error().code, ErrorCode::kIo);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(4));
}

TEST(Subprocess, TheStopFlagEndsAChildThatIgnoresSigterm) {
  StopFlag stop = false;
  std::thread later([&stop] { stop = true; });
  Command command = shell("trap '' TERM; while :; do sleep 0.1; done");
  command.grace = std::chrono::milliseconds(100);
  const auto ending = run(command, stop);
  later.join();
  ASSERT_FALSE(ending.has_value());
  EXPECT_EQ(ending.error().code, ErrorCode::kQueryCanceled);
}

TEST(Subprocess, ADaemonThatKeepsThePipesOpenIsNotWaitedFor) {
  const auto began = std::chrono::steady_clock::now();
  const auto ending = run(shell("setsid sleep 3 & echo done"), kNever);
  ASSERT_TRUE(ending.has_value());
  EXPECT_EQ(ending->out, "done\n");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2));
}

TEST(Subprocess, TheEnvironmentHasNoConnectionDefaultsAndOurAdditions) {
  setenv("PGHOST", "elsewhere", 1);
  Command command = shell("echo \"[$PGHOST][$PGPASSWORD][$LC_ALL]\"");
  command.environment = {"PGPASSWORD=x"};
  EXPECT_EQ(run(command, kNever)->out, "[][x][C]\n");
  unsetenv("PGHOST");
}

TEST(Subprocess, RunsAsAnotherUserWhenRoot) {
  const auto user = find_os_user("nobody");
  if (geteuid() != 0 || !user) GTEST_SKIP() << "needs root and a user nobody";
  Command command = shell("id -un; id -G | wc -w; cat /dev/stdin");
  command.run_as = &*user;
  command.input = "x";
  const auto ending = run(command, kNever);
  ASSERT_TRUE(ending.has_value());
  EXPECT_EQ(ending->out, "nobody\n1\nx");
}

TEST(Tail, KeepsTheLastLinesWithoutBlankOnes) {
  EXPECT_EQ(tail("a\nb\nc\n\n", 2), "b\nc");
  EXPECT_EQ(tail("a\nb", 5), "a\nb");
  EXPECT_EQ(tail("", 5), "");
  EXPECT_EQ(tail("\n\n", 5), "");
}

}  // namespace
}  // namespace fairlead::cluster
