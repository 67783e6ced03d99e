// Sample mode: events as the hooks report them, and what the tables then say. Chance is taken out:
// the test decides which allocation holds a sample point.
#include "preload/recorder/sampled.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "preload/recorder/recorder.h"
#include "preload/runtime/real_math.h"
#include "preload/stack/capture.h"
#include "preload/stack/modules.h"

namespace seep::recorder {
namespace {

constexpr std::uint64_t kMean = 65536;
constexpr std::uintptr_t kHeap = 0x10'0000;

void* pointer(std::uintptr_t address) {
  return reinterpret_cast<void*>(address);
}

std::uint64_t lost(format::Loss loss) {
  return g_losses[static_cast<std::uint32_t>(loss)];
}

void next_is_sampled() {
  t_countdown.drawn = true;
  t_countdown.left = 0;
  t_countdown.beyond = 0;
}
void next_is_not() {
  t_countdown.drawn = true;
  t_countdown.left = std::int64_t{1} << 40;
  t_countdown.beyond = 0;
}

unsigned g_looks = 0;

// All tests share the recorder, which is one for the process; each leaves it without live blocks.
class Sampled : public testing::Test {
 protected:
  Sampled() {
    stack::set_skip_own_module(false);
    stack::refresh_modules();
    g_clock.start();
    Config config;
    config.mode = Mode::kSample;
    config.sample_bytes = kMean;
    config.on_look = [](std::uint64_t) { ++g_looks; };
    start_recording(config);
  }
  ~Sampled() override {
    for (const auto& [address, block] : blocks()) {
      record_release(pointer(address));
    }
    EXPECT_TRUE(blocks().empty());
    set_mode(Mode::kDormant);
  }

  // As a hook does it: a frame of its own.
  [[gnu::noinline]] static void allocate(std::uintptr_t address, std::size_t size, bool sampled) {
    sampled ? next_is_sampled() : next_is_not();
    record_allocation(pointer(address), size, caller_of_hook());
    __asm__ volatile("");  // no tail call
  }
  static Moving move(std::uintptr_t from, std::uintptr_t to, std::size_t size, bool sampled) {
    const Moving moving = begin_move(pointer(from));
    sampled ? next_is_sampled() : next_is_not();
    end_move(moving, pointer(to), size, /*released=*/false, caller_of_hook());
    return moving;
  }

