#include "core/open_files.h"

#include <gtest/gtest.h>

namespace fairlead::core {
namespace {

using enum RoomForClient;

TEST(OpenFiles, AnEighthIsKeptFromClientsAndNotMoreThanServersNeed) {
  EXPECT_EQ(files_kept_from_clients(200), 25U);
  EXPECT_EQ(files_kept_from_clients(1024), 128U);
  EXPECT_EQ(files_kept_from_clients(65'536), kFilesKeptMax);
  EXPECT_EQ(files_kept_from_clients(UINT64_MAX), kFilesKeptMax) << "without a limit";
}

TEST(OpenFiles, AClientThatWouldTakeOneOfThoseIsRefused) {
  EXPECT_EQ(room_for_client(174, 200), kEnough);
  EXPECT_EQ(room_for_client(175, 200), kRefuse);
  EXPECT_EQ(room_for_client(187, 200), kRefuse);
}

TEST(OpenFiles, WhoeverIsRefusedTakesHalfOfThemAtMost) {
  EXPECT_EQ(room_for_client(188, 200), kRefuseUnheard);
  EXPECT_EQ(room_for_client(199, 200), kRefuseUnheard);
}

TEST(OpenFiles, WithoutALimitThereIsRoom) {
  EXPECT_EQ(room_for_client(1'000'000, UINT64_MAX), kEnough);
}

}  // namespace
}  // namespace fairlead::core
