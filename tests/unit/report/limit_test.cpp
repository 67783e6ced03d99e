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

// PHP's allocator, in a script that keeps `kept` bytes a second of what it takes, in chunks of 2
// MB, and has reached 4 MB and 60 times as much.
model::Recording php(double kept, std::uint64_t limit) {
  constexpr std::uint64_t kChunk = 2 << 20;
  model::Recording recording = growing(7, 64'000);
  recording.id = "php.7";
  for (model::Moment& moment : recording.moments) {
    const auto used = 4 * kMega + static_cast<std::uint64_t>(kept * moment.time_s);
    moment.accounting.script_used_bytes = used;
    moment.accounting.script_real_bytes = (used / kChunk + 1) * kChunk;
    moment.accounting.script_peak_bytes = moment.accounting.script_real_bytes;
    moment.accounting.script_limit_bytes = limit;
  }
  return recording;
}

TEST(Limit, OfPhpIsReachedWhenItsChunksAreFull) {
  constexpr std::uint64_t kBytes = 64 << 20;
  const double truth = (kBytes - 4e6) / 250e3 - 60;
  const auto limit = limit_of({php(250e3, kBytes)});
  ASSERT_TRUE(limit && limit->seconds);
  EXPECT_EQ(limit->source, "memory_limit");
  EXPECT_EQ(limit->process, "php.7");
  EXPECT_EQ(limit->bytes, kBytes);
  EXPECT_LE(limit->seconds->low, truth);
  EXPECT_GE(limit->seconds->high, truth - 0.1);
  EXPECT_LT(limit->seconds->high - limit->seconds->low, 10) << "a chunk is full in 8.4 s";
  EXPECT_GE(*limit->expected_s, limit->seconds->low);
  EXPECT_LE(*limit->expected_s, limit->seconds->high);
}

// Of what it took for a moment, and may take again.
TEST(Limit, OfPhpComesSoonerWhereTheScriptHadPeaks) {
  model::Recording recording = php(250e3, 64 << 20);
  set_in_all(recording, &model::Accounting::script_peak_bytes, 40 << 20);
  EXPECT_NEAR(limit_of({recording})->seconds->low, 24 * 1048576 / 250e3, 1);
  set_in_all(recording, &model::Accounting::script_limit_bytes, (65 << 20) - 4096);
  EXPECT_NEAR(limit_of({recording})->seconds->low, 24 * 1048576 / 250e3, 1)
      << "a part of a chunk is never had";
}

TEST(Limit, OfPhpInUnitsIsByWhatEachHasAdded) {
  model::Recording recording = php(250e3, 64 << 20);
  for (model::Moment& moment : recording.moments) {  // the first half has twice the pace
    const double s = moment.time_s;
    moment.units = static_cast<std::uint64_t>(100 * (s < 30 ? 2 * s : 30 + s));
    const auto kept = static_cast<std::uint64_t>(2500 * static_cast<double>(*moment.units));
    model::Accounting& at = moment.accounting;
    at.script_used_bytes = 4 * kMega + kept;
    at.script_real_bytes = at.script_peak_bytes = at.script_used_bytes + kMega;
  }
  const double truth = ((64 << 20) - 4e6) / 2500 - 9000;
  const auto limit = limit_of({recording});
  ASSERT_TRUE(limit && limit->units);
  EXPECT_NEAR(limit->units->high, truth, 0.01 * truth);
  EXPECT_LE(limit->units->low, truth);
}

TEST(Limit, HasNoUnitsWhereAllWorkWasDoneAtOnce) {
  model::Recording recording = growing(7, 64'000);
  for (model::Moment& moment : recording.moments) {
    moment.units = moment.time_s < 2 ? 0 : 5000;
  }
  const auto work = work_of({recording}, "", "");
  ASSERT_TRUE(work && work->done == 5000 && work->per_s == 0);
  const auto limit = limit_of({recording}, rss_of(recording) + 64 * kMega);
  ASSERT_TRUE(limit && limit->seconds);
  EXPECT_FALSE(limit->units.has_value()) << "at no pace no number is left";
  EXPECT_FALSE(limit->expected_units.has_value());
}

TEST(Limit, OfPhpThatIsLevelledOffOrNoneIsNotReached) {
  model::Recording recording = php(250e3, 64 << 20);
  for (model::Moment& moment : recording.moments) {  // filled in the first half
    model::Accounting& at = moment.accounting;
    const double s = std::min(moment.time_s, 32.0);
    at.script_used_bytes = 4 * kMega + static_cast<std::uint64_t>(250e3 * s);
    at.script_real_bytes = at.script_peak_bytes = at.script_used_bytes + kMega;
  }
  EXPECT_EQ(limit_of({recording})->source, "memory_limit");
  EXPECT_FALSE(limit_of({recording})->seconds.has_value());
  EXPECT_FALSE(limit_of({php(250e3, 0)}).has_value()) << "memory_limit=-1";
  EXPECT_FALSE(limit_of({php(0, 64 << 20)})->seconds.has_value());
}

TEST(Limit, OfPhpHasBeenReachedWhereThatWasSeen) {
  model::Recording recording = php(250e3, 64 << 20);
  model::Moment& last = recording.moments.back();
  last.trigger = model::Trigger::kLimit;
  EXPECT_EQ(*limit_of({recording})->expected_s, 0);
  EXPECT_EQ(*nearest_limit({recording}, {}, 0, false, {})->expected_s, 0);
  recording.moments.push_back(last);  // of the next request
  recording.moments.back().trigger = model::Trigger::kExit;
  recording.moments.back().accounting.script_peak_bytes = 2 << 20;
  EXPECT_NE(limit_of({recording})->expected_s, 0);
}

// Beside the limit of the whole container, and what PHP has is left out at the end.
TEST(Limit, OfPhpIsOneOfThoseRecorded) {
  model::Recording recording = php(250e3, 64 << 20);
  set_in_all(recording, &model::Accounting::limit_bytes, rss_of(recording) + 64 * kMega);
  EXPECT_EQ(limit_of({recording})->source, "memory_limit") << "in 190 s, not 1,000";
  set_in_all(recording, &model::Accounting::script_limit_bytes, 1 << 30);
  EXPECT_EQ(limit_of({recording})->source, "cgroup");
  recording = php(250e3, 64 << 20);
  recording.moments.back().accounting.script_real_bytes = 0;
  recording.moments.back().accounting.script_used_bytes = 0;
  recording.moments.back().accounting.script_limit_bytes = 0;
  EXPECT_EQ(limit_of({recording})->source, "memory_limit");
}

TEST(Limit, OfPhpIsNamedInTheText) {
  Options options;
  symbolize::Symbolizer symbolizer({});
  model::Report report = build_report({php(250e3, 64 << 20)}, options, symbolizer);
  ASSERT_TRUE(report.totals.limit && report.totals.limit->seconds);
  EXPECT_NE(to_text(report, {}).find("64M (PHP's memory_limit) is reached in "), std::string::npos)
      << to_text(report, {});
  report.processes.push_back(report.processes.front());
  EXPECT_NE(to_text(report, {}).find("64M (PHP's memory_limit of php.7)"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(to_json(report))["totals"]["limit"]["process"], "php.7");
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
