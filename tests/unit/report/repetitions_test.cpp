// Repetitions in a report: what a call path held at the end of each decides.
#include "analyzer/report/repetitions.h"

#include <gtest/gtest.h>

#include "analyzer/report/build_report.h"
#include "analyzer/report/print.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

// A run of two snapshots, too short for any verdict, in which the fixture's leak has this level.
model::Recording short_run(std::uint32_t pid, std::uint64_t leaked_bytes) {
  model::Recording recording = recording_with_leak(pid, 6400);
  recording.moments.resize(2);
  for (model::SiteHistory& site : recording.sites) {
    site.at.resize(2);
  }
  recording.sites[2].at[1] = {leaked_bytes, leaked_bytes / 64, leaked_bytes, leaked_bytes / 64};
  return recording;
}

model::Report repeated(const std::vector<std::vector<model::Recording>>& runs) {
  Options options;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    options.repetitions.work.push_back(static_cast<double>(1U << i));
    options.repetitions.levels.push_back(end_levels(runs[i]));
  }
  symbolize::Symbolizer symbolizer({});
  return build_report(runs.back(), options, symbolizer);
}

TEST(RepetitionsInReport, APathThatHoldsMoreForMoreWorkLeaks) {
  const model::Report report = repeated(
      {{short_run(1, 640)}, {short_run(2, 1280)}, {short_run(3, 2560)}, {short_run(4, 5120)}});
  ASSERT_EQ(report.totals.leak_suspects, 1U);
  const model::Suspect& leak = report.suspects[0];
  EXPECT_EQ(leak.verdict, "growing");
  EXPECT_EQ(leak.repetition_bytes, (std::vector<std::uint64_t>{640, 1280, 2560, 5120}));
  EXPECT_EQ(leak.growth_bytes_per_unit, 640);
  EXPECT_FALSE(leak.growth_range);
  EXPECT_EQ(report.conclusion.cause, "leak");
  EXPECT_EQ(report.suspects[1].verdict, "one-time") << report.suspects[1].why;
}

TEST(RepetitionsInReport, GrowthInTimeAloneIsNone) {
  std::vector<std::vector<model::Recording>> runs;
  for (std::uint32_t pid = 1; pid <= 3; ++pid) {
    runs.push_back({recording_with_leak(pid, 6400)});
  }
  const model::Report report = repeated(runs);
  EXPECT_EQ(report.totals.leak_suspects, 0U) << report.suspects[0].why;
  EXPECT_EQ(report.conclusion.cause, "none");
  EXPECT_NE(to_run_summary(report, "/out").find("no leak: nothing holds more"), std::string::npos);
}

TEST(RepetitionsInReport, MoreProcessesAreNoGrowth) {
  const auto processes = [](std::uint32_t count) {
    std::vector<model::Recording> run;
    for (std::uint32_t pid = 1; pid <= count; ++pid) {
      run.push_back(short_run(pid, 640));
    }
    return run;
  };
  EXPECT_EQ(repeated({processes(1), processes(2), processes(4)}).totals.leak_suspects, 0U);
}

}  // namespace
}  // namespace seep::report
