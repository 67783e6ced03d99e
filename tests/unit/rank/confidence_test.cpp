// The share of verdicts like this one that were right.
#include "analyzer/rank/confidence.h"

#include <gtest/gtest.h>

#include <cmath>

#include "analyzer/rank/judge.h"
#include "tests/unit/rank/population.h"

namespace seep::rank {
namespace {

struct Row {
  Bin bin;
  unsigned rows;
  unsigned right;
};

constexpr Row kRows[] = {
#define CONFIDENCE(name, rows, right) {Bin::k_##name, rows, right},
#include "analyzer/rank/confidence_table.inc"
#undef CONFIDENCE
};

TEST(Confidence, IsTheShareThatWasRightAndNothingBelowThirtyRows) {
  unsigned claims = 0;
  for (const Row& row : kRows) {
    const auto confidence = confidence_of(row.bin);
    ASSERT_EQ(confidence.has_value(), row.rows >= kLeastRows) << name_of(row.bin);
    if (confidence) {
      EXPECT_DOUBLE_EQ(*confidence, static_cast<double>(row.right) / row.rows);
      ++claims;
    }
  }
  EXPECT_GE(claims, 15U) << "scripts/calibrate.py --write fills the table";
}

Verdict judge_even(double count, double freed_share) {
  const auto times = even_times(10, 0.25);
  std::vector<Block> blocks;
  for (double i = 0; i < count; ++i) {
    const double t = 10 * (i + 0.5) / count;
    const bool freed = std::fmod(i, 10) < 10 * freed_share;
    blocks.push_back({t, freed ? t + 0.001 : kForever});
  }
  return judge(history_of(blocks, times), Timeline{times, 0});
}

TEST(Confidence, BinsAreByArrivalsAndByWhatWasFreed) {
  EXPECT_EQ(judge_even(15, 0).bin, Bin::k_under_20_even_kept);
  EXPECT_EQ(judge_even(40, 0).bin, Bin::k_under_50_even_kept);
  EXPECT_EQ(judge_even(100, 0).bin, Bin::k_under_200_even_kept);
  EXPECT_EQ(judge_even(1000, 0).bin, Bin::k_from_200_even_kept);
  EXPECT_EQ(judge_even(1000, 0.3).bin, Bin::k_from_200_even_freed);
}

TEST(Confidence, ManyArrivalsThatStayAreSurerThanFew) {
  const auto few = confidence_of(Bin::k_under_20_even_kept);
  const auto many = confidence_of(Bin::k_from_200_even_kept);
  ASSERT_TRUE(few && many);
  EXPECT_GE(*many, *few);
  EXPECT_GE(*many, 0.99);
  EXPECT_LT(confidence_of(Bin::k_unknown), *few) << "unknown says least";
}

}  // namespace
}  // namespace seep::rank
