// Threads through the recorder as the hooks call it, captures included, with walks beside them.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

#include "preload/recorder/recorder.h"
#include "preload/recorder/thread_cache.h"
#include "preload/snapshot/live_walk.h"
#include "preload/stack/capture.h"
#include "preload/stack/modules.h"
#include "tests/stress/places.h"

namespace seep::test {
namespace {

constexpr unsigned kThreads = 4;
constexpr std::chrono::milliseconds kTime{1500};

std::atomic<std::uint64_t> g_births{0};

void* pointer(std::uintptr_t address) {
  return reinterpret_cast<void*>(address);
}

class Program {
 public:
  Program(Places& places, unsigned seed) : places_(places), random_(seed) {}

  // From one of many call paths: each bit of `path` is a choice of caller.
  [[gnu::noinline]] void step(unsigned path) {
    if (path > 1) {
      (path & 1) != 0 ? step_left(path / 2) : step_right(path / 2);
    } else if (mine_.empty() || random_() % 2 == 0) {
      allocate();
    } else if (random_() % 2 == 0) {
      release();
    } else {
      move();
    }
  }
  unsigned any_path() { return 256 + random_() % 256; }
  void release_all() {
    while (!mine_.empty()) {
      release();
    }
  }

 private:
  [[gnu::noinline]] void step_left(unsigned path) {
    step(path);
    steps_ = steps_ + 1;  // keeps the call from becoming a jump
  }
  [[gnu::noinline]] void step_right(unsigned path) {
    step(path);
    steps_ = steps_ - 1;
  }
  void allocate() {
    const std::uintptr_t place = places_.take();
    if (place != 0) {
      recorder::record_allocation(pointer(place), 1 + random_() % 100, recorder::caller_of_hook());
      ++g_births;
      mine_.push_back(place);
    }
  }
  void release() {
    recorder::record_release(pointer(mine_.back()));
    places_.give_back(mine_.back());
    mine_.pop_back();
  }
  void move() {
    const std::uintptr_t fresh = places_.take();
    if (fresh == 0) {
      return;
    }
    const recorder::Moving moving = recorder::begin_move(pointer(mine_.back()));
    places_.give_back(mine_.back());
    recorder::end_move(moving, pointer(fresh), 50, false, recorder::caller_of_hook());
    ++g_births;
    mine_.back() = fresh;
  }

  Places& places_;
  std::mt19937 random_;
  std::vector<std::uintptr_t> mine_;
  volatile int steps_ = 0;
};

std::uint64_t recorded_births() {
  std::vector<recorder::Births> births(recorder::g_tables.sites.count());
  recorder::births_of_sites(recorder::g_tables.sites, births.data(),
                            static_cast<std::uint32_t>(births.size()));
  std::uint64_t sum = 0;
  for (const recorder::Births& site : births) {
    sum += site.blocks;
  }
  return sum;
}

TEST(Recorder, LosesNoEventOfAnyThread) {
  stack::set_skip_own_module(false);
  stack::refresh_modules();
  recorder::g_clock.start();
  recorder::g_tables.blocks.allow_dense_pages(true);
  recorder::start_recording({});
  Places places;
  const auto end = std::chrono::steady_clock::now() + kTime;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Program program(places, i);
      while (std::chrono::steady_clock::now() < end) {
        program.step(program.any_path());
      }
      program.release_all();
    });
  }
  while (std::chrono::steady_clock::now() < end) {
    snapshot::LiveWalk walk(recorder::g_clock.tick(), 0);
    ASSERT_TRUE(walk.run(recorder::g_tables));
    ASSERT_LE(walk.live_blocks(), 2 * kPlaces);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  recorder::set_mode(recorder::Mode::kDormant);
  EXPECT_EQ(recorded_births(), g_births);
  EXPECT_GT(recorder::g_tables.sites.count(), 256U);
  for (const format::Loss loss :
       {format::Loss::missed_free, format::Loss::foreign_free, format::Loss::blocks_not_recorded,
        format::Loss::stacks_not_recorded}) {
    EXPECT_EQ(recorder::g_losses[static_cast<std::uint32_t>(loss)], 0U);
  }
  unsigned left = 0;
  recorder::g_tables.blocks.walk([&](const table::Block&) { ++left; });
  EXPECT_EQ(left, 0U);
}

}  // namespace
}  // namespace seep::test
