// Pages with a slot for each 32 bytes, in a table that was told that blocks lie that far apart.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <thread>
#include <tuple>
#include <vector>

#include "preload/runtime/arena.h"
#include "preload/table/address_table.h"

namespace seep::table {
namespace {

constexpr std::uintptr_t kHeap = 0x5555'0000'0000;
constexpr std::uintptr_t kPage = 4096;

using Contents = std::map<std::uintptr_t, std::tuple<std::uint64_t, std::uint32_t, std::uint32_t>>;

std::unique_ptr<AddressTable> make_table() {
  auto table = std::make_unique<AddressTable>();
  table->allow_dense_pages(true);
  return table;
}

// Makes the page after `page` dense from its first block on: its neighbour is full.
void fill_page(AddressTable& table, std::uintptr_t page) {
  Block old;
  for (std::uintptr_t at = 16; at < kPage; at += 64) {
    ASSERT_EQ(table.insert({page + at, 40, 9, 3}, old), Insert::kNew);
  }
}

Contents contents_of(const AddressTable& table, std::uintptr_t from, std::uintptr_t to) {
  Contents found;
  table.walk([&](const Block& block) {
    if (block.address >= from && block.address < to) {
      EXPECT_TRUE(found.try_emplace(block.address, block.size, block.site, block.birth).second);
    }
  });
  return found;
}

struct DensePage : testing::Test {
  DensePage() { fill_page(*table, kHeap); }

  // What is known of the page under test.
  [[nodiscard]] Contents contents() const { return contents_of(*table, page, page + kPage); }

