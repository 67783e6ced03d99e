// Threads are stopped from a child that shares no memory with us: their registers come back by a
// pipe. The walker, which shares it, is in tests/scenarios/scan.
#include "preload/scan/stopped_threads.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

namespace seep::scan {
namespace {

constexpr std::uint64_t kPattern = 0x123456789abcdef0;

// Spins with the pattern in a register until told to end.
void spin(const std::atomic<bool>& ends) {
  while (!ends.load(std::memory_order_relaxed)) {
    __asm__ volatile("movq %0, %%xmm7\n\tpause" : : "r"(kPattern) : "xmm7");
  }
}

// In a child: stops our threads and exits with the number of images that hold the pattern.
int count_in_child(pid_t process) {
  StoppedThreads threads;
  if (threads.stop(static_cast<std::uint32_t>(process), 0xFFFFFFFF) !=
      StoppedThreads::Outcome::kRefused) {
    return 100;  // there is no such caller
  }
  threads.release();
  if (threads.stop(static_cast<std::uint32_t>(process), static_cast<std::uint32_t>(process)) !=
      StoppedThreads::Outcome::kDone) {
    return 101;
  }
  int found = 0;
  for (std::size_t i = 0; i < threads.count(); ++i) {
    const ThreadImage& image = threads.images()[i];
    bool holds = false;
    for (std::size_t word = 0; word < image.word_count; ++word) {
      holds = holds || image.words[word] == kPattern;
    }
    found += holds && image.stack_pointer != 0 && image.thread_pointer != 0 ? 1 : 0;
  }
  threads.release();
  return found;
}

TEST(StoppedThreads, GiveTheirRegistersAndGoOn) {
  std::atomic<bool> ends{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back([&] { spin(ends); });
  }
  usleep(20000);
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  const pid_t process = getpid();
  const pid_t child = fork();
  if (child == 0) {
    _exit(count_in_child(process));
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ends.store(true);
  for (std::thread& thread : threads) {
    thread.join();  // they do, when they were let go
  }
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_GE(WEXITSTATUS(status), 4);  // one may be caught just before
  EXPECT_LE(WEXITSTATUS(status), 5);
}

}  // namespace
}  // namespace seep::scan
