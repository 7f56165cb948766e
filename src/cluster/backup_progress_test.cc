#include "cluster/backup_progress.h"

#include <gtest/gtest.h>

namespace fairlead::cluster {
namespace {

constexpr std::string_view kSaid =
    "waiting for checkpoint\n"
    "    0/30528 kB (0%), 0/1 tablespace (...srv/db/node3/backup_label)\r"
    "12288/30528 kB (40%), 0/1 tablespace (.../node3/base/1/2619)\n"
    "30528/30528 kB (100%), 1/1 tablespace\n";

TEST(BackupProgress, TheLastWholeFigureCounts) {
  BackupProgress progress;
  EXPECT_EQ(progress.total_bytes(), 0U);
  progress.take(kSaid.substr(0, kSaid.find("30528/30528")));
  EXPECT_EQ(progress.done_bytes(), 12288U * 1024);
  EXPECT_EQ(progress.total_bytes(), 30528U * 1024);
}

TEST(BackupProgress, OneByteAtATimeEqualsAllAtOnce) {
  BackupProgress progress;
  for (const char& byte : kSaid) progress.take({&byte, 1});
  EXPECT_EQ(progress.done_bytes(), 30528U * 1024);
}

TEST(BackupProgress, WhatIsNoFigureChangesNothing) {
  BackupProgress progress;
  for (const char* text : {"1/\n", "1/2\n", "1/2 MB\n", "x/2 kB\n", "/\n", "\n", "1 2 kB\n"})
    progress.take(text);
  EXPECT_EQ(progress.total_bytes(), 0U);
}

TEST(BackupProgress, AnErrorIsToldWithoutTheFigures) {
  EXPECT_EQ(
      without_progress(std::string(kSaid) + "pg_basebackup: error: No space left on device\n"),
      "waiting for checkpoint\npg_basebackup: error: No space left on device");
}

}  // namespace
}  // namespace fairlead::cluster
