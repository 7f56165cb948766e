// Fork, and a thread that kills.
#include "testing/killed_child.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace fairlead::test {

void run_and_kill(size_t step, std::chrono::microseconds delay,
                  const std::function<void(cluster::ProgressSink&)>& work) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    AtStep sink(step, [delay] {
      std::thread([delay] {
        std::this_thread::sleep_for(delay);
        kill(getpid(), SIGKILL);
      }).detach();
    });
    work(sink);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
}

}  // namespace fairlead::test
