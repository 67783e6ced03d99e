// A walk that repeats the last one, and a prediction, must give what a plain capture gives,
// whatever the program did in between. Each leaf below captures in all three ways.
#include "preload/stack/last_walk.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "preload/stack/capture.h"
#include "preload/stack/modules.h"
#include "preload/stack/predictions.h"

namespace seep::stack {
namespace {

using Frames = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

struct Comparison {
  std::unique_ptr<LastWalk> last = std::make_unique<LastWalk>();
  std::unique_ptr<Predictions> predictions = std::make_unique<Predictions>();
  std::map<std::pair<Frames, bool>, std::uint32_t> stacks;  // their numbers, as plainly captured
  std::mt19937 random{1};
  unsigned max_depth = kMaxFrames;
  unsigned captures = 0;
  unsigned differences = 0;
  unsigned predicted = 0;
  unsigned wrongly_predicted = 0;
};

Frames frames_of(const LastWalk& walk) {
  Frames frames;
  for (unsigned i = 0; i < walk.frames(); ++i) {
    frames.emplace_back(walk.first()[i].frame, walk.first()[i].flags);
  }
  return frames;
}

void check(Comparison& comparison, const FrameRegisters& caller, const Stack& plain) {
  Frames frames;
  for (unsigned i = 0; i < plain.depth; ++i) {
    frames.emplace_back(plain.frames[i].frame, plain.frames[i].flags);
  }
  const auto id = static_cast<std::uint32_t>(comparison.stacks.size() + 1);
  const std::uint32_t number = comparison.stacks.try_emplace({frames, plain.cut}, id).first->second;
  ++comparison.captures;

  const std::uint32_t latest = comparison.predictions->find_latest(caller, generation());
  const Predictions::Found found = comparison.predictions->find(caller, generation());
  comparison.wrongly_predicted += latest != 0 && latest != number ? 1U : 0U;
  if (found.outcome == Predictions::Outcome::kHit) {
    ++comparison.predicted;
    comparison.wrongly_predicted += found.value != number ? 1U : 0U;
  }
  if (found.outcome != Predictions::Outcome::kHit || comparison.random() % 2 == 0) {
    const Walk walked = walk(caller, comparison.max_depth, *comparison.last);
    const bool cut = walked.end == Walk::End::kCut;
    comparison.differences +=
        walked.end == Walk::End::kNone || cut != plain.cut || frames_of(*comparison.last) != frames
            ? 1U
            : 0U;
    comparison.predictions->add(caller, *comparison.last, number);
  }
}

[[gnu::noinline]] void compare(Comparison& comparison) {
  const auto* frame = static_cast<const std::uint64_t*>(__builtin_frame_address(0));
  const FrameRegisters caller{frame[1], reinterpret_cast<std::uint64_t>(frame + 2), frame[0]};
  Registers registers{};
  registers.value[kRip] = caller.ip;
  registers.value[kRsp] = caller.sp;
  registers.value[kRbp] = caller.bp;
  Stack plain;
  capture_from(registers, comparison.max_depth, plain);
  check(comparison, caller, plain);
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
  EXPECT_EQ(comparison.wrongly_predicted, 0U);
  EXPECT_GT(comparison.predicted, 1000U);
}

TEST_F(LastWalkTest, GivesTheSameStacksWhereTheDepthLimitCuts) {
  Comparison comparison;
  while (comparison.captures < 200'000) {
    comparison.max_depth = static_cast<unsigned>(1 + comparison.random() % 40);
    comparison.predictions->forget();  // they are of walks as long as those before
    wander<0>(comparison, 30);
  }
  EXPECT_EQ(comparison.differences, 0U);
  EXPECT_EQ(comparison.wrongly_predicted, 0U);
  EXPECT_GT(comparison.predicted, 1000U);
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
  EXPECT_EQ(comparison.wrongly_predicted, 0U);
  EXPECT_GT(comparison.predicted, 1000U);
}

WalkStep step_at(const FrameRegisters& at, std::uint64_t frame) {
  return {at, 0, frame, 0, 0, false, false, false, false};
}

// A forged return address in a frame that was walked before: the compared word differs.
TEST_F(LastWalkTest, SeesAWordOfTheStackThatChanged) {
  LastWalk last{};
  Predictions predictions{};
  std::uint64_t words[4] = {0, 0, 0x2000, 0};  // the caller's return address lies at words[2]
  const auto base = reinterpret_cast<std::uint64_t>(words);
  const FrameRegisters entry{0x1000, base, 5};
  last.begin(1);
  last.stage(step_at(entry, 11));
  last.set_caller(true, 0);
  last.stage(step_at({0x2000, base + 24, 5}, 22));
  last.set_outermost();
  last.end(entry, false);
  predictions.find(entry, 1);
  ASSERT_TRUE(predictions.add(entry, last, 7));
  EXPECT_EQ(predictions.find_latest(entry, 1), 7U);

  FrameRegisters regs = entry;
  last.begin(1);
  ASSERT_TRUE(last.find(regs, 0));
  EXPECT_EQ(last.repeat(10, regs), LastWalk::Repeat::kOutermost);
  last.end(entry, false);

  words[2] = 0x3000;
  EXPECT_EQ(predictions.find_latest(entry, 1), 0U);
  EXPECT_EQ(predictions.find(entry, 1).outcome, Predictions::Outcome::kChanged);
  regs = entry;
  last.begin(1);
  ASSERT_TRUE(last.find(regs, 0));
  EXPECT_EQ(last.repeat(10, regs), LastWalk::Repeat::kLeft);
  EXPECT_EQ(regs.ip, 0x1000U);
  EXPECT_FALSE(last.find({0x1000, 0x7000, 0x7100}, 0));
}

TEST_F(LastWalkTest, ForgetsWhenTheTablesChange) {
  LastWalk last{};
  const FrameRegisters entry{0x1000, 0x7000, 5};
  last.begin(1);
  last.stage(step_at(entry, 11));
  last.set_outermost();
  last.end(entry, false);
  last.begin(1);
  EXPECT_TRUE(last.find(entry, 0));
  last.begin(2);
  EXPECT_FALSE(last.find(entry, 0));
}

// Two walks with the same return addresses at first, of which one reads a saved rbp in between,
// since a frame further out needs it: the one that hangs below the other must have that word
// compared.
TEST_F(LastWalkTest, ComparesAWordThatTheWalkAboveItInTheTreeDidNotRead) {
  // The innermost frame has saved rbp in words[0]; the callers return to words[1], [3], [5] and
  // [7].
  std::uint64_t words[8] = {0xb0, 0x2000, 0, 0x3000, 0, 0x4000, 0, 0x5000};
  const auto base = reinterpret_cast<std::uint64_t>(words);
  const FrameRegisters entry{0x1000, base, 5};
  Predictions predictions{};
  const auto walk_and_add = [&](bool outer_uses_bp, std::uint32_t value) {
    LastWalk last{};
    last.begin(1);
    last.stage(step_at(entry, 11));
    last.set_caller(true, base);
    for (unsigned i = 1; i < 8; i += 2) {
      WalkStep step = step_at({words[i], base + std::uint64_t{8} * i + 8, words[0]}, i);
      step.uses_bp = outer_uses_bp && i == 5;
      last.stage(step);
      if (i < 7) {
        last.set_caller(true, 0);
      }
    }
    last.set_outermost();
    last.end(entry, false);
    predictions.find(entry, 1);
    ASSERT_TRUE(predictions.add(entry, last, value));
  };
  walk_and_add(false, 7);
  words[5] = 0x4444;
  walk_and_add(true, 8);
  EXPECT_EQ(predictions.find(entry, 1).value, 8U);
  words[0] = 0xb1;  // rbp, where only the second walk looks
  EXPECT_EQ(predictions.find_latest(entry, 1), 0U);
  EXPECT_NE(predictions.find(entry, 1).outcome, Predictions::Outcome::kHit);
  words[5] = 0x4000;
  EXPECT_EQ(predictions.find(entry, 1).value, 7U);
}

// More walks than there is room for: what is found is still right.
TEST_F(LastWalkTest, PredictsRightlyWhenThePredictionsAreFull) {
  Comparison comparison;
  while (comparison.captures < 100'000) {
    comparison.max_depth = 60;
    wander<2>(comparison, 45);
  }
  EXPECT_GT(comparison.stacks.size(), 20'000U);
  EXPECT_EQ(comparison.differences, 0U);
  EXPECT_EQ(comparison.wrongly_predicted, 0U);
}

}  // namespace
}  // namespace seep::stack
