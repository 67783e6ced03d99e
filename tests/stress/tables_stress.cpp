// All tables at once, as the threads of a program use them: blocks pass from thread to thread
// through an allocator, are moved by realloc, and walked meanwhile.
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "preload/recorder/recorder.h"
#include "preload/snapshot/live_walk.h"
#include "tests/stress/places.h"

namespace seep::test {
namespace {

using table::Block;
using table::Insert;

constexpr unsigned kThreads = 4;
constexpr std::chrono::milliseconds kTime{1500};

// What a block must look like wherever it is seen. Now and then too large for a slot of a dense
// page.
std::uint64_t size_for(std::uintptr_t address, std::uint32_t site) {
  return (address >> 4 & 0x3F) * 64 + site % 64 + 1;
}

class Program {
 public:
  Program(recorder::Tables& tables, Places& places, unsigned seed)
      : tables_(tables), places_(places), random_(seed) {}

  void step() {
    switch (random_() % 4) {
      case 0:
      case 1:
        return allocate();
      case 2:
        return release();
      default:
        return move();
    }
  }
  void release_all() {
    while (!mine_.empty()) {
      release();
    }
  }

 private:
  std::uint32_t any_site() {
    stack::Stack stack{};
    stack.depth = 3;
    stack.frames[0] = {1 + random_() % 50, 0};
    stack.frames[1] = {1 + random_() % 20, 0};
    stack.frames[2] = {1 + random_() % 5, 0};
    return tables_.sites.find_or_add(tables_.stacks.intern(stack), format::SiteKind::kHeap);
  }

  void record(std::uintptr_t address) {
    const std::uint32_t site = any_site();
    ASSERT_NE(site, table::SiteTable::kNone);
    Block old;
    tables_.sites.site(site).allocated_blocks.fetch_add(1, std::memory_order_relaxed);
    const table::Block block{address, size_for(address, site), site, 1};
    ASSERT_TRUE(tables_.blocks.try_insert(block) ||
                tables_.blocks.insert(block, old) == Insert::kNew);
    mine_.push_back(address);
  }

  void allocate() {
    if (const std::uintptr_t address = places_.take(); address != 0) {
      record(address);
    }
  }

  std::uintptr_t take_mine() {
    const std::size_t at = random_() % mine_.size();
    const std::uintptr_t address = mine_[at];
    mine_[at] = mine_.back();
    mine_.pop_back();
    return address;
  }

  void release() {
    if (mine_.empty()) {
      return;
    }
    const std::uintptr_t address = take_mine();
    Block old;
    ASSERT_TRUE(tables_.blocks.look_up(address, old));
    ASSERT_TRUE(tables_.blocks.try_remove(address) || tables_.blocks.remove(address));
    ASSERT_EQ(old.size, size_for(address, old.site));
    places_.give_back(address);
  }

  // As realloc: the old place may be another thread's before its entry is forgotten.
  void move() {
    const std::uintptr_t fresh = mine_.empty() ? 0 : places_.take();
    if (fresh == 0) {
      return;
    }
    const std::uintptr_t address = take_mine();
    Block old;
    Block moved;
    ASSERT_TRUE(tables_.blocks.begin_transit(address, moved));
    ASSERT_EQ(moved.size, size_for(address, moved.site));
    places_.give_back(address);
    record(fresh);
    tables_.blocks.end_transit(moved);
  }

  recorder::Tables& tables_;
  Places& places_;
  std::mt19937 random_;
  std::vector<std::uintptr_t> mine_;
};

void run_until(std::chrono::steady_clock::time_point end, Program& program) {
  while (std::chrono::steady_clock::now() < end && !testing::Test::HasFatalFailure()) {
    for (int step = 0; step < 1000; ++step) {
      program.step();
    }
  }
  program.release_all();
}

class Tables : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(SparseAndDensePages, Tables, testing::Bool());

TEST_P(Tables, AreConsistentToEveryThreadAndEveryWalk) {
  const auto tables = std::make_unique<recorder::Tables>();
  if (GetParam()) {
    tables->blocks.allow_dense_pages(true);
  }
  Places places;
  const auto end = std::chrono::steady_clock::now() + kTime;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Program program(*tables, places, i);
      run_until(end, program);
    });
  }
  unsigned walks = 0;
  for (; std::chrono::steady_clock::now() < end; ++walks) {
    tables->blocks.walk([&](const Block& block) {
      ASSERT_LT(block.site, tables->sites.count());
      ASSERT_EQ(block.size, size_for(block.address, block.site));
    });
    snapshot::LiveWalk walk(1, 0);
    ASSERT_TRUE(walk.run(*tables));
    ASSERT_LE(walk.live_blocks(), 2 * kPlaces);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_GT(walks, 10U);
  unsigned left = 0;
  tables->blocks.walk([&](const Block&) { ++left; });
  EXPECT_EQ(left, 0U);
}

// Each thread maps and unmaps in a region of its own; what gives up is told, and nothing else may
// be missing.
TEST(RangeTable, KeepsTheMapsOfEveryThread) {
  table::RangeTable ranges;
  const auto end = std::chrono::steady_clock::now() + kTime;
  std::vector<std::thread> threads;
  std::atomic<unsigned> lost{0};
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const std::uintptr_t base = kHeap + std::uintptr_t{i} * 0x1'0000'0000;
      std::mt19937 random(i);
      std::uint32_t split = 0;
      while (std::chrono::steady_clock::now() < end) {
        const std::uintptr_t begin = base + random() % 64 * 4096;
        const std::uintptr_t length = (1 + random() % 8) * 4096;
        const bool done = random() % 2 == 0
                              ? ranges.insert({begin, begin + length, i + 1, 0}, split)
                              : ranges.remove(begin, begin + length, split);
        lost += done ? 0 : 1;
      }
      while (!ranges.remove(base, base + 0x1'0000'0000, split)) {
        std::this_thread::yield();
      }
    });
  }
  while (std::chrono::steady_clock::now() < end) {
    std::uintptr_t before = 0;
    ranges.walk([&](const table::Range& range) {
      EXPECT_LE(before, range.begin);
      EXPECT_LT(range.begin, range.end);
      EXPECT_EQ(range.site, (range.begin - kHeap) / 0x1'0000'0000 + 1);
      before = range.end;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  unsigned left = 0;
  EXPECT_TRUE(ranges.walk([&](const table::Range&) { ++left; }));
  EXPECT_EQ(left, 0U);
  RecordProperty("events_given_up", static_cast<int>(lost));
}

}  // namespace
}  // namespace seep::test
