#include "preload/table/address_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "preload/runtime/arena.h"

namespace seep::table {
namespace {

constexpr std::uintptr_t kHeap = 0x5555'0000'0000;

// The tables are made for static storage: a megabyte of roots is too much for a test's stack.
std::unique_ptr<AddressTable> make_table() {
  return std::make_unique<AddressTable>();
}

bool take(AddressTable& table, std::uintptr_t address, Block& old) {
  return table.look_up(address, old) && table.remove(address);
}

std::vector<Block> blocks_of(const AddressTable& table) {
  std::vector<Block> blocks;
  table.walk([&](const Block& block) { blocks.push_back(block); });
  return blocks;
}

bool contains(const AddressTable& table, std::uintptr_t address) {
  const auto blocks = blocks_of(table);
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](const Block& block) { return block.address == address; });
}

TEST(AddressTable, WalksTheBlocksThatBeginInARange) {
  const auto table = make_table();
  EXPECT_FALSE(table->was_used());
  Block old;
  // In the same page, in the next, in another group of pages, and in another region.
  const std::vector<std::uintptr_t> places = {kHeap + 0x10, kHeap + 0xFF0, kHeap + 0x1000,
                                              kHeap + 0x300'0000, kHeap + 0x8000'0000};
  for (const std::uintptr_t place : places) {
    table->insert({place, 100, 7, 42, true}, old);
  }
  EXPECT_TRUE(table->was_used());
  const auto seen = [&](std::uintptr_t begin, std::uintptr_t end) {
    std::vector<std::uintptr_t> found;
    table->walk_range(begin, end, [&](const Block& block) { found.push_back(block.address); });
    std::sort(found.begin(), found.end());
    return found;
  };
  EXPECT_EQ(seen(0, UINTPTR_MAX), places);
  EXPECT_EQ(seen(kHeap + 0x11, kHeap + 0x300'0000),
            (std::vector<std::uintptr_t>{places[1], places[2]}));
  EXPECT_EQ(seen(kHeap + 0x300'0000, kHeap + 0x300'0001), (std::vector{places[3]}));
  EXPECT_TRUE(seen(kHeap + 0x10, kHeap + 0x10).empty());
  EXPECT_TRUE(seen(std::uintptr_t{1} << 47, UINTPTR_MAX).empty());
}

TEST(AddressTable, GivesBackWhatWasInserted) {
  const auto table = make_table();
  Block old;
  EXPECT_EQ(table->insert({kHeap + 0x10, 100, 7, 42}, old), Insert::kNew);
  ASSERT_EQ(blocks_of(*table).size(), 1U);
  ASSERT_TRUE(take(*table, kHeap + 0x10, old));
  EXPECT_EQ(old.address, kHeap + 0x10);
  EXPECT_EQ(old.size, 100U);
  EXPECT_EQ(old.site, 7U);
  EXPECT_EQ(old.birth, 42U);
  EXPECT_TRUE(blocks_of(*table).empty());
}

TEST(AddressTable, ForgetsABlockOnce) {
  const auto table = make_table();
  Block old;
  table->insert({kHeap, 1, 1, 0}, old);
  EXPECT_TRUE(take(*table, kHeap, old));
  EXPECT_FALSE(take(*table, kHeap, old));
  EXPECT_FALSE(take(*table, kHeap + 0x1000'0000, old));
}

TEST(AddressTable, KeepsNeighbouringGranulesApart) {
  const auto table = make_table();
  Block old;
  for (std::uint32_t granule = 0; granule < 256; ++granule) {
    EXPECT_EQ(
        table->insert({kHeap + granule * std::uintptr_t{16}, granule + 1, granule + 1, 0}, old),
        Insert::kNew);
  }
  ASSERT_EQ(blocks_of(*table).size(), 256U);
  for (std::uint32_t granule = 0; granule < 256; ++granule) {
    ASSERT_TRUE(take(*table, kHeap + granule * std::uintptr_t{16}, old));
    EXPECT_EQ(old.site, granule + 1);
  }
}

TEST(AddressTable, TellsOfAnEntryThatNobodyRemoved) {
  const auto table = make_table();
  Block old;
  table->insert({kHeap, 10, 3, 5}, old);
  EXPECT_EQ(table->insert({kHeap, 20, 4, 6}, old), Insert::kReplaced);
  EXPECT_EQ(old.size, 10U);
  EXPECT_EQ(old.site, 3U);
  const auto blocks = blocks_of(*table);
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(blocks[0].size, 20U);
}

TEST(AddressTable, RefusesAddressesThatItCannotHold) {
  const auto table = make_table();
  Block old;
  EXPECT_EQ(table->insert({std::uintptr_t{1} << 47, 1, 1, 0}, old), Insert::kOutOfRange);
  EXPECT_FALSE(take(*table, std::uintptr_t{1} << 47, old));
  EXPECT_EQ(table->insert({(std::uintptr_t{1} << 47) - 16, 1, 1, 0}, old), Insert::kNew);
}

TEST(AddressTable, KeepsSizesFromZeroToBeyondFourGigabytes) {
  const auto table = make_table();
  Block old;
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{0xFFFF'FFFE},
                                   std::uint64_t{0xFFFF'FFFF}, std::uint64_t{1} << 40}) {
    table->insert({kHeap, size, 1, 0}, old);
    ASSERT_TRUE(take(*table, kHeap, old));
    EXPECT_EQ(old.size, size);
  }
}

TEST(AddressTable, ABlockInTransitIsAlive) {
  const auto table = make_table();
  Block old;
  table->insert({kHeap, 10, 3, 5}, old);
  ASSERT_TRUE(table->begin_transit(kHeap, old));
  EXPECT_EQ(old.size, 10U);
  EXPECT_TRUE(contains(*table, kHeap));
}

TEST(AddressTable, AMoveLeavesOnlyTheNewPlace) {
  const auto table = make_table();
  Block old;
  Block moved;
  table->insert({kHeap, 10, 3, 5}, old);
  table->begin_transit(kHeap, moved);
  table->insert({kHeap + 0x100, 20, 4, 6}, old);
  table->end_transit(moved);
  EXPECT_FALSE(contains(*table, kHeap));
  EXPECT_TRUE(contains(*table, kHeap + 0x100));
}

TEST(AddressTable, AMoveThatFailedLeavesTheBlockAsItWas) {
  const auto table = make_table();
  Block old;
  Block moved;
  table->insert({kHeap, 10, 3, 5}, old);
  table->begin_transit(kHeap, moved);
  table->cancel_transit(kHeap);
  table->end_transit(moved);  // of no transit: nothing happens
  EXPECT_EQ(table->insert({kHeap, 1, 1, 0}, old), Insert::kReplaced);
  EXPECT_EQ(old.size, 10U);
}

// Between the real realloc and end_transit another thread may have got the old place.
TEST(AddressTable, AMoveSparesABlockThatTookTheOldPlaceMeanwhile) {
  const auto table = make_table();
  Block old;
  Block moved;
  table->insert({kHeap, 10, 3, 5}, old);
  table->begin_transit(kHeap, moved);
  EXPECT_EQ(table->insert({kHeap, 30, 8, 7}, old), Insert::kNew);
  table->end_transit(moved);
  ASSERT_TRUE(take(*table, kHeap, old));
  EXPECT_EQ(old.size, 30U);
}

TEST(AddressTable, WalksPagesInAscendingOrder) {
  const auto table = make_table();
  Block old;
  for (const std::uintptr_t address :
       {kHeap + 0x9000, kHeap, kHeap + 0x4000'0000, kHeap - 0x1000}) {
    table->insert({address, 1, 1, 0}, old);
  }
  const auto blocks = blocks_of(*table);
  ASSERT_EQ(blocks.size(), 4U);
  EXPECT_TRUE(std::is_sorted(blocks.begin(), blocks.end(),
                             [](const Block& a, const Block& b) { return a.address < b.address; }));
}

// A page gets chunk after chunk as it fills; what stands in the older ones is found as before.
TEST(AddressTable, FindsBlocksThroughEveryGrowthOfAPage) {
  const auto table = make_table();
  Block old;
  for (std::uint32_t count = 1; count <= 256; ++count) {
    const std::uint32_t granule = (count * 97) % 256;  // scattered, each once
    ASSERT_EQ(table->insert({kHeap + granule * std::uintptr_t{16}, count, count, count}, old),
              Insert::kNew);
    ASSERT_EQ(blocks_of(*table).size(), count);
  }
  for (std::uint32_t count = 1; count <= 256; ++count) {
    ASSERT_TRUE(take(*table, kHeap + (count * 97) % 256 * std::uintptr_t{16}, old));
    ASSERT_EQ(old.site, count);
    ASSERT_EQ(old.birth, count);
  }
}

// The slots of freed blocks serve again: churn within a page's densest use takes no memory.
TEST(AddressTable, NeedsNoMemoryForChurn) {
  const auto table = make_table();
  Block old;
  const auto fill = [&](std::uint32_t step) {
    for (std::uint32_t granule = 0; granule < 256; granule += step) {
      table->insert({kHeap + granule * std::uintptr_t{16}, 16, 1, 0}, old);
    }
  };
  const auto clear = [&] {
    for (const Block& block : blocks_of(*table)) {
      take(*table, block.address, old);
    }
  };
  fill(1);
  clear();
  const std::uint64_t before = runtime::mapped_bytes();
  for (int round = 0; round < 1'000; ++round) {
    fill(1 + static_cast<std::uint32_t>(round) % 7);
    clear();
  }
  EXPECT_EQ(runtime::mapped_bytes(), before);
}

TEST(AddressTable, TellsTheTrueSizeOfAHugeBlockInAWalkAndWhenItIsReplaced) {
  const auto table = make_table();
  constexpr std::uint64_t kHuge = std::uint64_t{5} << 30;
  Block old;
  table->insert({kHeap, kHuge, 1, 0}, old);
  ASSERT_EQ(blocks_of(*table).size(), 1U);
  EXPECT_EQ(blocks_of(*table)[0].size, kHuge);
  table->begin_transit(kHeap, old);
  EXPECT_EQ(old.size, kHuge);
  table->cancel_transit(kHeap);
  EXPECT_EQ(table->insert({kHeap, 10, 2, 0}, old), Insert::kReplaced);
  EXPECT_EQ(old.size, kHuge);
  EXPECT_EQ(blocks_of(*table)[0].size, 10U);
}

// There is room for so many huge blocks at once; shrinking or moving them gives it back.
TEST(AddressTable, ForgetsTheSizesOfHugeBlocksThatAreGone) {
  const auto table = make_table();
  constexpr std::uint64_t kHuge = std::uint64_t{5} << 30;
  Block old;
  Block moved;
  for (std::uintptr_t i = 0; i < 1000; ++i) {
    const std::uintptr_t address = kHeap + i * 0x1000;
    ASSERT_NE(table->insert({address, kHuge + i, 1, 0}, old), Insert::kNoMemory) << i;
    table->begin_transit(address, moved);
    if (i % 2 == 0) {
      table->insert({address, 10, 1, 0}, old);
    } else {
      table->end_transit(moved);
    }
  }
  EXPECT_EQ(blocks_of(*table).size(), 500U);
}

TEST(AddressTable, SaysWhenThereAreMoreHugeBlocksThanItHasRoomFor) {
  const auto table = make_table();
  Block old;
  Insert last = Insert::kNew;
  std::uintptr_t inserted = 0;
  for (; inserted < 1000 && last == Insert::kNew; ++inserted) {
    last = table->insert({kHeap + inserted * 0x1000, std::uint64_t{1} << 33, 1, 0}, old);
  }
  EXPECT_EQ(last, Insert::kNoMemory);
  EXPECT_EQ(blocks_of(*table).size(), inserted - 1);
  EXPECT_EQ(table->insert({kHeap, 10, 1, 0}, old), Insert::kReplaced);
}

TEST(AddressTable, WalksNothingBeforeTheFirstBlockAndTheLastGranuleToo) {
  const auto table = make_table();
  EXPECT_TRUE(blocks_of(*table).empty());
  Block old;
  const std::uintptr_t last = (std::uintptr_t{1} << 47) - 16;
  table->insert({last, 16, AddressTable::kMaxSite, UINT32_MAX}, old);
  table->insert({0x10, 1, 1, 0}, old);
  const auto blocks = blocks_of(*table);
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].address, 0x10U);
  EXPECT_EQ(blocks[1].address, last);
  EXPECT_EQ(blocks[1].site, AddressTable::kMaxSite);
  EXPECT_EQ(blocks[1].birth, UINT32_MAX);
}

TEST(AddressTable, AgreesWithAMapOverRandomEvents) {
  const auto table = make_table();
  std::map<std::uintptr_t, std::uint64_t> expected;
  std::mt19937 random(1);
  Block old;
  for (int event = 0; event < 2'000'000; ++event) {
    const std::uintptr_t address = kHeap + (random() % 20'000) * std::uintptr_t{16};
    const auto known = expected.find(address);
    if (random() % 2 == 0) {
      const std::uint64_t size = random() % 5000;
      EXPECT_EQ(
          table->insert({address, size, static_cast<std::uint32_t>(1 + random() % 100), 0}, old),
          known == expected.end() ? Insert::kNew : Insert::kReplaced);
      expected[address] = size;
    } else {
      ASSERT_EQ(take(*table, address, old), known != expected.end());
      if (known != expected.end()) {
        EXPECT_EQ(old.size, known->second);
        expected.erase(known);
      }
    }
  }
  std::map<std::uintptr_t, std::uint64_t> found;
  table->walk([&](const Block& block) { found[block.address] = block.size; });
  EXPECT_EQ(found, expected);
}

// Threads own different granules of the same pages, as threads of a program do. Each block that is
// alive throughout must be seen by every walk, exactly once.
TEST(AddressTable, ThreadsBesideEachOtherLoseNothing) {
  const auto table = make_table();
  constexpr unsigned kThreads = 4;
  constexpr unsigned kRounds = 300;
  constexpr unsigned kPages = 16;
  Block old;
  for (unsigned page = 0; page < kPages; ++page) {
    table->insert({kHeap + page * std::uintptr_t{4096}, page + 1, 1, 0}, old);
  }
  const auto churn = [&](unsigned thread) {
    Block mine;
    for (unsigned round = 0; round < kRounds; ++round) {
      for (unsigned granule = 1 + thread; granule < 256; granule += kThreads) {
        EXPECT_EQ(table->insert({kHeap + (round % kPages) * std::uintptr_t{4096} +
                                     granule * std::uintptr_t{16},
                                 granule, 2, 0},
                                mine),
                  Insert::kNew);
      }
      for (unsigned granule = 1 + thread; granule < 256; granule += kThreads) {
        EXPECT_TRUE(take(
            *table, kHeap + (round % kPages) * std::uintptr_t{4096} + granule * std::uintptr_t{16},
            mine));
        EXPECT_EQ(mine.size, granule);
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back(churn, thread);
  }
  for (int walk = 0; walk < 50; ++walk) {
    unsigned lasting = 0;
    table->walk([&](const Block& block) { lasting += block.site == 1 ? 1 : 0; });
    EXPECT_EQ(lasting, kPages);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(blocks_of(*table).size(), kPages);
}

// At most 24 bytes a block plus 1 % of the heap, whatever the size of the blocks. The index of a
// region (2 MB for each GiB) is part of the 1 %: large blocks fill a whole region here.
class AddressTableCost : public testing::TestWithParam<std::size_t> {};

TEST_P(AddressTableCost, StaysWithinItsBudget) {
  const std::size_t block_bytes = GetParam();
  const std::size_t heap_bytes = std::size_t{1} << (block_bytes < 1024 ? 28 : 30);
  const auto table = make_table();
  const std::uint64_t before = runtime::mapped_bytes();
  Block old;
  std::size_t blocks = 0;
  for (std::size_t at = 0; at + block_bytes <= heap_bytes; at += block_bytes, ++blocks) {
    ASSERT_EQ(table->insert({kHeap + at, block_bytes, 1, 0}, old), Insert::kNew);
  }
  const auto cost = static_cast<double>(runtime::mapped_bytes() - before);
  const double budget = 24.0 * static_cast<double>(blocks) + 0.01 * static_cast<double>(heap_bytes);
  EXPECT_LE(cost, budget) << cost / static_cast<double>(blocks) << " bytes a block";
}

INSTANTIATE_TEST_SUITE_P(BlockSizes, AddressTableCost,
                         testing::Values(32, 64, 256, 1024, 4096, 16384, 65536),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace seep::table
