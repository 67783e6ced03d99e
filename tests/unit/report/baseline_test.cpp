#include "analyzer/report/baseline.h"

#include <gtest/gtest.h>

#include "analyzer/report/build_report.h"
#include "analyzer/report/print.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

model::Suspect growing(double low, double high) {
  model::Suspect suspect = report_with_leak().suspects[0];
  suspect.growth_bytes_per_s = (low + high) / 2;
  suspect.growth_range = model::Range{low, high};
  return suspect;
}

bool known(const model::Suspect& now, const model::Suspect& before) {
  return is_known(now, {"before", {before}});
}

TEST(IsKnown, GrowthThatIsNotClearlyLarger) {
  EXPECT_TRUE(known(growing(90, 110), growing(90, 110)));
  EXPECT_TRUE(known(growing(20, 30), growing(90, 110))) << "less";
  EXPECT_TRUE(known(growing(130, 150), growing(90, 110))) << "apart, but not by a quarter";
  EXPECT_FALSE(known(growing(140, 150), growing(90, 110)));
  EXPECT_TRUE(known(growing(130, 500), growing(90, 110))) << "the intervals meet";
}

TEST(IsKnown, WhatDidNotGrowAcceptsNoGrowth) {
  model::Suspect steady = growing(0, 0);
  steady.growth_range.reset();
  EXPECT_FALSE(known(growing(10, 20), steady));
  steady.growth_bytes_per_s.reset();
  EXPECT_FALSE(known(growing(10, 20), steady)) << "too short to tell";
}

TEST(IsKnown, AnotherIdCountsWhenItIsTheSameFunction) {
  model::Suspect moved = growing(90, 110);
  moved.id = "ffffffffffffffff";
  EXPECT_TRUE(known(growing(90, 110), moved));
  moved.stack[0].file = "src/other.cpp";
  EXPECT_FALSE(known(growing(90, 110), moved));
  moved = growing(90, 110);
  moved.kind = model::SiteKind::kMmap;
  EXPECT_FALSE(known(growing(90, 110), moved));
}

TEST(IsKnown, PathsOfOneFunctionAddUp) {
  model::Suspect one = growing(90, 110);
  one.id = "aaaaaaaaaaaaaaaa";
  model::Suspect other = growing(90, 110);
  other.id = "bbbbbbbbbbbbbbbb";
  EXPECT_FALSE(is_known(growing(190, 210), {"", {one}}));
  EXPECT_TRUE(is_known(growing(190, 210), {"", {one, other}}));
}

TEST(IsKnown, UnitsOfWorkCountBeforeSeconds) {
  model::Suspect now = growing(900, 1100);
  model::Suspect before = growing(90, 110);
  now.growth_bytes_per_unit = 30;
  before.growth_bytes_per_unit = 30;
  EXPECT_TRUE(known(now, before)) << "ten times as fast for ten times the work";
  now.growth_bytes_per_unit = 60;
  EXPECT_FALSE(known(now, before));
}

TEST(IsKnown, OfUnreachableMemoryTheBlocksCount) {
  model::Suspect now = growing(0, 0);
  now.behaviour = model::Behaviour::kOneTime;
  now.verdict = "unreachable";
  now.unreachable_blocks = 4;
  model::Suspect before = now;
  EXPECT_TRUE(known(now, before));
  now.unreachable_blocks = 6;
  EXPECT_FALSE(known(now, before));
  before.unreachable_blocks.reset();
  EXPECT_FALSE(known(now, before)) << "nobody looked for it";
}

TEST(IsKnown, WhereTheBaselineWasTooShortForGrowthTheBlocksCount) {
  model::Suspect now = growing(90, 110);
  now.unreachable_blocks = 100;
  model::Suspect before = now;
  before.growth_bytes_per_s.reset();
  before.growth_range.reset();
  EXPECT_TRUE(known(now, before));
  before.unreachable_blocks = 10;
  EXPECT_FALSE(known(now, before));
  before.unreachable_blocks = 0;
  now.unreachable_blocks = 0;
  EXPECT_FALSE(known(now, before)) << "it grows, and nothing is lost";
}

TEST(SuspectsOfJson, GiveTheSameAnswerAsTheRecording) {
  const model::Report report = report_with_leak();
  const auto suspects = suspects_of_json(to_json(report), "r.json");
  ASSERT_TRUE(suspects.ok());
  ASSERT_EQ(suspects->size(), 1U);
  EXPECT_TRUE(is_known(report.suspects[0], {"r.json", *suspects}));
  model::Suspect moved = report.suspects[0];
  moved.id = "ffffffffffffffff";
  EXPECT_TRUE(is_known(moved, {"r.json", *suspects})) << "by its function";
  moved.growth_range = model::Range{1e6, 2e6};
  EXPECT_FALSE(is_known(moved, {"r.json", *suspects}));
}

TEST(SuspectsOfJson, OtherTextIsRefused) {
  for (const char* text : {"", "{", "[]", "{\"schema\": \"seep.diff/1\", \"suspects\": []}",
                           "{\"schema\": \"seep.report/1\"}", "null"}) {
    const auto suspects = suspects_of_json(text, "r.json");
    ASSERT_FALSE(suspects.ok()) << text;
    EXPECT_NE(suspects.error().message().find("r.json: is no whole seep.report/1"),
              std::string::npos);
  }
}

TEST(SuspectsOfJson, FieldsOfOtherTypesAreLeftOut) {
  const auto suspects = suspects_of_json(
      R"({"schema": "seep.report/1", "suspects": [1, {}, {"id": 5, "kind": "heap"},
          {"id": "x", "kind": "heap", "blame": -1, "stack": {}, "growth_bytes_per_s": "much",
           "growth_bytes_per_s_range": [1], "unreachable_blocks": -5}]})",
      "r.json");
  ASSERT_TRUE(suspects.ok());
  ASSERT_EQ(suspects->size(), 1U);
  EXPECT_FALSE(suspects->front().growth_bytes_per_s);
  EXPECT_FALSE(suspects->front().unreachable_blocks);
}

TEST(BuildReport, KnownLeaksAreSuppressedByTheBaseline) {
  symbolize::Symbolizer symbolizer({});
  Options options;
  options.baseline =
      Baseline{"before", build_report({recording_with_leak(6, 6400)}, {}, symbolizer).suspects};
  const model::Report same = build_report({recording_with_leak(7, 6400)}, options, symbolizer);
  EXPECT_EQ(same.suspects[0].suppressed_by, "baseline before");
  EXPECT_EQ(same.totals.leak_suspects, 0U);
  const model::Report faster = build_report({recording_with_leak(7, 12800)}, options, symbolizer);
  EXPECT_FALSE(faster.suspects[0].suppressed_by);
  EXPECT_EQ(faster.totals.leak_suspects, 1U);
}

}  // namespace
}  // namespace seep::report
