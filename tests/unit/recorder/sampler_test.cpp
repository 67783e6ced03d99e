// Seeds are fixed, so the outcomes are; tolerances are in standard errors of what chance allows.
#include "preload/recorder/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>
#include <vector>

#include "preload/runtime/real_math.h"

namespace seep::recorder {
namespace {

constexpr std::uint64_t kMean = 4096;
constexpr std::uint64_t kStride = 16384;
constexpr double kSigmas = 4;

bool take(std::size_t bytes, std::uint64_t stride = kStride) {
  return sampling_due(bytes) && decide(stride);
}

double inclusion(std::size_t size) {
  return -std::expm1(-static_cast<double>(size) / kMean);
}

struct Sampler : testing::Test {
  void SetUp() override { start_sampling(kMean); }
};

TEST_F(Sampler, ABlockIsTakenWithTheChanceOfItsSize) {
  constexpr int kBlocks = 200000;
  for (const std::size_t size : {1UL, 16UL, 100UL, 1000UL, 4096UL, 10000UL, 40960UL}) {
    seed_for_testing(size);
    int taken = 0;
    for (int i = 0; i < kBlocks; ++i) {
      taken += take(size) ? 1 : 0;
    }
    const double p = inclusion(size);
    EXPECT_NEAR(taken, kBlocks * p, kSigmas * std::sqrt(kBlocks * p * (1 - p)) + 1e-9) << size;
  }
}

TEST_F(Sampler, AnEmptyBlockCountsAsOneByte) {
  seed_for_testing(7);
  constexpr int kBlocks = 4000000;
  int taken = 0;
  for (int i = 0; i < kBlocks; ++i) {
    taken += take(0) ? 1 : 0;
  }
  const double expected = kBlocks * inclusion(1);
  EXPECT_NEAR(taken, expected, kSigmas * std::sqrt(expected));
}

// Distances between samples of one-byte blocks: 20 classes of equal probability, χ².
TEST_F(Sampler, DistancesAreExponential) {
  constexpr int kClasses = 20;
  constexpr int kDistances = 20000;
  seed_for_testing(3);
  std::vector<int> found(kClasses);
  int distance = 0;
  for (int i = 0; i < kDistances;) {
    ++distance;
    if (take(1)) {
      const double share = -std::expm1(-(distance - 0.5) / static_cast<double>(kMean));
      ++found[static_cast<std::size_t>(share * kClasses)];
      distance = 0;
      ++i;
    }
  }
  double chi_square = 0;
  constexpr double kExpected = static_cast<double>(kDistances) / kClasses;
  for (const int count : found) {
    chi_square += (count - kExpected) * (count - kExpected) / kExpected;
  }
  EXPECT_LT(chi_square, 43.8);  // 19 degrees of freedom, 0.1 %
  EXPECT_GT(chi_square, 5.4);   // 0.1 % on the other side: too regular is wrong too
}

struct Estimate {
  double blocks = 0;
  double bytes = 0;
  Variance variance;
};

Estimate estimate(const std::vector<std::size_t>& sizes, std::uint64_t seed) {
  seed_for_testing(seed);
  Estimate result;
  Weight sum;
  for (const std::size_t size : sizes) {
    if (take(size)) {
      const Weight weight = weight_of(size, kMean);
      sum.blocks += weight.blocks;
      sum.bytes += weight.bytes;
      const Variance part = variance_of(size, kMean);
      result.variance.blocks += part.blocks;
      result.variance.bytes += part.bytes;
    }
  }
  result.blocks = static_cast<double>(whole_blocks(sum.blocks));
  result.bytes = static_cast<double>(whole_bytes(sum.bytes));
  return result;
}

// The estimates of many runs scatter around the truth, and by as much as the variance says.
TEST_F(Sampler, TotalsAreUnbiasedAndTheirErrorIsTheStatedOne) {
  std::mt19937_64 random(11);
  std::lognormal_distribution<double> size_of(4.5, 1.5);  // median 90, mean 277 bytes
  std::vector<std::size_t> sizes(5000);
  double bytes = 0;
  for (std::size_t& size : sizes) {
    size = static_cast<std::size_t>(size_of(random));
    bytes += static_cast<double>(size);
  }
  constexpr int kRuns = 400;
  Estimate off;  // summed over the runs
  double square_blocks = 0;
  double square_bytes = 0;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    const Estimate found = estimate(sizes, 1000 + run);
    const double off_blocks = found.blocks - static_cast<double>(sizes.size());
    const double off_bytes = found.bytes - bytes;
    off.blocks += off_blocks;
    off.bytes += off_bytes;
    off.variance.blocks += found.variance.blocks;
    off.variance.bytes += found.variance.bytes;
    square_blocks += off_blocks * off_blocks;
    square_bytes += off_bytes * off_bytes;
  }
  EXPECT_LT(std::fabs(off.blocks), kSigmas * std::sqrt(off.variance.blocks));
  EXPECT_LT(std::fabs(off.bytes), kSigmas * std::sqrt(off.variance.bytes));
  // The sum of kRuns squares of normal deviates has the relative standard error sqrt(2/kRuns).
  const double tolerance = kSigmas * std::sqrt(2.0 / kRuns);
  EXPECT_NEAR(square_blocks / off.variance.blocks, 1, tolerance);
  EXPECT_NEAR(square_bytes / off.variance.bytes, 1, tolerance);
}

TEST_F(Sampler, StridesChangeNoDecision) {
  const auto decisions = [](std::uint64_t stride) {
    seed_for_testing(5);
    std::vector<bool> all;
    for (int i = 0; i < 50000; ++i) {
      all.push_back(take(static_cast<std::size_t>(i % 97) * 3, stride));
    }
    return all;
  };
  const std::vector<bool> expected = decisions(1U << 30);
  EXPECT_EQ(decisions(0), expected);
  EXPECT_EQ(decisions(1), expected);
  EXPECT_EQ(decisions(5000), expected);
}

TEST_F(Sampler, AHugeBlockLeavesTheCountdownWhole) {
  seed_for_testing(9);
  EXPECT_TRUE(take(std::size_t{1} << 62));
  EXPECT_GE(t_countdown.left, 0);
  EXPECT_GE(t_countdown.beyond, 0);
  EXPECT_LT(t_countdown.left + t_countdown.beyond, 37 * static_cast<std::int64_t>(kMean));
}

// The first allocation of a thread is taken with the chance of its size too.
TEST_F(Sampler, FreshThreadsAreUnbiased) {
  constexpr int kThreads = 2000;
  int taken = 0;
  std::thread([&] {
    for (int i = 0; i < kThreads; ++i) {
      restart_sampling();  // as a fresh thread finds it
      taken += take(1000) ? 1 : 0;
    }
  }).join();
  const double p = inclusion(1000);
  EXPECT_NEAR(taken, kThreads * p, kSigmas * std::sqrt(kThreads * p * (1 - p)));
}

TEST_F(Sampler, ThreadsAndForksDrawDifferently) {
  std::vector<std::int64_t> first_distances;
  for (int i = 0; i < 20; ++i) {
    std::thread([&] {
      take(0, std::uint64_t{1} << 40);
      first_distances.push_back(t_countdown.left);
    }).join();
  }
  std::sort(first_distances.begin(), first_distances.end());
  const auto distinct = std::unique(first_distances.begin(), first_distances.end());
  EXPECT_GT(distinct - first_distances.begin(), 15);
}

TEST_F(Sampler, WeightsAreOneOverTheChance) {
  for (const std::uint64_t size : {0UL, 1UL, 24UL, 4096UL, 65536UL, 1UL << 33, 1UL << 46}) {
    const double p = inclusion(size == 0 ? 1 : size);
    const Weight weight = weight_of(size, kMean);
    EXPECT_NEAR(static_cast<double>(weight.blocks) / (1U << kBlockFractionBits), 1 / p, 1.3e-4);
    EXPECT_NEAR(static_cast<double>(weight.bytes) / (1U << kByteFractionBits),
                static_cast<double>(size) / p, 0.04 + 1e-13 * static_cast<double>(size));
    const Variance variance = variance_of(size, kMean);
    EXPECT_NEAR(variance.blocks, (1 - p) / (p * p), 1e-12 / (p * p));
  }
  EXPECT_EQ(whole_blocks(weight_of(std::uint64_t{1} << 33, kMean).blocks), 1U);
  EXPECT_EQ(whole_bytes(weight_of(std::uint64_t{1} << 33, kMean).bytes), std::uint64_t{1} << 33);
}

}  // namespace
}  // namespace seep::recorder
