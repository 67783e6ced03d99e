#include "preload/table/pool_table.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

namespace seep::table {
namespace {

constexpr std::uintptr_t kArena = 0x5555'0000'0000;

class Pool : public ::testing::Test {
 protected:
  Insert insert(std::uintptr_t address, std::uint64_t size) {
    return pools_->insert({address, size, 1, 7}, old_);
  }
  std::vector<std::uintptr_t> within(std::uintptr_t begin, std::uintptr_t end) const {
    std::vector<std::uintptr_t> found;
    pools_->walk_range(begin, end, [&](const Block& object) { found.push_back(object.address); });
    return found;
  }

  std::unique_ptr<PoolTable> pools_ = std::make_unique<PoolTable>();
  Block old_;
};

using List = std::vector<std::uintptr_t>;

TEST_F(Pool, TellsAddressesToEightBytes) {
  ASSERT_EQ(insert(kArena, 24), Insert::kNew);
  ASSERT_EQ(insert(kArena + 24, 4095), Insert::kNew);
  Block object;
  EXPECT_FALSE(pools_->look_up(kArena + 16, object));
  ASSERT_TRUE(pools_->look_up(kArena + 24, object));
  EXPECT_EQ(object.address, kArena + 24);
  EXPECT_EQ(object.size, 4095U);
  EXPECT_EQ(object.site, 1U);
  EXPECT_EQ(object.birth, 7U);
  EXPECT_EQ(within(kArena, kArena + 4096), (List{kArena, kArena + 24}));
  EXPECT_EQ(within(kArena, kArena + 24), List{kArena});
  EXPECT_EQ(within(kArena + 24, kArena + 25), List{kArena + 24});
  EXPECT_EQ(within(kArena + 32, kArena + 4096), List{});
  EXPECT_TRUE(pools_->remove(kArena + 24));
  EXPECT_FALSE(pools_->look_up(kArena + 24, object));
}

TEST_F(Pool, ObjectsMayBeLarge) {
  constexpr std::uint64_t kBytes = std::uint64_t{3} << 30;
  ASSERT_EQ(insert(kArena + 8, kBytes), Insert::kNew);
  Block object;
  ASSERT_TRUE(pools_->look_up(kArena + 8, object));
  EXPECT_EQ(object.size, kBytes);
}

TEST_F(Pool, TheSecondAtAPlaceReplacesTheFirst) {
  ASSERT_EQ(insert(kArena + 8, 100), Insert::kNew);
  ASSERT_EQ(insert(kArena, 40), Insert::kReplaced);
  EXPECT_EQ(old_.address, kArena + 8);
  EXPECT_EQ(old_.size, 100U);
  EXPECT_EQ(within(kArena, kArena + 4096), List{kArena});
}

TEST_F(Pool, WhatIsGoneIsToldWithAMarkUntilItsPlaceIsTaken) {
  ASSERT_EQ(insert(kArena + 8, 100), Insert::kNew);
  ASSERT_EQ(insert(kArena + 128, 50), Insert::kNew);
  pools_->mark_gone(kArena + 8);
  pools_->mark_gone(kArena + 4096);
  const auto told = [this] {
    std::vector<std::pair<std::uintptr_t, bool>> found;
    pools_->walk([&](const Block& object, bool gone) { found.emplace_back(object.address, gone); });
    return found;
  };
  using Told = std::vector<std::pair<std::uintptr_t, bool>>;
  EXPECT_EQ(told(), (Told{{kArena + 8, true}, {kArena + 128, false}}));
  EXPECT_EQ(within(kArena, kArena + 4096), (List{kArena + 8, kArena + 128}));
  EXPECT_EQ(insert(kArena, 40), Insert::kNew);
  EXPECT_EQ(told(), (Told{{kArena, false}, {kArena + 128, false}}));
}

}  // namespace
}  // namespace seep::table
