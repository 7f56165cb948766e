#include "proxy/named_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace fairlead::proxy {
namespace {

using testing::HasSubstr;

class NamedFile : public testing::Test {
 protected:
  NamedFile() {
    std::string name = testing::TempDir() + "/fl-XXXXXX";
    dir_ = mkdtemp(name.data());
    std::ofstream(dir_ + "/real") << "text\n";
  }
  ~NamedFile() override { std::filesystem::remove_all(dir_); }

  std::string dir_;
};

TEST_F(NamedFile, MayBeASymbolicLinkAsMountedSecretsAre) {
  std::filesystem::create_symlink("real", dir_ + "/link");
  EXPECT_EQ(read_named_file(dir_ + "/link").value_or(""), "text\n");
}

TEST_F(NamedFile, ThatIsAFolderOrMissingIsAnErrorWithAWayOut) {
  const auto folder = read_named_file(dir_);
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().detail, HasSubstr("directory"));
  EXPECT_THAT(folder.error().hint, HasSubstr("a file inside"));
  const auto missing = read_named_file(dir_ + "/none");
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("/none"));
  EXPECT_THAT(missing.error().hint, HasSubstr("check the path"));
}

TEST_F(NamedFile, ThatHasNoEndIsRefused) {
  const auto endless = read_named_file("/dev/zero");
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().code, ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace fairlead::proxy
