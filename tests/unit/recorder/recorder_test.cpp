// Events as the hooks report them, and what the tables then say. The addresses are made up: the
// recorder never looks at a block.
#include "preload/recorder/recorder.h"

#include <gtest/gtest.h>

#include <csetjmp>
#include <map>
#include <vector>

#include "preload/recorder/thread_cache.h"
#include "preload/stack/capture.h"
#include "preload/stack/modules.h"

namespace seep::recorder {
namespace {

void* pointer(std::uintptr_t address) {
  return reinterpret_cast<void*>(address);
}

// As a hook does it: the call is the innermost frame.
[[gnu::noinline]] void allocate(void* block, std::size_t size) {
  record_allocation(block, size, caller_of_hook());
  __asm__ volatile("");  // no tail call
}

[[gnu::noinline]] void map(void* begin, std::size_t bytes) {
  record_map(begin, bytes, caller_of_hook());
  __asm__ volatile("");
}

std::uint64_t lost(format::Loss loss) {
  return g_losses[static_cast<std::uint32_t>(loss)];
}

unsigned g_looks = 0;

// All tests share the recorder, which is one for the process; each leaves it without live blocks.
class Recorder : public testing::Test {
 protected:
  static constexpr std::uintptr_t kHeap = 0x10'0000;
  static constexpr std::uintptr_t kMap = 0x7000'0000;
  static constexpr std::size_t kPage = 4096;

  Recorder() {
    stack::set_skip_own_module(false);
    stack::refresh_modules();
    g_clock.start();
    Config config;
    config.on_look = [](std::uint64_t) { ++g_looks; };
    start_recording(config);
  }
  ~Recorder() override {
    for (const auto& [address, block] : blocks()) {
      record_release(pointer(address));
    }
    record_unmap(pointer(kMap), 1000 * kPage);
    set_mode(Mode::kDormant);
  }

