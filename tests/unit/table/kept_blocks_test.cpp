#include "preload/table/kept_blocks.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace seep::table {
namespace {

constexpr std::uintptr_t kHeap = 0x5555'0000'0000;

class Kept : public ::testing::Test {
 protected:
  Block add(std::uintptr_t address, std::uint32_t birth) {
    const Block block{address, 32, 1, birth};
    Block old;
    EXPECT_EQ(blocks_->insert(block, old), Insert::kNew);
    return block;
  }
  std::vector<std::uintptr_t> kept() {
    std::vector<std::uintptr_t> found;
    kept_->visit(*blocks_, [&](std::uintptr_t address) { found.push_back(address); });
    return found;
  }

  std::unique_ptr<AddressTable> blocks_ = std::make_unique<AddressTable>();
  std::unique_ptr<KeptBlocks> kept_ = std::make_unique<KeptBlocks>();
};

using List = std::vector<std::uintptr_t>;

TEST_F(Kept, ObjectsOfPoolsToo) {
  const auto pools = std::make_unique<PoolTable>();
  const Block object{kHeap + 24, 24, 1, 5};
  Block old;
  ASSERT_EQ(pools->insert(object, old), Insert::kNew);
  EXPECT_TRUE(kept_->add(object, *pools));
  std::vector<std::uintptr_t> found;
  kept_->visit(*pools, [&](std::uintptr_t address) { found.push_back(address); });
  EXPECT_EQ(found, std::vector<std::uintptr_t>{kHeap + 24});
}

TEST_F(Kept, AreThoseThatAreStillAlive) {
  EXPECT_EQ(kept(), List{});
  const Block block = add(kHeap, 5);
  add(kHeap + 64, 5);
  EXPECT_TRUE(kept_->add(block, *blocks_));
  EXPECT_TRUE(kept_->add(block, *blocks_));
  EXPECT_EQ(kept(), List{kHeap});
  blocks_->remove(kHeap);
  EXPECT_EQ(kept(), List{});
}

TEST_F(Kept, ALaterBlockAtTheSameAddressIsAnother) {
  EXPECT_TRUE(kept_->add(add(kHeap, 5), *blocks_));
  blocks_->remove(kHeap);
  add(kHeap, 6);
  EXPECT_EQ(kept(), List{});
}

// Places of blocks that are gone are used again: many more come and go than there is room for.
TEST_F(Kept, RoomIsForThoseThatAreAlive) {
  for (std::uint32_t i = 0; i < 3000000; ++i) {
    const std::uintptr_t address = kHeap + std::uintptr_t{i % 1000000} * 32;
    const Block block = add(address, i);
    ASSERT_TRUE(kept_->add(block, *blocks_)) << i;
    blocks_->remove(address);
  }
  EXPECT_EQ(kept(), List{});
}

}  // namespace
}  // namespace seep::table
