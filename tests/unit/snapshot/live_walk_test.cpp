#include "preload/snapshot/live_walk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "tests/unit/snapshot/fixture.h"

namespace seep::snapshot {
namespace {

constexpr std::uint32_t kNow = 1'000'000;
constexpr std::uint32_t kNoFork = 0;

struct Age {
  std::uint32_t age_class;
  std::uint64_t blocks;
  std::uint64_t bytes;
  bool operator==(const Age&) const = default;
};

std::vector<Age> ages_of(const LiveWalk& walk, std::uint32_t site) {
  std::vector<Age> ages;
  for (const AgeTally* age = walk.ages(site); age != nullptr; age = walk.next(*age)) {
    ages.push_back({age->age_class, age->blocks, age->bytes});
  }
  return ages;
}

TEST(LiveWalk, OfNothingIsZero) {
  FilledTables filled;
  LiveWalk walk(kNow, kNoFork);
  ASSERT_TRUE(walk.run(filled.tables()));
  EXPECT_EQ(walk.live_blocks(), 0U);
  EXPECT_EQ(walk.live_bytes(), 0U);
  EXPECT_EQ(walk.site_count(), 1U);
}

TEST(LiveWalk, SumsBlocksAndMapsBySite) {
  FilledTables filled;
  const std::uint32_t first = filled.add_site({0x10, 0x20});
  const std::uint32_t second = filled.add_site({0x11, 0x20});
  const std::uint32_t map = filled.add_site({0x10, 0x20}, format::SiteKind::kMmap);
  filled.add_blocks(first, kNow, 100, 3);
  filled.add_blocks(second, kNow, 7, 2);
  filled.add_blocks(first, kNow, 5);
  filled.add_map(map, kNow, 8192);
  LiveWalk walk(kNow, kNoFork);
  ASSERT_TRUE(walk.run(filled.tables()));
  EXPECT_EQ(walk.tally(first).live_blocks, 4U);
  EXPECT_EQ(walk.tally(first).live_bytes, 305U);
  EXPECT_EQ(walk.tally(second).live_blocks, 2U);
  EXPECT_EQ(walk.tally(second).live_bytes, 14U);
  EXPECT_EQ(walk.tally(map).live_blocks, 1U);
  EXPECT_EQ(walk.tally(map).live_bytes, 8192U);
  EXPECT_EQ(walk.live_blocks(), 7U);
  EXPECT_EQ(walk.live_bytes(), 305U + 14 + 8192);
  EXPECT_EQ(walk.mmap_bytes(), 8192U);
}

TEST(LiveWalk, ABlockCountsForWhatObjectsOfAPoolLeaveOfIt) {
  FilledTables filled;
  const std::uint32_t arena = filled.add_site({0x10});
  const std::uint32_t map = filled.add_site({0x10}, format::SiteKind::kMmap);
  const std::uint32_t object = filled.add_site({0x30});
  filled.add_blocks(arena, kNow, 10'000);
  filled.add_map(map, kNow, 8192);
  table::Block old;
  // At its begin, in its middle, and one that reaches beyond its end by 500 bytes.
  for (const std::uintptr_t offset : {0, 4096, 9'600}) {
    filled.tables().pools.insert({FilledTables::kHeap + offset, 900, object, kNow - 100, true},
                                 old);
  }
  filled.tables().pools.insert({FilledTables::kMaps + 4000, 200, object, kNow, true}, old);
  filled.tables().pools.insert({0x1000, 50, object, kNow, true}, old);  // elsewhere
  LiveWalk walk(kNow, kNoFork);
  ASSERT_TRUE(walk.run(filled.tables()));
  EXPECT_EQ(walk.tally(arena).live_blocks, 1U);
  EXPECT_EQ(walk.tally(arena).live_bytes, 10'000U - 900 - 900 - 400);
  EXPECT_EQ(walk.tally(map).live_bytes, 8192U - 200);
  EXPECT_EQ(walk.tally(object).live_blocks, 5U);
  EXPECT_EQ(walk.tally(object).live_bytes, 3 * 900U + 200 + 50);
  EXPECT_EQ(walk.tally(object).oldest_birth, kNow - 100);
  EXPECT_EQ(walk.live_bytes(), 10'000U + 8192 + 500 + 50);
}

// Class 0 ends at 64 ms, which are four ticks; each later class is twice as long.
TEST(LiveWalk, SortsBlocksIntoAgeClassesYoungestFirst) {
  FilledTables filled;
  const std::uint32_t site = filled.add_site({0x10});
  filled.add_blocks(site, kNow - 4096, 1);     // 65,536 ms = 64·2^10: the first of class 11
  filled.add_blocks(site, kNow - 3, 10);       // 48 ms
  filled.add_blocks(site, kNow - 4, 100);      // 64 ms
  filled.add_blocks(site, kNow - 7, 1000, 2);  // 112 ms
  filled.add_blocks(site, kNow - 8, 10000);    // 128 ms
  filled.add_blocks(site, kNow - 4095, 1);     // 65,520 ms
  LiveWalk walk(kNow, kNoFork);
  ASSERT_TRUE(walk.run(filled.tables()));
  EXPECT_EQ(ages_of(walk, site),
            (std::vector<Age>{{0, 1, 10}, {1, 3, 2100}, {2, 1, 10000}, {10, 1, 1}, {11, 1, 1}}));
  EXPECT_EQ(walk.tally(site).oldest_birth, kNow - 4096);
}

// Another thread may have looked at the clock after this snapshot's moment was fixed.
TEST(LiveWalk, TakesABlockBornAfterItsMomentForANewOne) {
  FilledTables filled;
  const std::uint32_t site = filled.add_site({0x10});
  filled.add_blocks(site, kNow + 5, 10);
  LiveWalk walk(kNow, kNoFork);
  ASSERT_TRUE(walk.run(filled.tables()));
  EXPECT_EQ(ages_of(walk, site), (std::vector<Age>{{0, 1, 10}}));
}

TEST(LiveWalk, TakesWhatIsOlderThanTheForkForInherited) {
  FilledTables filled;
  const std::uint32_t site = filled.add_site({0x10});
  filled.add_blocks(site, 99, 10, 2);
  filled.add_blocks(site, 100, 50);
  filled.add_blocks(site, 101, 70);
  LiveWalk walk(kNow, 100);
  ASSERT_TRUE(walk.run(filled.tables()));
  EXPECT_EQ(walk.tally(site).inherited_blocks, 2U);
  EXPECT_EQ(walk.tally(site).inherited_bytes, 20U);
  EXPECT_EQ(walk.tally(site).live_blocks, 4U);
}

TEST(LiveWalk, KeepsEveryAgeClassOfEverySiteApart) {
  FilledTables filled;
  constexpr std::uint32_t kSites = 200;
  constexpr std::uint32_t kClasses = 19;
  for (std::uint32_t i = 0; i < kSites; ++i) {
    const std::uint32_t site = filled.add_site({0x1000 + i});
    for (std::uint32_t age = kClasses; age-- != 0;) {
      const std::uint32_t ticks = age == 0 ? 0 : 4U << (age - 1);
      filled.add_blocks(site, kNow - ticks, site, age + 1);
    }
  }
  LiveWalk walk(kNow, kNoFork);
  ASSERT_TRUE(walk.run(filled.tables()));
  for (std::uint32_t site = 1; site <= kSites; ++site) {
    std::vector<Age> expected;
    for (std::uint32_t age = 0; age < kClasses; ++age) {
      expected.push_back({age, age + 1, std::uint64_t{site} * (age + 1)});
    }
    ASSERT_EQ(ages_of(walk, site), expected) << site;
  }
}

// Every live block was recorded with the chance p and counts as 1/p; maps are not sampled.
TEST(LiveWalk, TakesNothingFromWhatWasInItsRoom) {
  FilledTables filled;
  const std::uint32_t site = filled.add_site({0x10});
  filled.add_blocks(site, kNow, 10, 2);
  alignas(64) char room[16384];
  for (const std::uint64_t sample_bytes : {0, 4096}) {
    std::memset(room, 0x5A, sizeof(room));
    LiveWalk walk(kNow, kNoFork, sample_bytes);
    ASSERT_TRUE(walk.run(filled.tables(), {room, sizeof(room)}));
    const auto* tally = reinterpret_cast<const char*>(&walk.tally(site));
    EXPECT_TRUE(tally >= room && tally < room + sizeof(room)) << "it was offered enough";
    EXPECT_EQ(walk.tally(0).live_blocks, 0U);
    EXPECT_EQ(walk.tally(site).inherited_blocks, 0U);
    EXPECT_EQ(walk.births(site).blocks, 2U);
    EXPECT_EQ(ages_of(walk, site).size(), 1U);
    if (sample_bytes != 0) {
      EXPECT_EQ(walk.estimates()[site].sampled_blocks, 2U);
    }
  }
}

TEST(LiveWalk, FindsRoomOfItsOwnWhereItNeedsMore) {
  FilledTables filled;
  const std::uint32_t site = filled.add_site({0x10});
  filled.add_blocks(site, kNow, 10, 2);
  alignas(64) char room[64] = {};
  LiveWalk walk(kNow, kNoFork);
  ASSERT_TRUE(walk.run(filled.tables(), {room, sizeof(room)}));
  EXPECT_EQ(walk.tally(site).live_blocks, 2U);
  EXPECT_TRUE(std::all_of(room, room + sizeof(room), [](char c) { return c == 0; }));
}

TEST(LiveWalk, WeighsSampledBlocks) {
  constexpr std::uint64_t kMean = 4096;
  FilledTables filled;
  const std::uint32_t small = filled.add_site({0x10});
  const std::uint32_t large = filled.add_site({0x11});
  const std::uint32_t map = filled.add_site({0x12}, format::SiteKind::kMmap);
  filled.add_blocks(small, kNow - 3, 64, 10);
  filled.add_blocks(small, 50, 64, 5);
  filled.add_blocks(large, kNow, 1 << 20, 2);
  filled.add_map(map, kNow, 8192);
  LiveWalk walk(kNow, 100, kMean);
  ASSERT_TRUE(walk.run(filled.tables()));
  const double p = -std::expm1(-64.0 / kMean);
  EXPECT_NEAR(static_cast<double>(walk.tally(small).live_blocks), 15 / p, 0.6);
  EXPECT_NEAR(static_cast<double>(walk.tally(small).live_bytes), 15 * 64 / p, 1);
  EXPECT_NEAR(static_cast<double>(walk.tally(small).inherited_blocks), 5 / p, 0.6);
  EXPECT_NEAR(static_cast<double>(ages_of(walk, small)[0].blocks), 10 / p, 0.6);
  EXPECT_EQ(walk.tally(large).live_blocks, 2U) << "a block of many means is certain";
  EXPECT_EQ(walk.tally(large).live_bytes, 2U << 20);
  EXPECT_EQ(walk.tally(map).live_blocks, 1U);
  EXPECT_EQ(walk.live_blocks(), walk.tally(small).live_blocks + 3);
  EXPECT_EQ(walk.mmap_bytes(), 8192U);
  ASSERT_NE(walk.estimates(), nullptr);
  EXPECT_EQ(walk.estimates()[small].sampled_blocks, 15U);
  EXPECT_NEAR(walk.estimates()[small].variance.bytes, 15 * 64 * 64 * (1 - p) / (p * p), 1);
  EXPECT_EQ(walk.estimates()[map].sampled_blocks, 0U);
}

TEST(LiveWalk, HasNoEstimatesInExactMode) {
  FilledTables filled;
  LiveWalk walk(kNow, kNoFork);
  ASSERT_TRUE(walk.run(filled.tables()));
  EXPECT_EQ(walk.estimates(), nullptr);
}

// A signal handler may take a snapshot above the holder of the range table.
TEST(LiveWalk, CountsALossWhenTheMapsCannotBeRead) {
  FilledTables filled;
  filled.add_map(filled.add_site({0x10}, format::SiteKind::kMmap), 0, 4096);
  auto& lost = recorder::g_losses[static_cast<std::uint32_t>(format::Loss::maps_not_recorded)];
  const std::uint64_t before = lost;
  filled.tables().ranges.walk([&](const table::Range&) {
    LiveWalk walk(kNow, kNoFork);
    EXPECT_TRUE(walk.run(filled.tables()));
    EXPECT_EQ(walk.live_blocks(), 0U);
  });
  EXPECT_EQ(lost, before + 1);
}

}  // namespace
}  // namespace seep::snapshot
