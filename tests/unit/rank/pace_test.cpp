// When a gain came, and how many independent arrivals it scatters like.
#include "analyzer/rank/pace.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/unit/rank/population.h"

namespace seep::rank {
namespace {

constexpr double kLength = 10;

// Blocks alive at even times when `gained(t)` have come by then.
template <typename Gained>
Pace pace_of(Gained gained) {
  const auto t = even_times(kLength, 0.25);
  std::vector<double> y;
  for (const double when : t) {
    y.push_back(gained(when));
  }
  return measure_pace(t, y, 0, y.back() - y.front());
}

TEST(Pace, AnEvenGainHasItsCentreInTheMiddle) {
  const Pace pace = pace_of([](double t) { return 100 * t; });
  EXPECT_DOUBLE_EQ(pace.gain, 1000);
  EXPECT_NEAR(pace.centre, 0.5, 1e-9);
  EXPECT_DOUBLE_EQ(pace.events, 1000) << "no scatter: as many as there were";
}

TEST(Pace, ARateThatFallsToOneOverEHasItsCentreAt0418) {
  const Pace pace = pace_of([](double t) { return 1 - std::exp(-t / kLength); });
  const double expected = (1 - 2 / std::exp(1)) / (1 - 1 / std::exp(1));
  EXPECT_NEAR(pace.centre, expected, 0.001);
}

TEST(Pace, AWindowCountsFromItsStart) {
  const auto t = even_times(kLength, 0.25);
  std::vector<double> y;
  for (const double when : t) {
    y.push_back(when < 5 ? 0 : when - 5);
  }
  EXPECT_NEAR(measure_pace(t, y, 5, 100).centre, 0.5, 1e-9);
  EXPECT_GT(measure_pace(t, y, 0, 100).centre, 0.7);
}

TEST(Pace, EventsAreTheNumberOfBatchesNotOfBlocks) {
  std::mt19937 random(3);
  std::exponential_distribution<double> gap(4);
  double ones = 0;
  double batches = 0;
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::vector<Block> single;
    std::vector<Block> batched;
    for (double t = gap(random); t < kLength; t += gap(random)) {
      single.push_back({t});
      batched.insert(batched.end(), 25, Block{t});
    }
    const auto t = even_times(kLength, 0.25);
    const auto events = [&](const std::vector<Block>& blocks) {
      std::vector<double> y;
      for (const auto& at : history_of(blocks, t).at) {
        y.push_back(static_cast<double>(at.live_blocks));
      }
      return measure_pace(t, y, 0, y.back() - y.front()).events;
    };
    ones += events(single) / 50;
    batches += events(batched) / 50;
  }
  EXPECT_NEAR(ones, 38, 8) << "forty came";
  EXPECT_GT(batches, 20) << "forty of 25 blocks each";
  EXPECT_LT(batches, 100) << "forty of 25 blocks each";
}

TEST(Pace, NoGainIsNoEvents) {
  const Pace pace = pace_of([](double t) { return 10 - t; });
  EXPECT_LE(pace.gain, 0);
  EXPECT_EQ(pace.events, 0);
}

}  // namespace
}  // namespace seep::rank
