// Signals and seep run: the program gets each once, whoever sent it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include "cli/launch/child.h"

namespace seep::launch {
namespace {

// A launcher of the counting program with a terminal of its own, as a shell's foreground job.
class Terminal {
 public:
  Terminal() {
    launcher_ = forkpty(&terminal_, nullptr, nullptr, nullptr);
    if (launcher_ == 0) {
      _exit(run_child({SEEP_COUNT_SIGNALS}, [](pid_t) {}).exit_status());
    }
    read_until("ready");
  }

  ~Terminal() { close(terminal_); }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] pid_t launcher() const { return launcher_; }

  void type(char key) const { EXPECT_EQ(write(terminal_, &key, 1), 1); }

  // The number of signals that the program counted.
  [[nodiscard]] int end() {
    read_until("count");
    int status = 0;
    waitpid(launcher_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  void read_until(const std::string& word) {
    std::string seen;
    char piece[256];
    while (seen.find(word) == std::string::npos) {
      const ssize_t got = read(terminal_, piece, sizeof(piece));
      if (got <= 0) {
        return;  // the other side is gone: the status will tell
      }
      seen.append(piece, static_cast<std::size_t>(got));
    }
  }

  int terminal_ = -1;
  pid_t launcher_ = 0;
};

constexpr char kControlC = 3;
constexpr char kControlZ = 26;

TEST(Signals, ControlCReachesTheProgramOnce) {
  Terminal terminal;
  terminal.type(kControlC);
  EXPECT_EQ(terminal.end(), 1);
}

TEST(Signals, ASignalToSeepAloneReachesTheProgramOnce) {
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGABRT}) {
    Terminal terminal;
    kill(terminal.launcher(), signal);
    EXPECT_EQ(terminal.end(), 1) << "signal " << signal;
  }
}

// A session's leader cannot be stopped by its terminal (its process group is orphaned), so the
// program stops alone here and must come back when seep is continued.
TEST(Signals, AStoppedProgramIsContinuedThroughSeep) {
  Terminal terminal;
  terminal.type(kControlZ);
  usleep(100'000);
  kill(terminal.launcher(), SIGCONT);
  kill(terminal.launcher(), SIGUSR1);
  EXPECT_EQ(terminal.end(), 1);
}

// As a shell runs a job: in a process group that has a parent in the session.
TEST(Signals, SeepStopsWithTheProgramAndGoesOnWithIt) {
  const pid_t launcher = fork();
  if (launcher == 0) {
    setpgid(0, 0);
    _exit(run_child({"/bin/sh", "-c", "kill -TSTP $$; exit 7"}, [](pid_t) {}).exit_status());
  }
  int status = 0;
  waitpid(launcher, &status, WUNTRACED);
  ASSERT_TRUE(WIFSTOPPED(status)) << status;
  EXPECT_EQ(WSTOPSIG(status), SIGTSTP);
  kill(-launcher, SIGCONT);
  waitpid(launcher, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

// In a PID namespace of its own the launcher is PID 1 and inherits every orphan.
TEST(Signals, AsPid1OrphansAreReapedAndTheStatusIsTheProgramsOwn) {
  const pid_t namespace_maker = fork();
  if (namespace_maker == 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) {
      _exit(errno == EPERM || errno == ENOSPC || errno == EINVAL ? 100 : 101);
    }
    const pid_t init = fork();
    if (init == 0) {
      // The orphan ends before the program does; the program sees whether it was reaped.
      const std::string script = "(sleep 0.1 & echo $! > /dev/null); sleep 0.4; exit 6";
      const int status = run_child({"/bin/sh", "-c", script}, [](pid_t) {}).exit_status();
      const bool nothing_left = waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD;
      _exit(getpid() == 1 && nothing_left ? status : 102);
    }
    int status = 0;
    waitpid(init, &status, 0);
    _exit(WEXITSTATUS(status));
  }
  int status = 0;
  waitpid(namespace_maker, &status, 0);
  constexpr int kNoNamespaces = 100;  // a container may forbid them: then there is nothing to see
  EXPECT_TRUE(WEXITSTATUS(status) == 6 || WEXITSTATUS(status) == kNoNamespaces) << status;
}

}  // namespace
}  // namespace seep::launch
