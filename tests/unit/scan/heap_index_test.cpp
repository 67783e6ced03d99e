#include "preload/scan/heap_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace seep::scan {
namespace {

constexpr std::uintptr_t kHeap = 0x5555'0000'0000;

class Index : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(index_->map()); }

  void add(std::uintptr_t address, std::uint64_t size) {
    const table::Block block{address, size, 1, 0};
    table::Block old;
    ASSERT_EQ(blocks_->insert(block, old), table::Insert::kNew);
    ASSERT_TRUE(index_->add(block));
  }
  // The first byte of the block that holds `address`; 0: none.
  std::uintptr_t holder_of(std::uintptr_t address) const {
    table::Block block;
    return index_->find(address, block) ? block.address : 0;
  }
  using Pieces = std::vector<std::pair<std::uintptr_t, std::uintptr_t>>;
  Pieces uncovered(std::uintptr_t begin, std::uintptr_t end) const {
    Pieces pieces;
    index_->visit_uncovered(begin, end, [&](std::uintptr_t from, std::uintptr_t to) {
      if (!pieces.empty() && pieces.back().second == from) {
        pieces.back().second = to;  // of the next page
      } else {
        pieces.emplace_back(from, to);
      }
    });
    return pieces;
  }

  std::unique_ptr<table::AddressTable> blocks_ = std::make_unique<table::AddressTable>();
  std::unique_ptr<BlockIndex> index_ = std::make_unique<BlockIndex>(*blocks_);
};

TEST_F(Index, FindsTheBlockThatHoldsAnAddress) {
  add(kHeap + 0x10, 24);
  add(kHeap + 0x40, 100);
  EXPECT_EQ(holder_of(kHeap + 0x0f), 0U);
  EXPECT_EQ(holder_of(kHeap + 0x10), kHeap + 0x10);
  EXPECT_EQ(holder_of(kHeap + 0x10 + 23), kHeap + 0x10);
  EXPECT_EQ(holder_of(kHeap + 0x10 + 24), 0U);
  EXPECT_EQ(holder_of(kHeap + 0x40 + 99), kHeap + 0x40);
  EXPECT_EQ(holder_of(kHeap + 0x40 + 100), 0U);
}

TEST_F(Index, APointerToAnEmptyBlockHoldsIt) {
  add(kHeap, 0);
  EXPECT_EQ(holder_of(kHeap), kHeap);
  EXPECT_EQ(holder_of(kHeap + 1), 0U);
}

TEST_F(Index, FindsBlocksFromPagesBefore) {
  add(kHeap + 0xff0, 3 * 4096);
  EXPECT_EQ(holder_of(kHeap + 0x1000), kHeap + 0xff0);
  EXPECT_EQ(holder_of(kHeap + 0x2abc), kHeap + 0xff0);
  EXPECT_EQ(holder_of(kHeap + 0xff0 + 3 * 4096 - 1), kHeap + 0xff0);
  EXPECT_EQ(holder_of(kHeap + 0xff0 + 3 * 4096), 0U);
}

TEST_F(Index, FindsBlocksOfManyMegabytes) {
  constexpr std::uint64_t kLarge = std::uint64_t{3} << 30;
  add(kHeap + 16, kLarge);
  add(kHeap + 16 + kLarge + 4096, 16);
  EXPECT_EQ(holder_of(kHeap + kLarge / 2), kHeap + 16);
  EXPECT_EQ(holder_of(kHeap + kLarge + 15), kHeap + 16);
  EXPECT_EQ(holder_of(kHeap + kLarge + 16), 0U);
  EXPECT_EQ(holder_of(kHeap + 16 + kLarge + 4096), kHeap + 16 + kLarge + 4096);
}

// The size of an object is what the program says.
TEST_F(Index, ABlockEndsWithTheAddresses) {
  constexpr std::uintptr_t kEnd = std::uintptr_t{1} << 47;
  for (const std::uintptr_t start : {kEnd - 0x3000, kEnd - 0x1000}) {
    add(start, std::uint64_t{1} << 45);
    EXPECT_EQ(index_->extent_of(start, index_->info_of(start)), kEnd - start);
  }
  EXPECT_EQ(holder_of(kEnd - 0x1001), kEnd - 0x3000);
  EXPECT_EQ(holder_of(kEnd - 1), kEnd - 0x1000);
  EXPECT_EQ(index_->high(), kEnd);
  EXPECT_FALSE(index_->is_near(kEnd));
}

