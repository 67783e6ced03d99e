#include "cli/check.h"

#include <gtest/gtest.h>

namespace seep::cli {
namespace {

// A report of one process with this many snapshots and one suspect that grows through them all.
model::Report growing_report(unsigned snapshots) {
  model::Report report;
  model::Suspect suspect;
  suspect.id = "0123456789abcdef";
  suspect.leak = true;
  suspect.verdict = "growing";
  for (unsigned i = 0; i < snapshots; ++i) {
    report.snapshots.push_back({"server.1", {}});
    suspect.series_bytes.push_back(100 * i);
  }
  report.suspects.push_back(suspect);
  return report;
}

TEST(Check, ALeakOverEightSnapshotsCounts) {
  const model::Report report = growing_report(8);
  EXPECT_EQ(check(report, {}).leaks.size(), 1U);
  EXPECT_EQ(check(report, {}).not_judged.size(), 0U);
}

TEST(Check, FewerSnapshotsAreNotJudgedAndSaid) {
  const model::Report report = growing_report(7);
  const CheckResult result = check(report, {});
  EXPECT_EQ(result.leaks.size(), 0U);
  ASSERT_EQ(result.not_judged.size(), 1U);
  EXPECT_NE(to_text(result).find("not judged: 0123456789abcdef"), std::string::npos);
}

TEST(Check, SnapshotsOfProcessesThatDoNotShowItDoNotCount) {
  model::Report report = growing_report(7);
  for (int i = 0; i < 20; ++i) {
    report.snapshots.push_back({"other.2", {}});
    report.suspects[0].series_bytes.push_back(0);
  }
  EXPECT_EQ(check(report, {}).leaks.size(), 0U);
}

TEST(Check, SnapshotsOfTwoProcessesAreNotAddedUp) {
  model::Report report = growing_report(7);
  for (unsigned i = 0; i < 7; ++i) {
    report.snapshots.push_back({"other.2", {}});
    report.suspects[0].series_bytes.push_back(100 * i);
  }
  EXPECT_EQ(check(report, {}).leaks.size(), 0U);
}

TEST(Check, UnreachableMemoryIsAlwaysJudged) {
  model::Report report = growing_report(1);
  report.suspects[0].verdict = "unreachable";
  EXPECT_EQ(check(report, {}).leaks.size(), 1U);
}

TEST(Check, MemoryLostForGoodIsJudgedWhateverTheVerdict) {
  model::Report report = growing_report(1);
  report.suspects[0].unreachable_direct_blocks = 3;
  EXPECT_EQ(check(report, {}).leaks.size(), 0U);
  report.scan = model::ReportScan{model::ScanTime::kExit, true, std::nullopt};
  EXPECT_EQ(check(report, {}).leaks.size(), 1U);
  report.scan->when = model::ScanTime::kRequest;
  EXPECT_EQ(check(report, {}).leaks.size(), 0U);
  report.suspects[0].recurring = true;
  EXPECT_EQ(check(report, {}).leaks.size(), 1U);
}

TEST(Check, LowConfidenceIsNotJudged) {
  model::Report report = growing_report(20);
  report.suspects[0].confidence = 0.89;
  EXPECT_EQ(check(report, {}).not_judged.size(), 1U);
  report.suspects[0].confidence = 0.9;
  EXPECT_EQ(check(report, {}).leaks.size(), 1U);
}

TEST(Check, WhatIsNoLeakOrSuppressedPasses) {
  model::Report report = growing_report(20);
  report.suspects[0].suppressed_by = "leak:open_session";
  EXPECT_EQ(check(report, {}).leaks.size(), 0U);
  EXPECT_EQ(check(report, {}).suppressed, 1U);
  report.suspects[0].leak = false;
  EXPECT_EQ(check(report, {}).suppressed, 0U);
}

TEST(Check, LeaksBelowAThresholdPassAndAreSaid) {
  model::Report report = growing_report(20);
  report.suspects[0].live_bytes = 4095;
  CheckOptions options;
  options.least_bytes = 4096;
  const CheckResult result = check(report, options);
  EXPECT_EQ(result.leaks.size(), 0U);
  ASSERT_EQ(result.small.size(), 1U);
  EXPECT_NE(to_text(result).find("below the threshold: 0123456789abcdef"), std::string::npos);
  report.suspects[0].live_bytes = 4096;
  EXPECT_EQ(check(report, options).leaks.size(), 1U);
  options.least_per_unit = 32;
  EXPECT_EQ(check(report, options).leaks.size(), 1U) << "without units there is no such figure";
  report.suspects[0].growth_bytes_per_unit = 31;
  EXPECT_EQ(check(report, options).leaks.size(), 0U);
}

TEST(Check, OfUnreachableMemoryWhatIsUnreachableCounts) {
  model::Report report = growing_report(1);
  report.suspects[0].verdict = "unreachable";
  report.suspects[0].live_bytes = 1'000'000;
  report.suspects[0].unreachable_bytes = 100;
  CheckOptions options;
  options.least_bytes = 4096;
  EXPECT_EQ(check(report, options).small.size(), 1U);
}

TEST(Check, CallPathsWhoseGrowthIsUnknownAreSaid) {
  model::Report report = growing_report(3);
  report.suspects[0].leak = false;
  report.suspects[0].behaviour = model::Behaviour::kUnknown;
  report.suspects[0].why = "3 snapshots, and 8 are needed";
  const CheckResult result = check(report, {});
  EXPECT_EQ(result.leaks.size(), 0U);
  ASSERT_EQ(result.unknown.size(), 1U);
  EXPECT_NE(to_text(result).find("3 snapshots, and 8 are needed"), std::string::npos);
}

TEST(Check, NamesCannotSendEscapeSequences) {
  model::Report report = growing_report(8);
  report.suspects[0].stack = {{}};
  report.suspects[0].stack[0].function = "open\x1b[2J";
  const std::string text = to_text(check(report, {}));
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  EXPECT_NE(text.find("open\\x1b[2J"), std::string::npos) << text;
}

TEST(Check, TheTextSaysByWhatItWasJudged) {
  model::Report report = growing_report(8);
  EXPECT_NE(to_text(check(report, {})).find("confidence is not calibrated"), std::string::npos);
  report.suspects[0].confidence = 0.95;
  EXPECT_EQ(to_text(check(report, {})).find("confidence is not calibrated"), std::string::npos);
}

}  // namespace
}  // namespace seep::cli
