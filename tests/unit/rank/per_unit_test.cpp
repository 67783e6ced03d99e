// Growth per unit of work, where the work is not done evenly in time.
#include "analyzer/rank/per_unit.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/rank/population.h"

namespace seep::rank {
namespace {

// 312 bytes in 3 blocks for each of `units` units, at times when each was done, beside 20 blocks
// that were there before; the last snapshots of a recording are the densest.
struct Served {
  model::Recording recording;

  explicit Served(const std::vector<double>& when) {
    std::vector<Block> blocks(20);
    for (const double second : when) {
      for (int i = 0; i < 3; ++i) {
        blocks.push_back({second, kForever, 104});
      }
    }
    const std::vector<double> times = auto_times(60);
    recording = recording_of({history_of(blocks, times)}, times);
    for (model::Moment& moment : recording.moments) {
      moment.units = static_cast<std::uint64_t>(
          std::count_if(when.begin(), when.end(), [&](double at) { return at <= moment.time_s; }));
    }
  }

  [[nodiscard]] const model::SiteHistory& site() const { return recording.sites.front(); }
  void forget_units_but(const std::vector<std::size_t>& kept) {
    for (std::size_t i = 0; i < recording.moments.size(); ++i) {
      if (std::find(kept.begin(), kept.end(), i) == kept.end()) {
        recording.moments[i].units.reset();
      }
    }
  }
};

std::vector<double> evenly(double from, double to, int count) {
  std::vector<double> when;
  for (int i = 0; i < count; ++i) {
    when.push_back(from + (to - from) * (i + 0.5) / count);
  }
  return when;
}

// Idle, then a rush, then idle, then a trickle.
std::vector<double> in_rushes() {
  std::vector<double> when = evenly(5, 9, 4000);
  const std::vector<double> trickle = evenly(40, 60, 500);
  when.insert(when.end(), trickle.begin(), trickle.end());
  return when;
}

TEST(PerUnit, IsWhatEachUnitLeavesWhateverTheLoad) {
  for (const std::vector<double>& when : {evenly(0, 60, 3000), in_rushes()}) {
    const Served served(when);
    const PerUnit growth = growth_per_unit(served.site(), work_done(served.recording, 0));
    EXPECT_NEAR(growth.bytes, 312, 312 * 0.01);
    EXPECT_NEAR(growth.blocks, 3, 0.03);
    ASSERT_TRUE(growth.bytes_range.has_value());
    EXPECT_LE(growth.bytes_range->low, 312 * 1.001);
    EXPECT_GE(growth.bytes_range->high, 312 * 0.999);
    EXPECT_GT(growth.bytes_range->low, 280);
    EXPECT_LT(growth.bytes_range->high, 344);
  }
}

TEST(PerUnit, ThreeMarksByHandAreEnough) {
  Served served(evenly(0, 60, 3000));
  served.forget_units_but({5, 20, 60});
  const WorkDone work = work_done(served.recording, 0);
  ASSERT_EQ(work.units.size(), 3U);
  const PerUnit growth = growth_per_unit(served.site(), work);
  EXPECT_NEAR(growth.bytes, 312, 0.001);
  EXPECT_NEAR(growth.blocks, 3, 0.001);
  ASSERT_TRUE(growth.bytes_range.has_value());
  EXPECT_NEAR(growth.bytes_range->low, 312, 0.001);
}

TEST(PerUnit, TwoMarksGiveASlopeWithoutAnInterval) {
  Served served(evenly(0, 60, 3000));
  served.forget_units_but({5, 60});
  const PerUnit growth = growth_per_unit(served.site(), work_done(served.recording, 0));
  EXPECT_NEAR(growth.bytes, 312, 0.001);
  EXPECT_FALSE(growth.bytes_range.has_value());
}

TEST(PerUnit, NoCountOrNoWorkIsNotKnown) {
  Served served(evenly(0, 60, 3000));
  served.forget_units_but({5});
  EXPECT_FALSE(work_done(served.recording, 0).is_known());
  served.forget_units_but({});
  EXPECT_FALSE(work_done(served.recording, 0).is_known());
  const Served idle({});
  EXPECT_FALSE(work_done(idle.recording, 0).is_known());
}

TEST(PerUnit, ACountThatFallsIsLeftOut) {
  Served served(evenly(0, 60, 3000));
  served.recording.moments[30].units = 1;
  const WorkDone work = work_done(served.recording, 0);
  EXPECT_EQ(work.units.size(), served.recording.moments.size() - 1);
  EXPECT_NEAR(growth_per_unit(served.site(), work).bytes, 312, 312 * 0.01);
}

TEST(PerUnit, MarksBeforeTheWindowCountWhereThereAreNoOthers) {
  Served served(evenly(0, 60, 3000));
  served.forget_units_but({5, 20, 60});
  const double late = served.recording.moments[25].time_s;
  EXPECT_EQ(work_done(served.recording, late).units.size(), 3U);
  EXPECT_EQ(work_done(Served(evenly(0, 60, 3000)).recording, late).moments.front(), 25U);
}

// Steady traffic beside the leak moves the figure by no more than the interval says.
TEST(PerUnit, HoldsAmidTurnover) {
  std::mt19937 random(7);
  std::vector<Block> blocks;
  const std::vector<double> when = evenly(0, 60, 6000);
  std::exponential_distribution<double> life(2);
  for (const double second : when) {
    blocks.push_back({second, kForever, 64});
    blocks.push_back({second, second + life(random), 1000});
  }
  const std::vector<double> times = auto_times(60);
  model::Recording recording = recording_of({history_of(blocks, times)}, times);
  for (model::Moment& moment : recording.moments) {
    moment.units = static_cast<std::uint64_t>(moment.time_s * 100);
  }
  const PerUnit growth = growth_per_unit(recording.sites.front(), work_done(recording, 0));
  ASSERT_TRUE(growth.bytes_range.has_value());
  EXPECT_LE(growth.bytes_range->low, 64);
  EXPECT_GE(growth.bytes_range->high, 64);
  EXPECT_NEAR(growth.bytes, 64, 6);
}

TEST(PerUnit, UnitsASecond) {
  const Served served(evenly(0, 60, 3000));
  EXPECT_NEAR(units_per_s(served.recording, work_done(served.recording, 0)), 50, 0.5);
}

}  // namespace
}  // namespace seep::rank