  std::unique_ptr<AddressTable> table = make_table();
  std::uintptr_t page = kHeap + kPage;
  Block old;
};

TEST_F(DensePage, HoldsABlockInEachSlotOddOrEven) {
  Contents expected;
  for (std::uint32_t slot = 0; slot < 128; ++slot) {
    const std::uintptr_t address =
        page + std::uintptr_t{32} * slot + std::uintptr_t{16} * (slot % 2);
    const Block block{address, std::uint64_t{32} * slot, slot + 1, (1U << 30) - 1 - slot};
    if (slot == 0) {
      EXPECT_FALSE(table->try_insert(block));  // the page has no chunk yet
      EXPECT_EQ(table->insert(block, old), Insert::kNew);
    } else {
      EXPECT_TRUE(table->try_insert(block)) << slot;
    }
    expected[address] = {block.size, block.site, block.birth};
  }
  EXPECT_EQ(contents(), expected);
  for (const auto& [address, what] : expected) {
    EXPECT_FALSE(table->try_remove(address ^ 16));
    EXPECT_TRUE(table->try_remove(address));
    EXPECT_FALSE(table->try_remove(address));
  }
  EXPECT_TRUE(contents().empty());
}

// Each is one more than a slot can hold.
TEST_F(DensePage, KeepsWhatDoesNotFitBesideIt) {
  const std::vector<Block> blocks = {{page + 16, 4096, 1, 0},
                                     {page + 64, 40, 1U << 20, 0},
                                     {page + 128, 40, 1, 1U << 30},
                                     {page + 4064, std::uint64_t{1} << 33, 8'000'000, 0xFFFF'FFFF},
                                     {page + 256, 4095, (1U << 20) - 1, (1U << 30) - 1}};
  Contents expected;
  for (const Block& block : blocks) {
    EXPECT_EQ(table->insert(block, old), Insert::kNew);
    expected[block.address] = {block.size, block.site, block.birth};
  }
  EXPECT_EQ(contents(), expected);
  EXPECT_TRUE(table->try_insert({page + 512, 8, 1, 1}));  // and goes on to be fast
  EXPECT_TRUE(table->try_remove(page + 512));
  for (const Block& block : blocks) {
    Block found;
    ASSERT_TRUE(table->look_up(block.address, found));
    EXPECT_EQ(found.size, block.size);
    EXPECT_TRUE(table->remove(block.address));
    EXPECT_FALSE(table->remove(block.address));
  }
  EXPECT_TRUE(contents().empty());
}

TEST_F(DensePage, TellsOfAnEntryThatNobodyRemoved) {
  table->insert({page + 16, 10, 3, 5}, old);
  EXPECT_FALSE(table->try_insert({page + 16, 20, 4, 6}));
  EXPECT_EQ(table->insert({page + 16, 20, 4, 6}, old), Insert::kReplaced);
  EXPECT_EQ(old.size, 10U);
  EXPECT_EQ(old.site, 3U);
  EXPECT_EQ(old.birth, 5U);
  // Too near: the old one cannot be alive.
  EXPECT_FALSE(table->try_insert({page, 30, 5, 7}));
  EXPECT_EQ(table->insert({page, 30, 5, 7}, old), Insert::kReplaced);
  EXPECT_EQ(old.address, page + 16);
  EXPECT_EQ(contents(), (Contents{{page, {30, 5, 7}}}));
}

// What was recorded before the page became dense stays where it is, and is still replaced.
TEST_F(DensePage, SeesAnEntryInAnOlderChunk) {
  auto sparse = make_table();
  for (std::uintptr_t at = 0; at < 20; ++at) {
    sparse->insert({kHeap + at * 64, 40, 3, 1}, old);
  }
  for (std::uintptr_t at = 20; at < 64; ++at) {  // on the way the page becomes dense
    sparse->insert({kHeap + at * 64, 40, 4, 1}, old);
  }
  EXPECT_EQ(sparse->insert({kHeap, 50, 5, 2}, old), Insert::kReplaced);
  EXPECT_EQ(old.site, 3U);
  EXPECT_FALSE(sparse->try_insert({kHeap + 64, 50, 5, 2}));
  EXPECT_EQ(contents_of(*sparse, kHeap, kHeap + kPage).size(), 64U);
}

TEST_F(DensePage, AMoveLeavesOnlyTheNewPlace) {
  Block moved;
  table->insert({page + 16, 10, 3, 5}, old);
  ASSERT_TRUE(table->begin_transit(page + 16, moved));
  EXPECT_EQ(moved.size, 10U);
  EXPECT_EQ(contents().size(), 1U);
  table->insert({page + 512, 20, 4, 6}, old);
  table->end_transit(moved);
  EXPECT_EQ(contents(), (Contents{{page + 512, {20, 4, 6}}}));
}

TEST_F(DensePage, AMoveSparesABlockThatTookTheOldPlaceMeanwhile) {
  Block moved;
  for (const std::uintptr_t offset :
       {std::uintptr_t{16}, std::uintptr_t{0}}) {  // the same, too near
    table->insert({page + 16, 10, 3, 5}, old);
    table->begin_transit(page + 16, moved);
    EXPECT_EQ(table->insert({page + offset, 30, 8, 7}, old), Insert::kNew);
    table->end_transit(moved);
    EXPECT_EQ(contents(), (Contents{{page + offset, {30, 8, 7}}}));
    EXPECT_TRUE(table->remove(page + offset));
  }
}

// The thread that got the old place moves its block away in its turn, and its realloc fails.
TEST_F(DensePage, AMoveSparesATransitOfAnother) {
  for (const std::uint64_t size : {std::uint64_t{30}, std::uint64_t{5000}}) {
    Block first;
    Block second;
    table->insert({page + 16, size, 3, 5}, old);
    table->begin_transit(page + 16, first);
    table->insert({page + 16, size + 1, 8, 7}, old);
    table->begin_transit(page + 16, second);
    table->end_transit(first);
    EXPECT_EQ(contents(), (Contents{{page + 16, {size + 1, 8, 7}}}));
    table->cancel_transit(page + 16);
    EXPECT_TRUE(table->remove(page + 16));
  }
}

// Those of another allocator, beside a page of libc's that is full.
TEST_F(DensePage, KeepsApartWhatMayBeNear) {
  for (std::uintptr_t at = 0; at < 2 * kPage; at += 16) {
    EXPECT_EQ(table->insert({page + at, 16, 1, 0, /*may_be_near=*/true}, old), Insert::kNew);
  }
  EXPECT_EQ(contents_of(*table, page, page + 2 * kPage).size(), 512U);
  for (std::uintptr_t at = 0; at < 2 * kPage; at += 16) {
    EXPECT_TRUE(table->try_remove(page + at) || table->remove(page + at));
  }
  EXPECT_TRUE(contents_of(*table, page, page + 2 * kPage).empty());
}

TEST_F(DensePage, AMoveThatFailedLeavesTheBlockAsItWas) {
  Block moved;
  table->insert({page + 16, 10, 3, 5}, old);
  table->begin_transit(page + 16, moved);
  table->cancel_transit(page + 16);
  table->end_transit(moved);
  EXPECT_EQ(table->insert({page + 16, 1, 1, 0}, old), Insert::kReplaced);
  EXPECT_EQ(old.size, 10U);
}

// A block that is resized where it stands, to a size that a slot can hold no more, and back.
TEST_F(DensePage, ABlockMayGrowOutOfItsSlotAndComeBack) {
  Block moved;
  table->insert({page + 16, 10, 3, 5}, old);
  for (const std::uint64_t size : {std::uint64_t{5000}, std::uint64_t{7}, std::uint64_t{4096}}) {
    ASSERT_TRUE(table->begin_transit(page + 16, moved));
    EXPECT_EQ(table->insert({page + 16, size, 3, 5}, old), Insert::kNew);
    table->end_transit(moved);
    EXPECT_EQ(contents(), (Contents{{page + 16, {size, 3, 5}}}));
  }
}

// Pages of blocks at one distance, filled one after the other: most at 128 bytes, 32.5 a block.
TEST(DensePages, TakeLittleMemory) {
  for (std::uintptr_t distance = 32; distance <= 256; distance += 16) {
    const std::uint64_t before = runtime::mapped_bytes();
    const auto table = make_table();
    constexpr std::uintptr_t kBlocks = 400'000;
    Block old;
    for (std::uintptr_t i = 0; i < kBlocks; ++i) {
      table->insert({kHeap + i * distance, distance - 8, 1, 0}, old);
    }
    // The index of heads is mapped for a whole region, 2 MB. Arenas grow by 1 MB, 2.6 bytes a
    // block.
    const double bytes = static_cast<double>(runtime::mapped_bytes() - before) - 2.1e6;
    EXPECT_LT(bytes / kBlocks, 36.0) << distance;
  }
}

// Without being told it must not use them: two blocks may live within 32 bytes.
TEST(SparsePage, KeepsNeighboursApartUnlessToldOtherwise) {
  const auto table = std::make_unique<AddressTable>();
  Block old;
  for (std::uintptr_t page = kHeap; page < kHeap + 3 * kPage; page += kPage) {
    for (std::uintptr_t at = 0; at < kPage; at += 16) {
      ASSERT_EQ(table->insert({page + at, 16, 1, 0}, old), Insert::kNew);
    }
  }
  EXPECT_EQ(contents_of(*table, kHeap, kHeap + 3 * kPage).size(), 3 * 256U);
}

// Every event as the hooks make it, over pages that are sparse, become dense, or begin so.
TEST(DensePages, AgreeWithAMapOverRandomEvents) {
  const auto table = make_table();
  Contents expected;
  std::mt19937 random(1);
  const auto insert = [&](std::uintptr_t address) {
    const bool small = random() % 20 != 0;
    const Block block{address, small ? random() % 200 : random() % 10'000,
                      static_cast<std::uint32_t>(1 + random() % (small ? 1000 : 3'000'000)),
                      static_cast<std::uint32_t>(small ? random() % 1'000'000 : random())};
    Block old;
    if (!table->try_insert(block)) {
      EXPECT_EQ(table->insert(block, old),
                expected.contains(address) ? Insert::kReplaced : Insert::kNew);
    }
    expected[address] = {block.size, block.site, block.birth};
  };
  for (int event = 0; event < 2'000'000; ++event) {
    const std::uintptr_t slot = random() % 4'000 * (random() % 2 + 1);
    const std::uintptr_t address = kHeap + slot * 32 + (slot / 128 % 2) * 16;
    const bool known = expected.contains(address);
    Block moved;
    switch (random() % 8) {
      case 0:
        ASSERT_EQ(table->begin_transit(address, moved), known);
        if (known) {
          table->cancel_transit(address);
        }
        break;
      case 1:
        if (known) {  // realloc, in its place
          table->begin_transit(address, moved);
          expected.erase(address);
          insert(address);
          table->end_transit(moved);
        }
        break;
      case 2:
      case 3:
      case 4:
        insert(address);
        break;
      default:
        ASSERT_EQ(table->try_remove(address) || table->remove(address), known);
        expected.erase(address);
    }
  }
  EXPECT_EQ(contents_of(*table, 0, UINTPTR_MAX), expected);
}

// Threads own different slots of the same pages, and store into them without a locked instruction.
TEST(DensePages, ThreadsBesideEachOtherLoseNothing) {
  const auto table = make_table();
  constexpr unsigned kThreads = 4;
  constexpr unsigned kPages = 16;
  for (unsigned page = 0; page < kPages; ++page) {
    fill_page(*table, kHeap + page * kPage);
  }
  const auto churn = [&](unsigned thread) {
    Block old;
    for (unsigned round = 0; round < 2'000; ++round) {
      const std::uintptr_t page = kHeap + std::uintptr_t{(round + thread) % kPages} * kPage;
      for (std::uintptr_t at = 48 + std::uintptr_t{64} * thread; at < kPage;
           at += std::uintptr_t{64} * kThreads) {
        const Block block{page + at, at, 2, 0};
        EXPECT_TRUE(table->try_insert(block) || table->insert(block, old) == Insert::kNew);
      }
      for (std::uintptr_t at = 48 + std::uintptr_t{64} * thread; at < kPage;
           at += std::uintptr_t{64} * kThreads) {
        EXPECT_TRUE(table->try_remove(page + at) || table->remove(page + at));
      }
    }
  };
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back(churn, thread);
  }
  for (int walk = 0; walk < 50; ++walk) {
    unsigned lasting = 0;
    table->walk([&](const Block& block) { lasting += block.site == 9 ? 1 : 0; });
    EXPECT_EQ(lasting, kPages * 64);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(contents_of(*table, 0, UINTPTR_MAX).size(), kPages * 64);
}

}  // namespace
}  // namespace seep::table
