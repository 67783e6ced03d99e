// Verdicts on estimates: a rule about so many blocks is one about so many samples.
#include <gtest/gtest.h>

#include <random>

#include "analyzer/rank/judge.h"
#include "analyzer/rank/rank.h"
#include "tests/unit/rank/population.h"

namespace seep::rank {
namespace {

constexpr double kLength = 60;
constexpr unsigned kRuns = 100;

Verdict judge_sampled(const std::vector<Block>& blocks, double mean_bytes, unsigned seed) {
  const auto times = auto_times(kLength);
  return judge(sampled_history_of(blocks, times, mean_bytes, seed), Timeline{times, 0});
}

// `rate` blocks of 64 bytes a second, evenly; they die after `life` seconds.
std::vector<Block> stream(double rate, double begin, double life) {
  std::vector<Block> blocks;
  for (double t = begin; t < kLength; t += 1 / rate) {
    blocks.push_back({t, t + life});
  }
  return blocks;
}

struct Found {
  unsigned growing = 0;
  unsigned in_interval = 0;
};

Found find_leak(double rate, double mean_bytes) {
  Found found;
  for (unsigned seed = 0; seed < kRuns; ++seed) {
    const Verdict verdict = judge_sampled(stream(rate, 0.001, kForever), mean_bytes, seed);
    if (verdict.behaviour == model::Behaviour::kGrowing) {
      ++found.growing;
      const double truth = rate * 64;
      found.in_interval +=
          verdict.growth_range.low <= truth && truth <= verdict.growth_range.high ? 1 : 0;
    }
  }
  return found;
}

TEST(Sampled, ALeakOfManySamplesIsFoundAndItsGrowthBounded) {
  const Found dense = find_leak(2000, 16384);  // about 470 samples
  EXPECT_GE(dense.growing, kRuns * 99 / 100);
  EXPECT_GE(dense.in_interval, dense.growing * 90 / 100);
  const Found sparse = find_leak(2000, 131072);  // about 59
  EXPECT_GE(sparse.growing, kRuns * 75 / 100);
  EXPECT_GE(sparse.in_interval, sparse.growing * 85 / 100);
}

// A handful of samples is no leak, however many bytes they stand for.
TEST(Sampled, FewSamplesAreNotJudged) {
  for (unsigned seed = 0; seed < kRuns; ++seed) {
    const Verdict verdict = judge_sampled(stream(200, 0.001, kForever), 131072, seed);  // about 6
    EXPECT_EQ(verdict.behaviour, model::Behaviour::kUnknown) << verdict.why;
  }
  const Verdict verdict = judge_sampled(stream(200, 0.001, kForever), 131072, 1);
  EXPECT_NE(verdict.why.find("too few to tell"), std::string::npos) << verdict.why;
  EXPECT_NE(verdict.why.find("SEEP_SAMPLE_BYTES"), std::string::npos) << verdict.why;
}

TEST(Sampled, TurnoverIsNotCalledGrowing) {
  for (const double begin : {0.001, -kLength}) {
    for (const double life : {1.0, 6.0, 20.0}) {
      for (const double mean : {8192.0, 65536.0}) {
        unsigned growing = 0;
        for (unsigned seed = 0; seed < kRuns; ++seed) {
          auto blocks = stream(500, begin, life);
          growing += judge_sampled(blocks, mean, seed).behaviour == model::Behaviour::kGrowing;
        }
        EXPECT_LE(growing, kRuns * 2 / 100) << begin << " " << life << " " << mean;
      }
    }
  }
}

// Blocks larger than the mean are nearly all recorded: they are judged as in exact mode.
TEST(Sampled, LargeBlocksAreJudgedAsTheyAre) {
  std::vector<Block> blocks;
  for (double t = 1; t < kLength; t += 5) {
    blocks.push_back({t, kForever, 1 << 20});
  }
  const auto times = auto_times(kLength);
  const Verdict exact = judge(history_of(blocks, times), Timeline{times, 0});
  const Verdict sampled = judge_sampled(blocks, 65536, 1);
  EXPECT_EQ(exact.behaviour, model::Behaviour::kGrowing) << exact.why;
  EXPECT_EQ(sampled.behaviour, model::Behaviour::kGrowing) << sampled.why;
  EXPECT_EQ(sampled.why, exact.why);
}

TEST(Sampled, TheSmallestLeakIsWhatGetsEnoughSamples) {
  const auto times = auto_times(kLength);
  model::Recording recording = recording_of({}, times);
  recording.process.mode = model::Mode::kSample;
  recording.process.sample_bytes = 65536;
  const auto smallest = smallest_leak_bytes_per_s(recording, {});
  ASSERT_TRUE(smallest.has_value());
  EXPECT_GE(*smallest * kLength, 18.0 * 65536);
  EXPECT_LE(*smallest * kLength, 36.0 * 65536);
}

}  // namespace
}  // namespace seep::rank
