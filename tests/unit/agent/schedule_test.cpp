#include "preload/agent/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace seep::agent {
namespace {

using format::Trigger;

constexpr std::uint64_t kSecond = 1000;
constexpr std::uint64_t kDay = 24 * 3600 * kSecond;
constexpr std::uint64_t kCostNs = 50'000;

// A process that always has a thread which looks at the clock, in simulated time.
class Life {
 public:
  Life(std::size_t keep, bool is_auto, std::uint64_t interval_ms) : entries_(keep + 1) {
    schedule_.configure(entries_.data(), keep, is_auto, interval_ms);
    take(0, Trigger::kStart, kCostNs);
  }

  // Looks every `step_ms` until `end_ms`.
  void run_until(std::uint64_t end_ms, std::uint64_t step_ms, std::uint64_t cost_ns = kCostNs) {
    for (; now_ms_ <= end_ms; now_ms_ += step_ms) {
      if (schedule_.due(now_ms_)) {
        take(now_ms_, Trigger::kInterval, cost_ns);
      }
    }
  }

  void take(std::uint64_t now_ms, Trigger trigger, std::uint64_t cost_ns) {
    const KeptSnapshot snapshot{++sequence_, static_cast<std::uint32_t>(trigger), now_ms, 0};
    files_.push_back(snapshot);
    spent_ns_ += cost_ns;
    if (const std::uint32_t victim = schedule_.add(snapshot); victim != 0) {
      std::erase_if(files_, [&](const KeptSnapshot& file) { return file.sequence == victim; });
    }
    schedule_.plan_next(now_ms, cost_ns);
  }

  [[nodiscard]] const std::vector<KeptSnapshot>& files() const { return files_; }
  [[nodiscard]] std::uint64_t spent_ns() const { return spent_ns_; }
  [[nodiscard]] std::uint64_t now_ms() const { return now_ms_; }
  [[nodiscard]] std::uint32_t taken() const { return sequence_; }

  // The longest time between two files of [begin, end).
  [[nodiscard]] std::uint64_t longest_gap(std::size_t begin, std::size_t end) const {
    std::uint64_t longest = 0;
    for (std::size_t i = begin + 1; i < end; ++i) {
      longest = std::max(longest, files_[i].time_ms - files_[i - 1].time_ms);
    }
    return longest;
  }

 private:
  std::vector<KeptSnapshot> entries_;
  Schedule schedule_;
  std::vector<KeptSnapshot> files_;
  std::uint64_t now_ms_ = 0;
  std::uint64_t spent_ns_ = 0;
  std::uint32_t sequence_ = 0;
};

TEST(Schedule, AutoGivesATestOfASecondACurve) {
  Life life(64, true, 0);
  life.run_until(kSecond, 1);
  EXPECT_GE(life.files().size(), 18U);
  EXPECT_LE(life.files().size(), 21U);
}

TEST(Schedule, AutoKeepsTheLastMinutesDenseAndTheLifeEven) {
  Life life(64, true, 0);
  life.run_until(30 * kDay, kSecond);
  const std::size_t count = life.files().size();
  EXPECT_EQ(count, 64U);
  EXPECT_EQ(life.files().front().time_ms, 0U);
  EXPECT_LE(life.longest_gap(count - 32, count), 61 * kSecond);
  EXPECT_GE(life.files().back().time_ms, 30 * kDay - 61 * kSecond);
  // Even would be a thirty-second part of the life; thinning keeps within twice that.
  EXPECT_LE(life.longest_gap(0, count - 32), 2 * 30 * kDay / 32);
}

TEST(Schedule, AutoSpendsAtMostAFiveHundredthOfTheTime) {
  Life life(64, true, 0);
  constexpr std::uint64_t kDearNs = 80'000'000;
  life.run_until(600 * kSecond, 10, kDearNs);
  EXPECT_GE(life.taken(), 10U);
  // The first two are taken before any cost is known.
  EXPECT_LE((life.spent_ns() - 2 * kDearNs) * Schedule::kCostShare, life.now_ms() * 1'000'000);
}

TEST(Schedule, AFixedIntervalIsKept) {
  Life life(4096, false, 10 * kSecond);
  life.run_until(100 * kSecond, 10);
  EXPECT_EQ(life.taken(), 11U);
}

TEST(Schedule, OffIsNeverDue) {
  Life life(64, false, 0);
  life.run_until(10 * kSecond, 10);
  EXPECT_EQ(life.taken(), 1U);
}

TEST(Schedule, MarksOutliveIntervalSnapshots) {
  Life life(16, true, 0);
  for (std::uint64_t second = 1; second <= 10; ++second) {
    life.run_until(second * 600 * kSecond, kSecond);
    life.take(life.now_ms(), Trigger::kMark, kCostNs);
  }
  life.run_until(kDay, kSecond);
  const auto marks = std::count_if(life.files().begin(), life.files().end(), [](const auto& file) {
    return file.trigger == static_cast<std::uint32_t>(Trigger::kMark);
  });
  EXPECT_EQ(marks, 10);
  EXPECT_EQ(life.files().size(), 16U);
}

TEST(Schedule, NeverKeepsMoreThanAsked) {
  Life life(4, false, 10);
  for (std::uint64_t i = 1; i < 200; ++i) {
    life.take(i, Trigger::kMark, kCostNs);
    EXPECT_LE(life.files().size(), 4U);
  }
}

TEST(Schedule, GrowthIsThatOfTheLaterHalf) {
  std::vector<KeptSnapshot> entries(9);
  Schedule schedule;
  schedule.configure(entries.data(), 8, false, kSecond);
  std::int64_t milli = 0;
  schedule.add({1, 0, 0, 5000});
  EXPECT_FALSE(schedule.later_growth(milli)) << "one alone";
  schedule.add({2, 0, 0, 6000});
  EXPECT_FALSE(schedule.later_growth(milli)) << "no time between them";
  schedule.add({3, 0, 10 * kSecond, 100000});
  EXPECT_TRUE(schedule.later_growth(milli));
  EXPECT_EQ(milli, 9400 * 1000);
  schedule.add({4, 0, 20 * kSecond, 90000});
  EXPECT_TRUE(schedule.later_growth(milli));
  EXPECT_EQ(milli, -1000 * 1000);
}

}  // namespace
}  // namespace seep::agent
