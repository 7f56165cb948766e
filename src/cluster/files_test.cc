// Files, the lock, ports, and what is found on this machine. Touches /tmp and loopback only.
#include "cluster/files.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "cluster/dir_lock.h"
#include "cluster/find_postgres.h"
#include "cluster/ports.h"
#include "cluster/postmaster.h"
#include "cluster/subprocess.h"

namespace fairlead::cluster {
namespace {

class Files : public ::testing::Test {
 protected:
  Files() {
    char name[] = "/tmp/fl-XXXXXX";
    dir_ = mkdtemp(name);
  }
  ~Files() override { std::filesystem::remove_all(dir_); }

  std::string dir_;
};

TEST_F(Files, AWrittenFileHasItsModeAndReplacesTheOldOne) {
  const std::string path = dir_ + "/f";
  ASSERT_TRUE(write_file(path, "old", 0644, nullptr).has_value());
  ASSERT_TRUE(write_file(path, "new", 0600, nullptr).has_value());
  EXPECT_EQ(read_file(path).value_or(""), "new");
  struct stat info{};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
  EXPECT_FALSE(exists(path + ".new"));
}

TEST_F(Files, ASymbolicLinkIsReplacedAndItsTargetLeftAlone) {
  ASSERT_TRUE(write_file(dir_ + "/target", "precious", 0644, nullptr).has_value());
  for (const char* name : {"/f", "/f.new"})
    ASSERT_EQ(symlink((dir_ + "/target").c_str(), (dir_ + name).c_str()), 0);
  EXPECT_FALSE(read_file(dir_ + "/f").has_value());
  ASSERT_TRUE(write_file(dir_ + "/f", "mine", 0600, nullptr).has_value());
  EXPECT_EQ(read_file(dir_ + "/target").value_or(""), "precious");
  EXPECT_EQ(read_file(dir_ + "/f").value_or(""), "mine");
}

TEST_F(Files, AFullDiskIsAnErrorWithANextStep) {
  const Error error = fail_errno("write", "/x", ENOSPC).error();
  EXPECT_EQ(error.message, "cannot write /x");
  EXPECT_EQ(error.hint, "free some space, then run the command again");
}

TEST_F(Files, ALogsEndIsBoundedAndMayBeginLate) {
  const std::string path = dir_ + "/log";
  ASSERT_TRUE(write_file(path, std::string(100'000, 'a') + "end", 0600, nullptr).has_value());
  EXPECT_EQ(read_log_end(path).size(), 64U * 1024);
  EXPECT_EQ(read_log_end(path, 100'000), "end");
  EXPECT_EQ(read_log_end(dir_ + "/none"), "");
}

TEST_F(Files, ALockIsHeldOnceAndFreeAgainAfterItsOwner) {
  const std::string path = dir_ + "/lock";
  {
    const auto first = DirLock::take(path);
    ASSERT_TRUE(first.has_value());
    const auto second = DirLock::take(path, std::chrono::milliseconds(30));
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().message, "another command is at work on this cluster");
  }
  EXPECT_TRUE(DirLock::take(path).has_value());
}

TEST_F(Files, TheLockOfAKilledCommandIsTakenFromItsToolThatLivesOn) {
  const std::string path = dir_ + "/lock";
  const pid_t command = fork();
  ASSERT_GE(command, 0);
  if (command == 0) {
    const auto lock = DirLock::take(path);
    Command tool{.arguments = {"/bin/sleep", "100"}};
    tool.stop_signal = SIGCHLD;  // Ignored: the tool does not notice that its command died.
    tool.inherited_fd = lock->fd();
    (void)spawn(tool, {});
    kill(getpid(), SIGKILL);
  }
  ASSERT_EQ(waitpid(command, nullptr, 0), command);
  const auto lock = DirLock::take(path, std::chrono::seconds(5));
  EXPECT_TRUE(lock.has_value()) << describe(lock.error());
}

TEST_F(Files, AFolderThatAUserCannotEnterIsNamed) {
  OsUser stranger{"stranger", "/", 4'000'000, 4'000'000, {4'000'000}};
  const std::string inner = dir_ + "/inner";
  ASSERT_TRUE(make_folder(inner, 0711, nullptr).has_value());
  const auto refused = check_reachable(inner, stranger);  // mkdtemp's mode is 0700.
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "the user stranger cannot enter " + dir_);
  ASSERT_EQ(chmod(dir_.c_str(), 0711), 0);
  EXPECT_TRUE(check_reachable(inner, stranger).has_value());
}

TEST_F(Files, AProcessThatIsNotAServerOfTheDirectoryIsNoPostmaster) {
  // A pid that is alive, ours, and works elsewhere: what a stale file holds after a reboot.
  const std::string text = std::to_string(getpid()) + "\n" + dir_ + "\n0\n5432\n" + dir_ +
                           "\n127.0.0.1\n1 1\nready   \n";
  ASSERT_TRUE(write_file(dir_ + "/postmaster.pid", text, 0600, nullptr).has_value());
  EXPECT_FALSE(find_postmaster(dir_).has_value());
  EXPECT_TRUE(end_processes_in(dir_).has_value());
  forget_dead_postmaster(dir_, dir_ + "/.s.PGSQL.5432");
  EXPECT_FALSE(exists(dir_ + "/postmaster.pid"));
}

TEST_F(Files, BackendsWhosePostmasterWasKilledAreGivenTimeToEnd) {
  const pid_t backend = fork();
  if (backend == 0) {
    if (chdir(dir_.c_str()) == 0) usleep(300'000);
    _exit(0);
  }
  while (processes_in(dir_).empty()) usleep(1000);
  const std::string text = std::to_string(backend + 1) + "\n" + dir_ + "\n";
  ASSERT_TRUE(write_file(dir_ + "/postmaster.pid", text, 0600, nullptr).has_value());
  forget_dead_postmaster(dir_, dir_ + "/.s.PGSQL.5432");
  EXPECT_FALSE(exists(dir_ + "/postmaster.pid"));
  EXPECT_EQ(waitpid(backend, nullptr, 0), backend);
}

TEST(Ports, ReservedOnesDifferAndCanStillBeTakenByAServer) {
  std::set<uint16_t> seen;
  std::vector<PortReservation> held;
  for (int i = 0; i < 50; ++i) {
    auto reserved = PortReservation::make("127.0.0.1", 0);
    ASSERT_TRUE(reserved.has_value());
    EXPECT_TRUE(seen.insert(reserved->port()).second);
    held.push_back(std::move(*reserved));
  }
  // What PostgreSQL does with a port: SO_REUSEADDR, bind, listen. A second reservation stands for
  // the bind.
  EXPECT_TRUE(PortReservation::make("127.0.0.1", held.front().port()).has_value());
}

TEST(Ports, AnAddressOfAnotherMachineIsAnErrorWithANextStep) {
  const auto reserved = PortReservation::make("192.0.2.1", 0);
  ASSERT_FALSE(reserved.has_value());
  EXPECT_EQ(reserved.error().hint, "choose an address of this machine");
}

TEST(FindPostgres, ReadsTheMajorVersion) {
  EXPECT_EQ(major_of("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n"), 15U);
  EXPECT_EQ(major_of("postgres (PostgreSQL) 18beta1"), 18U);
  EXPECT_EQ(major_of("mysqld  Ver 8"), 0U);
}

TEST(FindPostgres, AFolderWithoutTheProgramsIsAnErrorThatSaysWhatToDo) {
  const auto found = find_postgres("/nowhere");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().message, "there is no /nowhere/initdb");
  EXPECT_NE(found.error().hint.find("--pg-bin"), std::string::npos);
}

}  // namespace
}  // namespace fairlead::cluster