  static std::map<std::uintptr_t, table::Block> blocks() {
    std::map<std::uintptr_t, table::Block> blocks;
    g_tables.blocks.walk([&](const table::Block& block) { blocks[block.address] = block; });
    return blocks;
  }
};

TEST_F(Sampled, KnowsASampledBlockUntilItsRelease) {
  allocate(kHeap, 100, true);
  ASSERT_EQ(blocks().size(), 1U);
  EXPECT_EQ(blocks()[kHeap].size, 100U);
  EXPECT_TRUE(g_filter.may_hold(kHeap));
  record_release(pointer(kHeap));
  EXPECT_TRUE(blocks().empty());
  EXPECT_FALSE(g_filter.may_hold(kHeap));
}

TEST_F(Sampled, LeavesOtherBlocksAlone) {
  const std::uint64_t before = lost(format::Loss::foreign_free);
  allocate(kHeap, 100, false);
  EXPECT_TRUE(blocks().empty());
  record_release(pointer(kHeap));
  EXPECT_EQ(lost(format::Loss::foreign_free), before) << "not recorded is not lost";
}

// A neighbour shares the counter of the filter: the table tells them apart.
TEST_F(Sampled, ANeighboursReleaseTakesNothingOut) {
  allocate(kHeap, 100, true);
  allocate(kHeap + 112, 100, false);
  record_release(pointer(kHeap + 112));
  EXPECT_EQ(blocks().size(), 1U);
  EXPECT_TRUE(g_filter.may_hold(kHeap));
}

TEST_F(Sampled, BirthsAreCountedByTheirWeight) {
  std::uint64_t born_blocks = 0;
  std::uint64_t born_bytes = 0;
  for (const std::uintptr_t address : {kHeap, kHeap + 0x1000}) {  // two, at one site
    allocate(address, 100, true);
    const table::SiteEntry& site = g_tables.sites.site(blocks()[address].site);
    born_blocks = site.allocated_blocks - born_blocks;
    born_bytes = site.allocated_bytes - born_bytes;
  }
  const double p = -std::expm1(-100.0 / kMean);
  EXPECT_NEAR(static_cast<double>(whole_blocks(born_blocks)), 1 / p, 0.6);
  EXPECT_NEAR(static_cast<double>(whole_bytes(born_bytes)), 100 / p, 0.6);
}

// realloc is a release and an allocation: each of the four cases, moved and in place.
TEST_F(Sampled, ReallocKeepsFilterAndTableTogether) {
  for (const std::uintptr_t to : {kHeap, kHeap + 0x4000}) {
    for (const bool before : {false, true}) {
      for (const bool after : {false, true}) {
        allocate(kHeap, 100, before);
        EXPECT_EQ(move(kHeap, to, 200, after).known, before);
        EXPECT_EQ(blocks().size(), after ? 1U : 0U) << to << before << after;
        EXPECT_EQ(g_filter.may_hold(to), after) << to << before << after;
        if (after) {
          EXPECT_EQ(blocks()[to].size, 200U);
        }
        record_release(pointer(to));
        EXPECT_TRUE(blocks().empty());
        EXPECT_FALSE(g_filter.may_hold(kHeap));
        EXPECT_FALSE(g_filter.may_hold(to));
      }
    }
  }
}

TEST_F(Sampled, AFailedReallocChangesNothing) {
  allocate(kHeap, 100, true);
  const Moving moving = begin_move(pointer(kHeap));
  end_move(moving, nullptr, 200, /*released=*/false, caller_of_hook());
  EXPECT_EQ(blocks()[kHeap].size, 100U);
  record_release(pointer(kHeap));
  EXPECT_TRUE(blocks().empty());
}

TEST_F(Sampled, AMissedReleaseIsCountedAndLeavesNoTrace) {
  allocate(kHeap, 100, true);
  const std::uint64_t before = lost(format::Loss::missed_free);
  allocate(kHeap, 300, true);
  EXPECT_EQ(lost(format::Loss::missed_free), before + 1);
  EXPECT_EQ(blocks()[kHeap].size, 300U);
  record_release(pointer(kHeap));
  EXPECT_FALSE(g_filter.may_hold(kHeap));
}

// Below a hook of another form the outer one decides, once.
TEST_F(Sampled, AHookBelowAnotherRecordsNothing) {
  {
    const AllocatorGuard guard;
    allocate(kHeap, 100, true);
  }
  EXPECT_TRUE(blocks().empty());
  allocate(kHeap, 100, true);
  EXPECT_EQ(blocks().size(), 1U);
}

TEST_F(Sampled, ReleasesAreSeenWhilePaused) {
  allocate(kHeap, 100, true);
  set_mode(Mode::kReleasesOnly);
  allocate(kHeap + 0x8000, 100, true);
  EXPECT_EQ(blocks().size(), 1U);
  record_release(pointer(kHeap));
  EXPECT_TRUE(blocks().empty());
  EXPECT_FALSE(g_filter.may_hold(kHeap));
}

// A busy thread looks every so many bytes; one that was idle looks at its first allocation.
TEST_F(Sampled, LooksAtTheClockByBytes) {
  restart_sampled();
  const unsigned before = g_looks;
  for (int i = 0; i < 100000; ++i) {
    record_allocation(pointer(kHeap), 16, caller_of_hook());
    record_release(pointer(kHeap));
  }
  EXPECT_GT(g_looks - before, 100000U * 16 / 65536);
  EXPECT_LT(g_looks - before, 100000U * 16 / 2048);
}

TEST_F(Sampled, AChildLooksAtItsFirstAllocation) {
  next_is_not();
  recover_after_fork(/*alone=*/true);
  const unsigned before = g_looks;
  record_allocation(pointer(kHeap), 16, caller_of_hook());
  EXPECT_EQ(g_looks, before + 1);
}

}  // namespace
}  // namespace seep::recorder
