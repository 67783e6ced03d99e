#include "analyzer/rank/repetitions.h"

#include <gtest/gtest.h>

#include <vector>

namespace seep::rank {
namespace {

using Bytes = std::vector<std::uint64_t>;

RepetitionVerdict judged(const Bytes& bytes) {
  std::vector<double> work;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    work.push_back(static_cast<double>(1U << i));
  }
  return judge_repetitions(work, bytes);
}

TEST(JudgeRepetitions, GrowthWithTheWorkIsALeak) {
  const RepetitionVerdict verdict = judged({5100, 5200, 5400, 5800});
  EXPECT_TRUE(verdict.grows);
  EXPECT_EQ(verdict.bytes_per_work, 100);
  EXPECT_EQ(verdict.why,
            "held 5.10 KB, 5.20 KB, 5.40 KB and 5.80 KB at the end of 1, 2, 4 and 8 times the "
            "work: 100 B more for each");
  EXPECT_TRUE(judged({100, 200, 400}).grows) << "three are enough";
}

TEST(JudgeRepetitions, WhatIsMadeOnceIsNone) {
  EXPECT_FALSE(judged({5000, 5000, 5000, 5000}).grows);
  EXPECT_FALSE(judged({0, 5000, 5000, 5000}).grows);
}

TEST(JudgeRepetitions, ACacheThatFillsFades) {
  EXPECT_FALSE(judged({1000, 2000, 4000, 4500}).grows);
  EXPECT_FALSE(judged({1000, 2000, 2500}).grows);
  EXPECT_TRUE(judged({1000, 9000, 11000, 15000}).grows) << "a warm-up in the first step";
}

TEST(JudgeRepetitions, GrowthMustStandInEachStep) {
  EXPECT_FALSE(judged({5000, 5100, 5000, 9000}).grows);
  EXPECT_FALSE(judged({5000, 4900, 5200}).grows);
}

TEST(JudgeRepetitions, NoiseOfAFewBytesIsNone) {
  EXPECT_FALSE(judged({1000, 1007, 1021, 1049}).grows) << "7 for each";
  EXPECT_TRUE(judged({1000, 1008, 1024, 1056, 1120}).grows) << "8 for each";
  EXPECT_FALSE(judged({1000, 1008, 1024}).grows) << "24 in all";
}

TEST(JudgeRepetitions, TwoAreTooFew) {
  EXPECT_FALSE(judged({1000, 2000}).grows);
  EXPECT_FALSE(judged({1000}).grows);
}

bool more_work(const Bytes& allocated) {
  std::vector<double> work;
  for (std::size_t i = 0; i < allocated.size(); ++i) {
    work.push_back(static_cast<double>(1U << i));
  }
  return does_more_work(work, allocated);
}

TEST(DoesMoreWork, EachStepAddsMore) {
  EXPECT_TRUE(more_work({50'100, 50'200, 50'400, 50'800}));
  EXPECT_TRUE(more_work({50'200, 50'600, 50'900, 51'300})) << "a cache spares some of it";
  EXPECT_FALSE(more_work({50'100, 50'100, 50'100, 50'100}));
  EXPECT_FALSE(more_work({50'100, 50'900, 50'400, 51'000}));
  EXPECT_FALSE(more_work({50'100, 50'200, 50'600, 50'700})) << "less than before";
  EXPECT_FALSE(more_work({50'100, 50'200})) << "two are too few";
}

}  // namespace
}  // namespace seep::rank
