// A task of the library's is known before it can be waited for, and until it has been reaped.
#include "preload/runtime/own_tasks.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "preload/runtime/syscall.h"

namespace seep::runtime {
namespace {

class OwnTasks : public ::testing::Test {
 protected:
  void start(void (*run)()) {
    id_ = raw_syscall(__NR_clone, CLONE_PARENT_SETTID, 0, as_argument(task_.place_of_id()));
    if (id_ == 0) {
      run();
      _exit(0);
    }
  }

  [[nodiscard]] int id() const { return static_cast<int>(id_); }

  // Until there is something to tell of it, which stays.
  void await(int what) const {
    siginfo_t found;
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(id_), &found, what | WNOWAIT | __WALL), 0);
  }

  [[nodiscard]] bool is_child() const {
    siginfo_t found;
    return waitid(P_PID, static_cast<id_t>(id_), &found, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
  }

  OwnTask task_;

 private:
  long id_ = 0;
};

TEST_F(OwnTasks, AreReapedByTheWaitThatMeetsThem) {
  EXPECT_FALSE(task_.is_unreaped());
  start([] {});
  EXPECT_TRUE(task_.is_unreaped());
  await(WEXITED);
  EXPECT_FALSE(task_.is_met(id() + 1));
  EXPECT_TRUE(is_child());
  EXPECT_TRUE(task_.is_met(id()));
  EXPECT_FALSE(is_child());
  EXPECT_FALSE(task_.is_unreaped());
  EXPECT_FALSE(task_.is_met(id()));  // another child's by now
}

TEST_F(OwnTasks, ThatStopAreKnownStill) {
  start([] {
    while (true) {
      pause();
    }
  });
  kill(id(), SIGSTOP);
  await(WSTOPPED);
  EXPECT_TRUE(task_.is_met(id()));
  EXPECT_TRUE(task_.is_unreaped());
  EXPECT_TRUE(task_.is_running());
  kill(id(), SIGKILL);
  await(WEXITED);
  EXPECT_FALSE(task_.is_running());
  EXPECT_FALSE(task_.is_unreaped());
  EXPECT_FALSE(is_child());
}

}  // namespace
}  // namespace seep::runtime
