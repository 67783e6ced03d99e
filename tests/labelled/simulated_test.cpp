// Simulated sites of known truth: how often each family is called growing. The seeds are others
// than those of the table of confidences.
#include <gtest/gtest.h>

#include <string>

#include "tests/labelled/simulate/judge_run.h"

namespace seep::labelled {
namespace {

constexpr unsigned kRuns = 300;
constexpr std::uint64_t kSeed = 77'000'000;

unsigned claims(const Family& family) {
  unsigned count = 0;
  for (unsigned i = 0; i < kRuns; ++i) {
    count += judge_run(family, kSeed + i).claims() ? 1 : 0;
  }
  testing::Test::RecordProperty(family.name, static_cast<int>(count));
  return count;
}

// What scatters as much as it gains, or comes and goes in one order, is found less often.
unsigned least_found(const Family& family) {
  const std::string name = family.name;
  const bool hard = name == "among turnover" || name == "queue behind";
  return kRuns * (hard ? 60 : 90) / 100;
}

TEST(Simulated, LeaksAreFound) {
  unsigned found = 0;
  unsigned runs = 0;
  for (const Family& family : families()) {
    if (family.truth == Truth::kLeak) {
      const unsigned growing = claims(family);
      EXPECT_GE(growing, least_found(family)) << family.name << ", of " << kRuns << " runs";
      found += growing;
      runs += kRuns;
    }
  }
  EXPECT_GE(found, runs * 94 / 100);
}

TEST(Simulated, WhatIsSoundIsSeldomAccused) {
  unsigned accused = 0;
  unsigned runs = 0;
  for (const Family& family : families()) {
    if (family.truth == Truth::kNone) {
      const unsigned growing = claims(family);
      EXPECT_LE(growing, kRuns * 5 / 100) << family.name << ", of " << kRuns << " runs";
      accused += growing;
      runs += kRuns;
    }
  }
  EXPECT_LE(accused, runs / 100);
}

TEST(Simulated, ARunIsTheSameForTheSameSeed) {
  const Family& family = families().front();
  EXPECT_EQ(judge_run(family, 5).verdict.why, judge_run(family, 5).verdict.why);
  EXPECT_NE(judge_run(family, 5).verdict.why, judge_run(family, 6).verdict.why);
}

}  // namespace
}  // namespace seep::labelled
