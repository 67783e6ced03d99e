// One block that doubles, and what is none.
#include "analyzer/rank/enlarged.h"

#include <gtest/gtest.h>

namespace seep::rank {
namespace {

using model::Counters;

// A site at which blocks are allocated; each replaces the one before.
class Site {
 public:
  Site& grow(std::uint64_t bytes) {
    now_ = {bytes, 1, now_.allocated_bytes + bytes, now_.allocated_blocks + 1};
    return *this;
  }
  // Of the same site, gone again.
  Site& temporary(std::uint64_t bytes) {
    now_.allocated_bytes += bytes;
    ++now_.allocated_blocks;
    return *this;
  }
  Site& look() {
    at_.push_back(now_);
    return *this;
  }
  [[nodiscard]] const std::vector<Counters>& at() const { return at_; }

 private:
  Counters now_;
  std::vector<Counters> at_;
};

TEST(Enlarged, CountsDoublingsThatNoSnapshotSaw) {
  Site site;
  for (std::uint64_t bytes = 640; bytes <= 163'840; bytes *= 2) {
    site.grow(bytes);
  }
  site.look().grow(327'680).look().grow(655'360).grow(1'310'720).look();
  const auto found = measure_enlarged(site.at());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->block_bytes, 1'310'720U);
  EXPECT_EQ(found->doublings, 11U);
  EXPECT_NEAR(found->factor, 2, 1e-9);
}

TEST(Enlarged, StepsOfAnEighthAreCountedAsDoublings) {
  Site site;
  for (std::uint64_t bytes = 1000; bytes < 64'000; bytes += bytes / 8) {
    site.grow(bytes).look();
  }
  const auto found = measure_enlarged(site.at());
  ASSERT_TRUE(found);
  EXPECT_EQ(found->doublings, 6U);
  EXPECT_NEAR(found->factor, 1.125, 0.01);
}

TEST(Enlarged, FewDoublingsAreNotEnough) {
  Site site;
  site.grow(1000).look().grow(2000).look().grow(4000).look().grow(8000).look();
  EXPECT_FALSE(measure_enlarged(site.at()));
}

TEST(Enlarged, WhatGrewBeforeItWasWatchedDoesNotGrow) {
  Site site;
  for (std::uint64_t bytes = 640; bytes <= 163'840; bytes *= 2) {
    site.grow(bytes);
  }
  site.look().look().look();
  EXPECT_FALSE(measure_enlarged(site.at()));
}

// A buffer made anew for each message leaves one block as well, now large and now small.
TEST(Enlarged, OtherBlocksOfTheSiteShowInWhatWasAllocated) {
  Site site;
  for (std::uint64_t bytes = 1024; bytes <= 65'536; bytes *= 2) {
    site.grow(bytes).look();
  }
  EXPECT_TRUE(measure_enlarged(site.at()));
  site.temporary(64).grow(131'072).look();
  EXPECT_FALSE(measure_enlarged(site.at()));
}

TEST(Enlarged, MayNeverBecomeSmaller) {
  Site site;
  for (std::uint64_t bytes = 1024; bytes <= 65'536; bytes *= 2) {
    site.grow(bytes).look();
  }
  site.grow(32'768).look().grow(131'072).look();
  EXPECT_FALSE(measure_enlarged(site.at()));
}

TEST(Enlarged, WhatIsFreedAtTheEndIsNone) {
  Site site;
  for (std::uint64_t bytes = 1024; bytes <= 65'536; bytes *= 2) {
    site.grow(bytes).look();
  }
  std::vector<Counters> at = site.at();
  at.push_back({0, 0, at.back().allocated_bytes, at.back().allocated_blocks});
  EXPECT_FALSE(measure_enlarged(at));
}

TEST(Enlarged, DamagedCountersAreNoContainer) {
  Site site;
  for (std::uint64_t bytes = 1024; bytes <= 65'536; bytes *= 2) {
    site.grow(bytes).look();
  }
  std::vector<Counters> at = site.at();
  at[3].allocated_blocks = 0;
  at[4].allocated_bytes = ~std::uint64_t{0};
  EXPECT_FALSE(measure_enlarged(at));
  EXPECT_FALSE(measure_enlarged({}));
}

// A table with room for one element in 16 bytes, filled evenly and doubled when it is full.
class InStep : public testing::Test {
 protected:
  InStep() {
    std::uint64_t room = 64;
    site_.grow(room * 16);
    for (std::uint64_t elements = 50; elements <= 3000; elements += 50) {
      for (; room < elements; room *= 2) {
        site_.grow(room * 32);
      }
      site_.look();
      elements_.push_back(elements);
    }
  }

  [[nodiscard]] bool in_step(const std::vector<std::uint64_t>& blocks) const {
    return grew_in_step(*measure_enlarged(site_.at()), site_.at(), blocks);
  }

  Site site_;
  std::vector<std::uint64_t> elements_;
};

TEST_F(InStep, ElementsAreAsManyAsItHasRoomFor) {
  EXPECT_TRUE(in_step(elements_));
  std::vector<std::uint64_t> two_each = elements_;
  for (std::uint64_t& blocks : two_each) {
    blocks *= 2;
  }
  EXPECT_TRUE(in_step(two_each));
}

TEST_F(InStep, WhatGrowsAtAnotherPaceIsNot) {
  std::vector<std::uint64_t> squares = elements_;
  for (std::uint64_t& blocks : squares) {
    blocks = blocks * blocks / 1000 + 10;
  }
  EXPECT_FALSE(in_step(squares));
  std::vector<std::uint64_t> late = elements_;
  std::fill(late.begin(), late.begin() + 30, 10);
  EXPECT_FALSE(in_step(late));
}

TEST_F(InStep, WhatHardlyGrewTellsNothing) {
  EXPECT_FALSE(in_step(std::vector<std::uint64_t>(elements_.size(), 1000)));
  EXPECT_FALSE(in_step(std::vector<std::uint64_t>(elements_.size(), 0)));
}

}  // namespace
}  // namespace seep::rank
