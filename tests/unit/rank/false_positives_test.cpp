// How often sites that are no leak are accused, over many seeds. Design §6 names what naive tests
// accuse: steady populations in 33–40 % of runs, those that start from zero in 47–93 %.
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>

#include "analyzer/rank/judge.h"
#include "tests/unit/rank/population.h"

namespace seep::rank {
namespace {

constexpr unsigned kRuns = 400;
constexpr double kLength = 60;

using Life = std::function<double(std::mt19937&)>;

// Lives from `low` to `high` of the run, in three manners.
Life uniform(double low, double high) {
  return [=](std::mt19937& random) {
    return kLength * std::uniform_real_distribution<double>(low, high)(random);
  };
}

Life exponential(double mean) {
  return [=](std::mt19937& random) {
    return std::exponential_distribution<double>(1 / (mean * kLength))(random);
  };
}

// `alive` blocks on average once steady, when lives last `mean` of the run; tracked from zero, or
// already steady when the program began to be watched.
std::vector<Block> population(std::mt19937& random, const Life& life, double mean, double alive,
                              bool from_zero) {
  const double rate = alive / (mean * kLength);
  std::exponential_distribution<double> gap(rate);
  std::vector<Block> blocks;
  for (double t = from_zero ? 0 : -2 * kLength; t < kLength; t += gap(random)) {
    const double died = t + life(random);
    if (died > 0) {
      blocks.push_back({t, died});
    }
  }
  return blocks;
}

unsigned accused(const Life& life, double mean, double alive, bool from_zero) {
  unsigned growing = 0;
  const auto times = auto_times(kLength);
  for (unsigned seed = 0; seed < kRuns; ++seed) {
    std::mt19937 random(seed);
    const auto site = history_of(population(random, life, mean, alive, from_zero), times);
    growing += judge(site, Timeline{times, 0}).behaviour == model::Behaviour::kGrowing ? 1 : 0;
  }
  return growing;
}

struct Population {
  const char* name;
  Life life;
  double mean;
};

// Accusations in `kRuns` runs of one population, said in the test's output as well.
unsigned count_and_record(const Population& population, double alive, bool from_zero) {
  const unsigned growing = accused(population.life, population.mean, alive, from_zero);
  testing::Test::RecordProperty(std::string(population.name) +
                                    (from_zero ? " from zero, " : " steady, ") +
                                    std::to_string(static_cast<int>(alive)),
                                static_cast<int>(growing));
  return growing;
}

class FalsePositives : public testing::TestWithParam<bool> {};

TEST_P(FalsePositives, PopulationsThatTurnOverAreNotCalledGrowing) {
  const Population populations[] = {
      {"uniform 0.1-1.0", uniform(0.1, 1.0), 0.55}, {"uniform 0.1-0.5", uniform(0.1, 0.5), 0.3},
      {"exponential 0.1", exponential(0.1), 0.1},   {"exponential 0.3", exponential(0.3), 0.3},
      {"fixed 0.1", uniform(0.1, 0.1), 0.1},        {"fixed 0.5", uniform(0.5, 0.5), 0.5},
      {"fixed 0.8", uniform(0.8, 0.8), 0.8}};
  for (const Population& population : populations) {
    for (const double alive : {100.0, 1000.0}) {
      EXPECT_EQ(count_and_record(population, alive, GetParam()), 0U)
          << population.name << ", " << alive << " alive, of " << kRuns << " runs";
    }
    // Of twenty blocks few die within the run: a handful of deaths decides.
    EXPECT_LE(count_and_record(population, 20, GetParam()), kRuns * 2 / 100)
        << population.name << ", 20 alive, of " << kRuns << " runs";
  }
}

// Lives about as long as the run: from zero, nearly nothing dies before the end, and nothing but a
// longer run can tell such a site from a leak.
TEST_P(FalsePositives, LivesAsLongAsTheRunAreSeldomCalledGrowing) {
  const Population populations[] = {{"exponential 1.0", exponential(1.0), 1.0},
                                    {"fixed 0.95", uniform(0.95, 0.95), 0.95}};
  for (const Population& population : populations) {
    for (const double alive : {100.0, 1000.0}) {
      EXPECT_LE(count_and_record(population, alive, GetParam()), kRuns * 6 / 100)
          << population.name << ", " << alive << " alive, of " << kRuns << " runs";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(FromZeroOrSteady, FalsePositives, testing::Bool(),
                         [](const auto& with) { return with.param ? "FromZero" : "Steady"; });

unsigned found(double rate) {
  unsigned growing = 0;
  const auto times = auto_times(kLength);
  for (unsigned seed = 0; seed < kRuns; ++seed) {
    std::mt19937 random(seed);
    std::exponential_distribution<double> gap(rate);
    std::vector<Block> blocks;
    for (double t = gap(random); t < kLength; t += gap(random)) {
      blocks.push_back({t});
    }
    const auto site = history_of(blocks, times);
    growing += judge(site, Timeline{times, 0}).behaviour == model::Behaviour::kGrowing ? 1 : 0;
  }
  testing::Test::RecordProperty("found at " + std::to_string(rate) + " a second",
                                static_cast<int>(growing));
  return growing;
}

// The other side of the coin: blocks that come at random and stay.
TEST(FalseNegatives, LeaksAreFound) {
  EXPECT_GE(found(1), kRuns * 85 / 100) << "sixty blocks: chance alone bends some of them";
  EXPECT_GE(found(10), kRuns * 99 / 100);
  EXPECT_EQ(found(100), kRuns);
}

}  // namespace
}  // namespace seep::rank
