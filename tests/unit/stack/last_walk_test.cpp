// A capture that repeats the last walk must give what a plain one gives, whatever the program did
// in between. Each leaf below captures both ways.
#include "preload/stack/last_walk.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstring>
#include <memory>
#include <random>

#include "preload/stack/capture.h"

namespace seep::stack {
namespace {

struct Comparison {
  std::unique_ptr<LastWalk> last = std::make_unique<LastWalk>();
  std::mt19937 random{1};
  unsigned max_depth = kMaxFrames;
  unsigned captures = 0;
  unsigned differences = 0;
};

bool equal(const Stack& a, const Stack& b) {
  bool same = a.depth == b.depth && a.cut == b.cut && a.failed == b.failed;
  for (unsigned i = 0; same && i < a.depth; ++i) {
    same = a.frames[i].frame == b.frames[i].frame && a.frames[i].flags == b.frames[i].flags;
  }
  return same;
}

[[gnu::noinline]] void compare(Comparison& comparison) {
  Stack stacks[2];
  LastWalk* const ways[2] = {comparison.last.get(), nullptr};
  for (int way = 0; way < 2; ++way) {
    __asm__ volatile(
        ""
        : "+r"(way));  // one call for both ways: their stacks have nothing to differ in
    capture(comparison.max_depth, stacks[way], ways[way]);
  }
  ++comparison.captures;
  comparison.differences += equal(stacks[0], stacks[1]) ? 0U : 1U;
}

// Functions with frames of different sizes that call each other at random, and now and then at a
// leaf: paths of different shapes meet at the same stack pointers.
template <int kShape>
[[gnu::noinline]] void wander(Comparison& comparison, int depth);

[[gnu::noinline]] void step_in(Comparison& comparison, int depth) {
  switch (comparison.random() % 4) {
    case 0:
      wander<0>(comparison, depth);
      break;
    case 1:
      wander<1>(comparison, depth);
      break;
    case 2:
      wander<2>(comparison, depth);
      break;
    default:
      wander<3>(comparison, depth);
      break;
  }
  __asm__ volatile("" ::: "memory");
}

template <int kShape>
void wander(Comparison& comparison, int depth) {
  char room[kShape * 32 + 8];
  __asm__ volatile("" ::"r"(room) : "memory");
  if (kShape == 3) {  // a frame of a size known at run time: its CFA is found by rbp
    auto* more = static_cast<char*>(__builtin_alloca(8 + comparison.random() % 64));
    std::memset(more, 0, 8);
    __asm__ volatile("" ::"r"(more) : "memory");
  }
  const auto leaves = static_cast<unsigned>(comparison.random() % 3);
  for (unsigned i = 0; i < leaves; ++i) {
    compare(comparison);
  }
  if (depth > 0) {
    step_in(comparison, depth - 1);
    if (comparison.random() % 4 == 0) {
      step_in(comparison, depth - 1 - static_cast<int>(comparison.random() % 3));
    }
  }
  compare(comparison);
}

class LastWalkTest : public testing::Test {
 protected:
  void SetUp() override { set_skip_own_module(false); }
  void TearDown() override { set_skip_own_module(true); }
};

TEST_F(LastWalkTest, GivesTheSameStacksOverRandomPaths) {
  Comparison comparison;
  while (comparison.captures < 200'000) {
    wander<1>(comparison, 20);
  }
  EXPECT_EQ(comparison.differences, 0U);
}

TEST_F(LastWalkTest, GivesTheSameStacksWhereTheDepthLimitCuts) {
  Comparison comparison;
  while (comparison.captures < 200'000) {
    comparison.max_depth = static_cast<unsigned>(1 + comparison.random() % 40);
    wander<0>(comparison, 30);
  }
  EXPECT_EQ(comparison.differences, 0U);
}

struct Coroutine {
  ucontext_t context;
  ucontext_t* back;
  Comparison* comparison;
};

void run_coroutine(unsigned low, unsigned high) {
  auto* self = reinterpret_cast<Coroutine*>(std::uintptr_t{high} << 32 | low);
  while (true) {
    wander<2>(*self->comparison, 8);
    swapcontext(&self->context, self->back);
  }
}

// Stacks that are unmapped and mapped again at the same place, as coroutine libraries do.
TEST_F(LastWalkTest, GivesTheSameStacksOnStacksThatComeAndGo) {
  constexpr std::size_t kStackBytes = 128 << 10;
  Comparison comparison;
  ucontext_t here;
  while (comparison.captures < 50'000) {
    void* memory =
        mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    Coroutine coroutine{{}, &here, &comparison};
    getcontext(&coroutine.context);
    coroutine.context.uc_stack = {memory, 0, kStackBytes};
    const auto address = reinterpret_cast<std::uintptr_t>(&coroutine);
    makecontext(&coroutine.context, reinterpret_cast<void (*)()>(run_coroutine), 2,
                static_cast<unsigned>(address), static_cast<unsigned>(address >> 32));
    swapcontext(&here, &coroutine.context);
    wander<0>(comparison, 3);
    munmap(memory, kStackBytes);
  }
  EXPECT_EQ(comparison.differences, 0U);
}

// A forged return address in a frame that was walked before: the compared word differs.
TEST_F(LastWalkTest, SeesAWordOfTheStackThatChanged) {
  LastWalk last{};
  const FrameRegisters inner{0x1000, 0x7000, 0x7100};
  std::uint64_t words[4] = {0, 0, 0x2000, 0};  // the caller's return address lies at words[2]
  const auto base = reinterpret_cast<std::uint64_t>(words);
  last.begin(1);
  last.stage({{0x1000, base, 5}, 0, 11, 0, false, false, false});
  last.set_outcome(true, false, 0);
  last.stage({{0x2000, base + 24, 5}, 0, 22, 0, false, false, false});
  last.end();
  last.begin(1);
  ASSERT_NE(last.find({0x1000, base, 5}, 0), nullptr);
  const WalkStep* next = last.repeat();
  ASSERT_NE(next, nullptr);
  EXPECT_EQ(next->frame, 22U);
  last.end();
  words[2] = 0x3000;
  last.begin(1);
  ASSERT_NE(last.find({0x1000, base, 5}, 0), nullptr);
  EXPECT_EQ(last.repeat(), nullptr);
  EXPECT_EQ(last.find(inner, 0), nullptr);
}

TEST_F(LastWalkTest, ForgetsWhenTheTablesChange) {
  LastWalk last{};
  last.begin(1);
  last.stage({{0x1000, 0x7000, 5}, 0, 11, 0, false, true, false});
  last.end();
  last.begin(1);
  EXPECT_NE(last.find({0x1000, 0x7000, 5}, 0), nullptr);
  last.begin(2);
  EXPECT_EQ(last.find({0x1000, 0x7000, 5}, 0), nullptr);
}

}  // namespace
}  // namespace seep::stack