// Sizes and sites stand in the order of addresses, whatever the order within a page.
TEST_F(Index, KnowsEachBlock) {
  constexpr std::uintptr_t kOffsets[] = {0x200, 0x10, 0xff0, 0x400, 0x410, 0x3f0};
  for (std::uintptr_t page = kHeap; page < kHeap + 0x5000; page += 0x1000) {
    for (const std::uintptr_t offset : kOffsets) {
      add(page + offset, offset == 0xff0 ? std::uint64_t{2} << 20 : offset / 32);
    }
  }
  for (std::uintptr_t page = kHeap; page < kHeap + 0x5000; page += 0x1000) {
    for (const std::uintptr_t offset : kOffsets) {
      const std::uintptr_t start = page + offset;
      const std::uint64_t bytes = index_->extent_of(start, index_->info_of(start));
      EXPECT_EQ(bytes, offset == 0xff0 ? std::uint64_t{2} << 20 : std::max(offset / 32, 1UL));
    }
  }
}

TEST_F(Index, MarksEachBlockOnce) {
  add(kHeap, 16);
  add(kHeap + 0x20, 16);
  EXPECT_TRUE(index_->mark(kHeap));
  EXPECT_FALSE(index_->mark(kHeap));
  EXPECT_FALSE(index_->is_marked(kHeap + 0x20));
  std::vector<std::uintptr_t> unmarked;
  index_->visit_blocks(false, [&](std::uintptr_t start) {
    unmarked.push_back(start);
    return true;
  });
  EXPECT_EQ(unmarked, std::vector<std::uintptr_t>{kHeap + 0x20});
}

TEST_F(Index, TellsWhatNoBlockCovers) {
  add(kHeap + 0x10, 24);
  add(kHeap + 0xff0, 4096);
  EXPECT_EQ(uncovered(kHeap, kHeap + 0x3000), (Pieces{{kHeap, kHeap + 0x10},
                                                      {kHeap + 0x28, kHeap + 0xff0},
                                                      {kHeap + 0x1ff0, kHeap + 0x3000}}));
  EXPECT_EQ(uncovered(kHeap + 0x1000, kHeap + 0x2000), (Pieces{{kHeap + 0x1ff0, kHeap + 0x2000}}));
  EXPECT_EQ(uncovered(kHeap + 0x100000, kHeap + 0x101000),
            (Pieces{{kHeap + 0x100000, kHeap + 0x101000}}));
}

// Objects of 24 bytes, side by side: every other one begins between two multiples of 16.
TEST(ObjectIndex, TellsNeighboursApart) {
  const auto pools = std::make_unique<table::PoolTable>();
  const auto index = std::make_unique<ObjectIndex>(*pools);
  ASSERT_TRUE(index->map());
  constexpr unsigned kObjects = 500;
  for (unsigned i = 0; i < kObjects; ++i) {
    const table::Block object{kHeap + 24 * i, 24, 1, 0};
    table::Block old;
    ASSERT_EQ(pools->insert(object, old), table::Insert::kNew);
    ASSERT_TRUE(index->add(object));
  }
  for (unsigned at = 0; at < 24 * kObjects; ++at) {
    table::Block object;
    ASSERT_TRUE(index->find(kHeap + at, object)) << at;
    EXPECT_EQ(object.address, kHeap + at / 24 * 24);
  }
  table::Block object;
  EXPECT_FALSE(index->find(kHeap + 24 * kObjects, object));
  unsigned uncovered = 0;
  index->visit_uncovered(kHeap, kHeap + 24 * kObjects,
                         [&](std::uintptr_t, std::uintptr_t) { ++uncovered; });
  EXPECT_EQ(uncovered, 0U);
  std::vector<std::uintptr_t> within;
  index->visit_within(kHeap + 20, kHeap + 72,
                      [&](std::uintptr_t start, std::uint64_t) { within.push_back(start); });
  EXPECT_EQ(within, (std::vector<std::uintptr_t>{kHeap + 24, kHeap + 48}));
}

}  // namespace
}  // namespace seep::scan
