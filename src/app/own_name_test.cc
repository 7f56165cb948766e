#include "app/own_name.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace fairlead::app {
namespace {

class OwnName : public testing::Test {
 protected:
  OwnName() {
    std::string name = testing::TempDir() + "/fl-XXXXXX";
    dir_ = mkdtemp(name.data());
    own_ = dir_ + "/build/fairlead";
    for (const char* folder : {"build", "bin", "other"})
      std::filesystem::create_directory(dir_ + "/" + folder);
    std::ofstream(own_) << "program";
  }
  ~OwnName() override { std::filesystem::remove_all(dir_); }

  std::string dir_;
  std::string own_;
};

TEST_F(OwnName, IsThePathOfABuildThatNobodyInstalled) {
  EXPECT_EQ(name_in_path(own_, dir_ + "/bin:" + dir_ + "/other"), own_);
  EXPECT_EQ(name_in_path(own_, ""), own_);
}

TEST_F(OwnName, IsShortWhereTheShellFindsIt) {
  std::filesystem::create_symlink(own_, dir_ + "/bin/fairlead");
  EXPECT_EQ(name_in_path(own_, dir_ + "/other:" + dir_ + "/bin"), "fairlead");
}

TEST_F(OwnName, IsThePathWhereTheShellFindsAnotherOneFirst) {
  std::ofstream(dir_ + "/other/fairlead") << "an older one";
  std::filesystem::create_symlink(own_, dir_ + "/bin/fairlead");
  EXPECT_EQ(name_in_path(own_, dir_ + "/other:" + dir_ + "/bin"), own_);
}

}  // namespace
}  // namespace fairlead::app
