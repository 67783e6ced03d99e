#include "cli/progress.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

namespace seep::cli {
namespace {

// What a terminal shows of work that takes this long.
std::string shown(std::chrono::milliseconds work) {
  int terminal = -1;
  const pid_t pid = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (pid == 0) {
    {
      Progress progress;
      progress.say("reading", 3, 9);
      std::this_thread::sleep_for(work);
    }
    _exit(0);
  }
  std::string text;
  char piece[256];
  for (ssize_t got = 0; (got = read(terminal, piece, sizeof(piece))) > 0;) {
    text.append(piece, static_cast<std::size_t>(got));
  }
  close(terminal);
  waitpid(pid, nullptr, 0);
  return text;
}

TEST(Progress, ShortWorkShowsNothing) {
  EXPECT_EQ(shown(std::chrono::milliseconds(50)), "");
}

TEST(Progress, LongWorkShowsALineAndWipesIt) {
  const std::string text = shown(std::chrono::milliseconds(1400));
  EXPECT_NE(text.find("seep: reading 3 of 9, 1 s"), std::string::npos) << text;
  EXPECT_TRUE(text.ends_with("\r\033[K")) << text;
}

TEST(Progress, WithoutATerminalNothingIsShown) {
  testing::internal::CaptureStderr();
  {
    Progress progress;
    progress.say("reading");
    std::this_thread::sleep_for(std::chrono::milliseconds(1300));
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace seep::cli
