// Threads that pass blocks to each other and free what others made: SECONDS THREADS.
// Prints nothing; ends with 0. At the end nothing of it is alive.
#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <thread>
#include <vector>

#include "samples/pace.h"

namespace {

constexpr std::size_t kSlots = 4096;

std::array<std::atomic<void*>, kSlots> g_slots;

// A small linear congruential generator: the same sequence in every run.
unsigned next_random(unsigned& state) {
  state = state * 1664525U + 1013904223U;
  return state >> 8;
}

SAMPLE_FUNCTION void* make_block(std::size_t bytes) {
  void* block = std::malloc(bytes);
  std::memset(block, 1, bytes < 64 ? bytes : 64);
  use(block);
  return block;
}

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void churn(unsigned seed, double until) {
  while (now() < until) {
    for (int i = 0; i < 1000; ++i) {
      const unsigned random = next_random(seed);
      std::atomic<void*>& slot = g_slots[random % kSlots];
      std::free(slot.exchange(make_block(16 + random % 2000)));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const double until = now() + duration_argument(argc, argv);
  const int count = argc > 2 ? std::atoi(argv[2]) : 4;
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    threads.emplace_back(churn, 12345U + static_cast<unsigned>(i), until);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (std::atomic<void*>& slot : g_slots) {
    std::free(slot.exchange(nullptr));
  }
}
