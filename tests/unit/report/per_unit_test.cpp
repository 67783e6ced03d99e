// Units of work in the report: what is added up, what is averaged, what comes first.
#include "analyzer/report/per_unit.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analyzer/report/build_report.h"
#include "analyzer/report/print.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

// The leak of recording_with_leak at `units_a_second`.
model::Recording counted(std::uint32_t pid, std::uint64_t leak_bytes, double units_a_second) {
  model::Recording recording = recording_with_leak(pid, leak_bytes);
  for (model::Moment& moment : recording.moments) {
    moment.units = static_cast<std::uint64_t>(moment.time_s * units_a_second);
  }
  return recording;
}

model::Report build(const std::vector<model::Recording>& recordings, const Options& options = {}) {
  symbolize::Symbolizer symbolizer({});
  return build_report(recordings, options, symbolizer);
}

TEST(ReportPerUnit, ASuspectSaysBytesAndBlocksPerUnit) {
  Options options;
  options.unit = "request";
  const model::Report report = build({counted(7, 6400, 50)}, options);
  const model::Suspect& first = report.suspects[0];
  ASSERT_TRUE(first.growth_bytes_per_unit.has_value());
  EXPECT_NEAR(*first.growth_bytes_per_unit, 128, 0.5);
  EXPECT_NEAR(*first.growth_blocks_per_unit, 2, 0.01);
  ASSERT_TRUE(first.growth_per_unit_range.has_value());
  ASSERT_TRUE(report.work.has_value());
  EXPECT_EQ(report.work->done, 3000);
  EXPECT_NEAR(report.work->per_s, 50, 0.01);
  EXPECT_NE(to_run_summary(report, "/x").find("  +128 B/request  "), std::string::npos)
      << to_run_summary(report, "/x");
  EXPECT_NE(to_text(report, {}).find("work: 3,000 requests, 50 a second"), std::string::npos)
      << to_text(report, {});
  TextOptions one;
  one.id = first.id;
  EXPECT_NE(
      to_text(report, one).find("+128 B/request (+128 B/request to +128 B/request) in +2 blo"),
      std::string::npos)
      << to_text(report, one);
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_NEAR(json["suspects"][0]["growth_bytes_per_unit"].get<double>(), 128, 0.5);
  EXPECT_NEAR(json["suspects"][0]["growth_blocks_per_unit"].get<double>(), 2, 0.01);
  EXPECT_EQ(json["suspects"][0]["growth_bytes_per_unit_range"].size(), 2U);
  EXPECT_EQ(json["work"]["unit"], "request");
}

TEST(ReportPerUnit, NothingCountedIsNull) {
  const model::Report report = build({recording_with_leak(7, 6400)});
  EXPECT_FALSE(report.work.has_value());
  EXPECT_FALSE(report.suspects[0].growth_bytes_per_unit.has_value());
  const auto json = nlohmann::json::parse(to_json(report));
  EXPECT_TRUE(json["work"].is_null());
  EXPECT_TRUE(json["suspects"][0]["growth_bytes_per_unit"].is_null());
  EXPECT_TRUE(json["suspects"][0]["growth_blocks_per_unit"].is_null());
}

// 128 bytes a request in one worker, 64 in the one that serves three times as many.
TEST(ReportPerUnit, WorkersCountWithTheWorkTheyHaveDone) {
  const model::Report report = build({counted(7, 6400, 50), counted(8, 9600, 150)});
  EXPECT_NEAR(*report.suspects[0].growth_bytes_per_unit, (128 * 50 + 64 * 150) / 200.0, 0.5);
  EXPECT_EQ(report.work->done, 12'000);
}

TEST(ReportPerUnit, LeaksAreRankedByGrowthPerUnitWhereAllKnowIt) {
  // Faster a second, less a request.
  model::Recording other = counted(8, 12'800, 1000);
  other.process.exe = "/opt/app/other";
  const model::Report report = build({counted(7, 6400, 50), other});
  EXPECT_NEAR(*report.suspects[0].growth_bytes_per_unit, 128, 0.5);
  EXPECT_NEAR(*report.suspects[1].growth_bytes_per_unit, 12.8, 0.1);
  for (model::Moment& moment : other.moments) {
    moment.units.reset();
  }
  EXPECT_NEAR(*build({counted(7, 6400, 50), other}).suspects[0].growth_bytes_per_s, 12'800, 1);
}

TEST(ReportPerUnit, SmallAmountsAreNotRoundedAway) {
  const model::Report report = build({counted(7, 6400, 25'600)});
  EXPECT_NE(to_run_summary(report, "/x").find("  +0.25 B/unit  "), std::string::npos)
      << to_run_summary(report, "/x");
}

}  // namespace
}  // namespace seep::report
