// Three threads turn over megabytes; a fourth loses 50 bytes now and then.
// verdict: growing leak=true function=arm_timer unreachable=true
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "samples/pace.h"

namespace {

constexpr std::size_t kTimerBytes = 50;

// Each buffer lives for 64 ticks: about 1 MB alive a thread, all of it freed in time.
SAMPLE_FUNCTION void churn(double seconds) {
  std::vector<std::vector<char>> window(64);
  pace pace = start_pace(seconds, 1000);
  std::size_t tick = 0;
  while (next_tick(&pace)) {
    window[tick % window.size()] = std::vector<char>(8192 + tick % 5 * 4096);
    use(window[tick % window.size()].data());
    ++tick;
  }
}

SAMPLE_FUNCTION void arm_timer() {
  void* timer = std::malloc(kTimerBytes);
  std::memset(timer, 0, kTimerBytes);
  use(timer);
}

SAMPLE_FUNCTION void run_timers(double seconds) {
  pace pace = start_pace(seconds, 200);
  while (next_tick(&pace)) {
    arm_timer();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = duration_argument(argc, argv);
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back(churn, seconds);
  }
  threads.emplace_back(run_timers, seconds);
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::puts("done");
}
