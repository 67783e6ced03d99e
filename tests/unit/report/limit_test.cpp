// Time and units left to a limit.
#include "analyzer/report/limit.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analyzer/report/build_report.h"
#include "analyzer/report/per_unit.h"
#include "analyzer/report/print.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

constexpr std::uint64_t kMega = 1'000'000;

// RSS grows by `leak_bytes` a second, to 4 MB and 60 times as much; 61 snapshots, a second apart.
model::Recording growing(std::uint32_t pid, std::uint64_t leak_bytes) {
  return recording_with_leak(pid, leak_bytes);
}

template <typename Field>
void set_in_all(model::Recording& recording, Field field, std::uint64_t value) {
  for (model::Moment& moment : recording.moments) {
    moment.accounting.*field = value;
  }
}

std::uint64_t rss_of(const model::Recording& recording) {
  return recording.moments.back().accounting.rss_bytes;
}

std::optional<model::Limit> limit_of(const std::vector<model::Recording>& recordings,
                                     std::optional<std::uint64_t> given = {}) {
  return nearest_limit(recordings, given, 0, true, work_of(recordings, "", ""));
}

TEST(Limit, IsReachedWhenWhatIsLeftHasGrown) {
  const std::vector<model::Recording> recordings = {growing(7, 64'000)};
  const auto limit = limit_of(recordings, rss_of(recordings[0]) + 64 * kMega);
  ASSERT_TRUE(limit.has_value());
  EXPECT_EQ(limit->source, "option");
  ASSERT_TRUE(limit->expected_s.has_value());
  EXPECT_NEAR(*limit->expected_s, 1000, 1);
  EXPECT_LE(limit->seconds->low, 1000.1);
  EXPECT_GE(limit->seconds->high, 999.9);
  EXPECT_FALSE(limit->units.has_value());
}

TEST(Limit, HasNoneWhereThereIsNone) {
  EXPECT_FALSE(limit_of({growing(7, 64'000)}).has_value());
}

TEST(Limit, TheNearestOfThoseRecordedIsTaken) {
  model::Recording recording = growing(7, 64'000);
  set_in_all(recording, &model::Accounting::limit_bytes, rss_of(recording) + 640 * kMega);
  EXPECT_EQ(limit_of({recording})->source, "cgroup");
  EXPECT_NEAR(*limit_of({recording})->expected_s, 10'000, 10);
  // The address space is larger, and grows as well.
  for (model::Moment& moment : recording.moments) {
    moment.accounting.address_bytes = moment.accounting.rss_bytes + 100 * kMega;
    moment.accounting.data_bytes = moment.accounting.rss_bytes;
  }
  const std::uint64_t address = recording.moments.back().accounting.address_bytes;
  set_in_all(recording, &model::Accounting::address_limit_bytes, address + 32 * kMega);
  EXPECT_EQ(limit_of({recording})->source, "rlimit");
  EXPECT_EQ(limit_of({recording})->bytes, address + 32 * kMega);
  EXPECT_NEAR(*limit_of({recording})->expected_s, 500, 1);
  set_in_all(recording, &model::Accounting::data_limit_bytes, rss_of(recording) + 16 * kMega);
  EXPECT_NEAR(*limit_of({recording})->expected_s, 250, 1);
  EXPECT_EQ(limit_of({recording}, 1ULL << 40)->source, "option") << "what is asked for";
}

TEST(Limit, WithoutGrowthNoTimeIsTold) {
  const auto limit = limit_of({growing(7, 0)}, 100 * kMega);
  ASSERT_TRUE(limit.has_value());
  EXPECT_FALSE(limit->seconds.has_value());
  EXPECT_FALSE(limit->expected_s.has_value());
}

TEST(Limit, GrowthThatIsNoneToSpeakOfReachesNothing) {
  const std::vector<model::Recording> recordings = {growing(7, 64'000)};
  EXPECT_FALSE(nearest_limit(recordings, 100 * kMega, 0, false, {})->seconds.has_value());
}

TEST(Limit, ThatIsPassedAlreadyTakesNoTime) {
  const std::vector<model::Recording> recordings = {growing(7, 64'000)};
  const auto limit = limit_of(recordings, kMega);
  EXPECT_EQ(limit->seconds->low, 0);
  EXPECT_EQ(limit->seconds->high, 0);
}

// Of a cgroup: workers share it, and those that have ended need nothing any more.
TEST(Limit, OfACgroupIsSharedByAllThatAreAlive) {
  std::vector<model::Recording> recordings = {growing(7, 64'000), growing(8, 64'000),
                                              growing(9, 64'000)};
  recordings[2].process.started_unix_ns -= 3'000'000'000'000;
  for (model::Recording& recording : recordings) {
    set_in_all(recording, &model::Accounting::limit_bytes, 2 * rss_of(recording) + 128 * kMega);
  }
  EXPECT_NEAR(*limit_of(recordings)->expected_s, 1000, 1);
}

TEST(Limit, IsToldInTheReport) {
  model::Recording recording = growing(7, 64'000);
  for (model::Moment& moment : recording.moments) {
    moment.units = static_cast<std::uint64_t>(moment.time_s) * 200;
  }
  Options options;
  options.limit_bytes = 512ULL << 20;
  options.unit = "request";
  symbolize::Symbolizer symbolizer({});
  const model::Report report = build_report({recording}, options, symbolizer);
  const double left = static_cast<double>(*options.limit_bytes - rss_of(recording)) / 64'000;
  const auto json = nlohmann::json::parse(to_json(report))["totals"]["limit"];
  EXPECT_EQ(json["bytes"], 512ULL << 20);
  EXPECT_EQ(json["source"], "option");
  EXPECT_NEAR(json["seconds"][0].get<double>(), left, 2);
  EXPECT_NEAR(json["seconds"][1].get<double>(), left, 2);
  EXPECT_NEAR(json["units"][0].get<double>(), left * 200, 400);
  const std::string wanted =
      " At this rate 512M (option) is reached in 2 h 17 m (2.3–2.3 h) = 1,600,000 requests.\n";
  EXPECT_NEAR(left, 8250, 1) << "2 h 17 m 30 s";
  EXPECT_NE(to_run_summary(report, "/x").find(wanted), std::string::npos)
      << to_run_summary(report, "/x");
  EXPECT_NE(to_text(report, {}).find(wanted.substr(1)), std::string::npos) << to_text(report, {});
}

}  // namespace
}  // namespace seep::report