  static std::map<std::uintptr_t, table::Block> blocks() {
    std::map<std::uintptr_t, table::Block> blocks;
    g_tables.blocks.walk([&](const table::Block& block) { blocks[block.address] = block; });
    return blocks;
  }
  static std::map<std::uintptr_t, table::Range> maps() {
    std::map<std::uintptr_t, table::Range> maps;
    g_tables.ranges.walk([&](const table::Range& range) { maps[range.begin] = range; });
    return maps;
  }
  static Births births_of(std::uint32_t site) {
    std::vector<Births> births(g_tables.sites.count());
    births_of_sites(g_tables.sites, births.data(), static_cast<std::uint32_t>(births.size()));
    return births.at(site);
  }
  static std::uint64_t births(std::uint32_t site) { return births_of(site).blocks; }
  static std::uint64_t born_bytes(std::uint32_t site) { return births_of(site).bytes; }
};

// A signal handler's event came between a thread's look at its count and the counting.
TEST_F(Recorder, LooksAtTheClockWhereAHandlerTookTheLastCall) {
  for (const int left : {0, -1, -2}) {
    allocate(pointer(kHeap), 20);
    t_thread.calls_to_look = left;
    unsigned before = g_looks;
    record_release(pointer(kHeap));
    EXPECT_EQ(g_looks, before + 1);
    t_thread.calls_to_look = left;
    before = g_looks;
    allocate(pointer(kHeap), 20);
    EXPECT_EQ(g_looks, before + 1);
    record_release(pointer(kHeap));
  }
}

TEST_F(Recorder, RecordsMapsAloneWhereTheHeapIsNotTracked) {
  Config config;
  config.track_heap = false;
  start_recording(config);
  const std::uint64_t before = lost(format::Loss::foreign_free);
  allocate(pointer(kHeap), 20);
  EXPECT_TRUE(blocks().empty());
  record_release(pointer(kHeap));
  record_map(pointer(kMap), kPage, caller_of_hook());
  EXPECT_EQ(maps().size(), 1U);
  record_unmap(pointer(kMap), kPage);
  EXPECT_EQ(lost(format::Loss::foreign_free), before);
}

// Blocks of 16 bytes side by side, as another allocator's operator new makes them.
TEST_F(Recorder, KeepsForeignBlocksApart) {
  g_tables.blocks.allow_dense_pages(true);
  constexpr std::uintptr_t kBlocks = 2'000;
  const std::uint64_t before = lost(format::Loss::missed_free);
  for (std::uintptr_t i = 0; i < kBlocks; ++i) {
    record_foreign_allocation(pointer(kHeap + i * 16), 16, caller_of_hook());
  }
  EXPECT_EQ(blocks().size(), kBlocks);
  EXPECT_EQ(lost(format::Loss::missed_free), before);
  g_tables.blocks.allow_dense_pages(false);
}

TEST_F(Recorder, KnowsABlockFromItsAllocationToItsRelease) {
  allocate(pointer(kHeap), 100);
  ASSERT_EQ(blocks().size(), 1U);
  EXPECT_EQ(blocks()[kHeap].size, 100U);
  record_release(pointer(kHeap));
  EXPECT_TRUE(blocks().empty());
}

TEST_F(Recorder, GivesOneCallPathOneSiteAndCountsItsBirths) {
  for (std::uintptr_t i = 0; i < 10; ++i) {
    allocate(pointer(kHeap + i * 32), 20);
  }
  const std::uint32_t site = blocks()[kHeap].site;
  for (const auto& [address, block] : blocks()) {
    EXPECT_EQ(block.site, site);
  }
  EXPECT_EQ(births(site), 10U);
  EXPECT_EQ(born_bytes(site), 200U);
  allocate(pointer(kHeap + 0x1000), 20);
  EXPECT_NE(blocks()[kHeap + 0x1000].site, site);
}

TEST_F(Recorder, IgnoresNullAndWhatHappensWhileItIsStopped) {
  allocate(nullptr, 10);
  record_release(nullptr);
  set_mode(Mode::kDormant);
  allocate(pointer(kHeap), 10);
  EXPECT_TRUE(blocks().empty());
}

TEST_F(Recorder, CountsTheReleaseOfABlockThatItNeverSaw) {
  const std::uint64_t before = lost(format::Loss::foreign_free);
  record_release(pointer(kHeap));
  EXPECT_EQ(lost(format::Loss::foreign_free), before + 1);
}

TEST_F(Recorder, CountsAReleaseThatItMissed) {
  allocate(pointer(kHeap), 10);
  const std::uint64_t before = lost(format::Loss::missed_free);
  allocate(pointer(kHeap), 20);
  EXPECT_EQ(lost(format::Loss::missed_free), before + 1);
  EXPECT_EQ(blocks()[kHeap].size, 20U);
}

// operator new of a foreign allocator may call malloc: the outer hook takes the block over.
TEST_F(Recorder, CountsANestedAllocationOnceAtTheOuterCall) {
  const std::uint64_t missed = lost(format::Loss::missed_free);
  std::uint32_t inner = 0;
  {
    const AllocatorGuard guard;
    allocate(pointer(kHeap), 16);
    inner = blocks()[kHeap].site;
  }
  allocate(pointer(kHeap), 10);
  EXPECT_EQ(births(inner), 0U);
  EXPECT_EQ(born_bytes(inner), 0U);
  EXPECT_EQ(births(blocks()[kHeap].site), 1U);
  EXPECT_EQ(blocks()[kHeap].size, 10U);
  EXPECT_EQ(lost(format::Loss::missed_free), missed);
}

TEST_F(Recorder, FollowsABlockThatReallocMoves) {
  allocate(pointer(kHeap), 10);
  const Moving moving = begin_move(pointer(kHeap));
  EXPECT_TRUE(moving.known);
  EXPECT_EQ(blocks().size(), 1U);  // alive to a snapshot that is taken now
  end_move(moving, pointer(kHeap + 64), 50, false, caller_of_hook());
  ASSERT_EQ(blocks().size(), 1U);
  EXPECT_EQ(blocks()[kHeap + 64].size, 50U);
}

TEST_F(Recorder, KeepsABlockThatReallocGrowsInPlaceOrLeaves) {
  allocate(pointer(kHeap), 10);
  const std::uint64_t missed = lost(format::Loss::missed_free);
  end_move(begin_move(pointer(kHeap)), pointer(kHeap), 30, false, caller_of_hook());
  EXPECT_EQ(blocks()[kHeap].size, 30U);
  end_move(begin_move(pointer(kHeap)), nullptr, 1 << 30, false, caller_of_hook());
  EXPECT_EQ(blocks()[kHeap].size, 30U);
  EXPECT_EQ(lost(format::Loss::missed_free), missed);
}

TEST_F(Recorder, ForgetsABlockThatReallocToZeroFrees) {
  allocate(pointer(kHeap), 10);
  end_move(begin_move(pointer(kHeap)), nullptr, 0, true, caller_of_hook());
  EXPECT_TRUE(blocks().empty());
}

TEST_F(Recorder, CountsABlockOfReallocThatItNeverSaw) {
  const std::uint64_t before = lost(format::Loss::foreign_free);
  end_move(begin_move(pointer(kHeap)), pointer(kHeap + 64), 50, false, caller_of_hook());
  EXPECT_EQ(lost(format::Loss::foreign_free), before + 1);
  EXPECT_EQ(blocks().size(), 1U);
}

TEST_F(Recorder, CountsAddressesThatNoHeapHas) {
  const std::uint64_t before = lost(format::Loss::address_out_of_range);
  allocate(pointer(std::uintptr_t{1} << 50), 10);
  EXPECT_EQ(lost(format::Loss::address_out_of_range), before + 1);
}

TEST_F(Recorder, CutsMapsAndNeverHasMoreAliveThanBorn) {
  record_map(pointer(kMap), 10 * kPage, caller_of_hook());
  const std::uint32_t site = maps()[kMap].site;
  const std::uint64_t before = births(site);
  record_unmap(pointer(kMap + 2 * kPage), kPage);
  ASSERT_EQ(maps().size(), 2U);
  EXPECT_EQ(maps()[kMap].end, kMap + 2 * kPage);
  EXPECT_EQ(maps()[kMap + 3 * kPage].end, kMap + 10 * kPage);
  EXPECT_EQ(births(site), before + 1);
}

TEST_F(Recorder, MovesAMapWithItsSite) {
  record_map(pointer(kMap), 4 * kPage, caller_of_hook());
  const std::uint32_t site = maps()[kMap].site;
  const std::uint64_t bytes = born_bytes(site);
  end_remap(begin_remap(pointer(kMap), 4 * kPage), pointer(kMap + 100 * kPage), 6 * kPage);
  ASSERT_EQ(maps().size(), 1U);
  EXPECT_EQ(maps()[kMap + 100 * kPage].end, kMap + 106 * kPage);
  EXPECT_EQ(maps()[kMap + 100 * kPage].site, site);
  EXPECT_EQ(born_bytes(site), bytes + 2 * kPage);
}

TEST_F(Recorder, LeavesAMapWhereMremapFailed) {
  record_map(pointer(kMap), 4 * kPage, caller_of_hook());
  end_remap(begin_remap(pointer(kMap), 4 * kPage), nullptr, 6 * kPage);
  ASSERT_EQ(maps().size(), 1U);
  EXPECT_EQ(maps()[kMap].end, kMap + 4 * kPage);
}

TEST_F(Recorder, LeavesOutWhatTheAllocatorMaps) {
  const AllocatorGuard guard;
  map(pointer(kMap), kPage);
  EXPECT_TRUE(maps().empty());
}

[[gnu::noinline]] void leave_by_longjmp(std::jmp_buf& back) {
  volatile char room[8192];  // the guard lies below all that is called afterwards
  room[0] = 0;
  const AllocatorGuard guard;
  std::longjmp(back, room[0] + 1);
}

TEST_F(Recorder, TakesAGuardThatWasJumpedOverForStale) {
  std::jmp_buf back;
  if (setjmp(back) == 0) {
    leave_by_longjmp(back);
  }
  EXPECT_FALSE(AllocatorGuard::active(caller_of_hook()));
  EXPECT_FALSE(AllocatorGuard::active_around());
}

// Frames without a guard lie where that one was.
[[gnu::noinline]] bool is_active_below() {
  volatile char room[16384];
  room[0] = 0;
  return (AllocatorGuard::active(caller_of_hook()) && AllocatorGuard::active_around()) ||
         room[0] != 0;
}

// A frame of the library's lies around the guard, as long as the calls are deeper than it.
TEST_F(Recorder, TakesAGuardForActiveFromBelow) {
  const AllocatorGuard guard;
  EXPECT_TRUE(is_active_below());
}

TEST_F(Recorder, LooksAtTheClockOnceInSoManyEvents) {
  allocate(pointer(kHeap), 1);
  g_looks = 0;
  for (unsigned i = 0; i < 10 * kCallsPerLook; ++i) {
    record_release(pointer(kHeap));
    allocate(pointer(kHeap), 1);
  }
  EXPECT_GE(g_looks, 19U);
  EXPECT_LE(g_looks, 21U);
}

TEST_F(Recorder, TellsWhatIsBornAfterAForkFromWhatWasBornBefore) {
  allocate(pointer(kHeap), 1);
  const std::uint32_t fork_tick = recover_after_fork(/*alone=*/true);  // as the child does
  allocate(pointer(kHeap + 64), 1);
  EXPECT_LT(blocks()[kHeap].birth, fork_tick);
  EXPECT_GE(blocks()[kHeap + 64].birth, fork_tick);
  record_map(pointer(kMap), kPage, caller_of_hook());  // the lock is free again
  EXPECT_EQ(maps().size(), 1U);
}

}  // namespace
}  // namespace seep::recorder
