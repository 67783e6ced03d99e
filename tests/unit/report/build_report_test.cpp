// From recordings to a report: groups, workers, order, series, conclusion. The modules of these
// recordings do not exist, so frames have no names.
#include "analyzer/report/build_report.h"

#include <gtest/gtest.h>

#include <set>

#include "analyzer/rank/judge.h"
#include "tests/unit/report/fixture.h"

namespace seep::report {
namespace {

model::Report build(const std::vector<model::Recording>& recordings, const Options& options = {}) {
  symbolize::Symbolizer symbolizer({});
  return build_report(recordings, options, symbolizer);
}

TEST(BuildReport, TheLeakComesFirst) {
  const model::Report report = build({recording_with_leak(7, 6400)});
  ASSERT_EQ(report.suspects.size(), 3U);
  const model::Suspect& first = report.suspects[0];
  EXPECT_TRUE(first.leak) << first.why;
  EXPECT_EQ(first.rank, 1U);
  EXPECT_EQ(first.verdict, "growing");
  EXPECT_NEAR(*first.growth_bytes_per_s, 6400, 1);
  EXPECT_EQ(first.live_blocks, 6000U);
  EXPECT_EQ(first.series_bytes.size(), report.snapshots.size());
  EXPECT_EQ(first.series_bytes.back(), first.live_bytes);
  EXPECT_EQ(first.paths.size(), 1U);
  EXPECT_EQ(report.suspects[1].behaviour, model::Behaviour::kOneTime);
  EXPECT_EQ(report.suspects[2].behaviour, model::Behaviour::kSteady) << report.suspects[2].why;
  EXPECT_EQ(report.conclusion.cause, "leak");
  EXPECT_EQ(report.conclusion.sentence,
            "RSS grows by +23.0 MB/h: 100 % explained by 1 leak, allocated in server+0x1300");
  EXPECT_EQ(report.totals.leak_suspects, 1U);
  EXPECT_FALSE(report.totals.smallest_leak_seen_bytes_per_h.has_value());
}

// The recording with its leak sampled: of 64-byte blocks, every hundredth.
model::Recording sampled_with_leak(std::uint32_t pid, double error) {
  model::Recording recording = recording_with_leak(pid, 6400);
  recording.process.mode = model::Mode::kSample;
  recording.process.sample_bytes = 6400;
  for (model::SiteHistory& site : recording.sites) {
    for (const model::Counters& at : site.at) {
      site.estimates.push_back({at.live_blocks / 100, error});
    }
  }
  recording.moments.back().live_bytes_error = 2 * error;
  return recording;
}

TEST(BuildReport, ErrorsOfSitesAndProcessesAddUpAsVariances) {
  const model::Report report = build({sampled_with_leak(7, 3000), sampled_with_leak(8, 4000)});
  const model::Suspect& first = report.suspects[0];
  EXPECT_TRUE(first.leak) << first.why;
  ASSERT_TRUE(first.live_bytes_error.has_value());
  EXPECT_NEAR(*first.live_bytes_error, 5000, 1e-6);
  ASSERT_TRUE(report.totals.live_bytes_error.has_value());
  EXPECT_NEAR(*report.totals.live_bytes_error, 10000, 1e-6);
}

TEST(BuildReport, WithoutSamplingThereIsNoError) {
  const model::Report report = build({recording_with_leak(7, 6400)});
  EXPECT_FALSE(report.suspects[0].live_bytes_error.has_value());
  EXPECT_FALSE(report.totals.live_bytes_error.has_value());
}

TEST(BuildReport, WorkersOfOneProgramAreMerged) {
  const model::Report report = build(
      {recording_with_leak(7, 6400), recording_with_leak(8, 6400), recording_with_leak(9, 0)});
  ASSERT_EQ(report.suspects.size(), 3U);
  const model::Suspect& leak = report.suspects[0];
  EXPECT_EQ(leak.workers_seen, 2U);
  EXPECT_EQ(leak.workers_of, 3U);
  EXPECT_NEAR(*leak.growth_bytes_per_s, 2 * 6400, 2);
  EXPECT_EQ(leak.live_blocks, 12'000U);
  EXPECT_EQ(leak.series_bytes.size(), 3U * 61);
  EXPECT_EQ(leak.series_bytes[60], 6400U * 60);
  EXPECT_EQ(leak.series_bytes[61], 0U) << "the second process begins";
  EXPECT_EQ(report.suspects[1].workers_seen, 3U);
}

TEST(BuildReport, BySiteGivesEachProcessItsOwnRow) {
  Options options;
  options.by_site = true;
  EXPECT_EQ(
      build({recording_with_leak(7, 6400), recording_with_leak(8, 6400)}, options).suspects.size(),
      6U);
}

TEST(BuildReport, NoTwoSuspectsHaveOneId) {
  model::Recording recording = recording_with_leak(7, 6400);
  recording.sites.push_back(recording.sites[1]);  // the same stack turns over maps, too
  recording.sites.push_back(recording.sites[1]);
  recording.sites[3].kind = model::SiteKind::kMmap;
  recording.sites[4].node = 3;  // and the leak's function steady blocks, on the leak's own path
  recording.sites[4].kind = model::SiteKind::kMmap;
  const model::Report report = build({recording});
  std::set<std::string> ids;
  for (const model::Suspect& suspect : report.suspects) {
    EXPECT_TRUE(ids.insert(suspect.id).second) << suspect.id;
  }
  EXPECT_EQ(ids.size(), 5U);
}

// The leak of server 7 under a hundred and fifty callers instead of one.
model::Recording recording_with_paths() {
  model::Recording recording = recording_with_leak(7, 6400);
  const model::SiteHistory leak = recording.sites.back();
  for (std::uint64_t i = 0; i < 150; ++i) {
    model::Node caller = recording.stacks.nodes[2];
    caller.offset = 0x2000 + 0x10 * i;
    recording.stacks.nodes.push_back(caller);
    model::Node leaf = recording.stacks.nodes[3];
    leaf.parent = static_cast<std::uint32_t>(recording.stacks.nodes.size() - 1);
    recording.stacks.nodes.push_back(leaf);
    recording.sites.push_back(leak);
    recording.sites.back().node = leaf.parent + 1;
  }
  return recording;
}

TEST(BuildReport, ASuspectShowsItsPathsAndSaysHowManyItLeavesOut) {
  Options options;
  const model::Report report = build({recording_with_paths()}, options);
  const model::Suspect& first = report.suspects[0];
  EXPECT_EQ(first.sites, 151U);
  EXPECT_EQ(first.paths.size() + first.paths_omitted, 151U);
  EXPECT_EQ(first.paths.size(), 100U);
  EXPECT_EQ(first.stack[first.blame].offset, 0x1300U);
  EXPECT_EQ(first.paths[7].stack[first.paths[7].blame].offset, 0x1300U);
  EXPECT_EQ(report.totals.leak_suspects, 1U);
  options.all_paths_of = first.id;
  const model::Report whole = build({recording_with_paths()}, options);
  EXPECT_EQ(whole.suspects[0].paths.size(), 151U);
  EXPECT_EQ(whole.suspects[0].paths_omitted, 0U);
  EXPECT_EQ(whole.suspects[0].id, first.id);
}

TEST(BuildReport, ASiteOfItsOwnRowHasNoPathsBesideItsStack) {
  Options options;
  options.by_site = true;
  const model::Report report = build({recording_with_paths()}, options);
  EXPECT_EQ(report.suspects.size(), 153U);
  EXPECT_TRUE(report.suspects[0].paths.empty());
  EXPECT_FALSE(report.suspects[0].stack.empty());
  EXPECT_EQ(report.suspects[0].sites, 1U);
}

TEST(BuildReport, OtherProgramsStayApart) {
  model::Recording other = recording_with_leak(8, 6400);
  other.process.exe = "/opt/app/other";
  const model::Report report = build({recording_with_leak(7, 6400), other});
  EXPECT_EQ(report.suspects.size(), 6U);
  EXPECT_EQ(report.suspects[0].workers_of, 1U);
}

TEST(BuildReport, RowsBeyondTheLimitAreCounted) {
  Options options;
  options.top = 1;
  const model::Report report = build({recording_with_leak(7, 6400)}, options);
  EXPECT_EQ(report.suspects.size(), 1U);
  EXPECT_EQ(report.totals.rows_omitted, 2U);
  options.top = 0;
  EXPECT_EQ(build({recording_with_leak(7, 6400)}, options).suspects.size(), 3U);
}

TEST(BuildReport, WithoutALeakSaysWhatWouldHaveShown) {
  const model::Report report = build({recording_with_leak(7, 0)});
  EXPECT_EQ(report.totals.leak_suspects, 0U);
  EXPECT_EQ(report.conclusion.cause, "none") << report.conclusion.sentence;
  ASSERT_TRUE(report.totals.smallest_leak_seen_bytes_per_h.has_value());
  EXPECT_NEAR(*report.totals.smallest_leak_seen_bytes_per_h, rank::kLeastBytes * 60, 1);
}

TEST(BuildReport, GrowthThatTheAllocatorKeepsIsRetention) {
  model::Recording recording = recording_with_leak(7, 0);
  for (model::Moment& moment : recording.moments) {
    const auto kept = static_cast<std::uint64_t>(100'000 * moment.time_s);
    moment.accounting.allocator_retained_bytes = kept;
    moment.accounting.rss_bytes += kept;
  }
  const model::Report report = build({recording});
  EXPECT_EQ(report.conclusion.cause, "retention") << report.conclusion.sentence;
}

TEST(BuildReport, GrowthWithoutAnExplanationIsUnknown) {
  model::Recording recording = recording_with_leak(7, 0);
  for (model::Moment& moment : recording.moments) {
    moment.accounting.rss_bytes += static_cast<std::uint64_t>(100'000 * moment.time_s);
  }
  EXPECT_EQ(build({recording}).conclusion.cause, "unknown");
}

TEST(BuildReport, TooFewSnapshotsAreNotJudged) {
  model::Recording recording = recording_with_leak(7, 6400);
  recording.moments.resize(3);
  for (model::SiteHistory& site : recording.sites) {
    site.at.resize(3);
  }
  const model::Report report = build({recording});
  EXPECT_EQ(report.conclusion.cause, "unknown");
  EXPECT_EQ(report.conclusion.sentence,
            "too few snapshots to judge growth: at least 8 snapshots over 1.0 s are needed");
  EXPECT_EQ(report.totals.leak_suspects, 0U);
  EXPECT_FALSE(report.totals.smallest_leak_seen_bytes_per_h.has_value());
  EXPECT_FALSE(report.totals.growth_bytes_per_s.has_value());
}

TEST(BuildReport, ManySnapshotsOfAShortRunAreNotCalledFew) {
  model::Recording recording = recording_with_leak(7, 6400);
  for (model::Moment& moment : recording.moments) {
    moment.time_s /= 100;
  }
  const model::Report report = build({recording});
  EXPECT_EQ(report.conclusion.sentence,
            "too short a time to judge growth: at least 8 snapshots over 1.0 s are needed");
}

TEST(BuildReport, GrowthIsGivenForWhatIsNoLeakTooWithoutAnInterval) {
  const model::Report report = build({recording_with_leak(7, 6400)});
  ASSERT_EQ(report.suspects.size(), 3U);
  for (const model::Suspect& suspect : report.suspects) {
    ASSERT_TRUE(suspect.growth_bytes_per_s.has_value()) << suspect.why;
    EXPECT_EQ(suspect.growth_range.has_value(), suspect.leak) << suspect.why;
    EXPECT_NEAR(*suspect.growth_bytes_per_s, suspect.leak ? 6400 : 0, 64) << suspect.why;
  }
}

// So that a picture draws the line over what it was fitted to.
TEST(BuildReport, SaysWhereTheGrowthThatItJudgedBegins) {
  model::Recording late = recording_with_leak(7, 6400);
  std::vector<double> births;
  for (double at = 30; at <= 60; at += 0.25) {
    births.push_back(at);
  }
  const std::uint32_t node = late.sites.back().node;
  late.sites.back() = site_of_births(births);
  late.sites.back().node = node;
  const model::Report report = build({late});
  ASSERT_TRUE(report.suspects[0].leak) << report.suspects[0].why;
  EXPECT_NEAR(report.suspects[0].growth_from_s.value_or(-1), 30, 2);
  EXPECT_EQ(report.suspects[2].growth_from_s, std::nullopt);
  EXPECT_EQ(build({recording_with_leak(7, 6400)}).suspects[0].growth_from_s, 0);
}

TEST(BuildReport, LossesAreNamedAndSummed) {
  model::Recording one = recording_with_leak(7, 0);
  model::Recording two = recording_with_leak(8, 0);
  one.losses[static_cast<std::size_t>(format::Loss::missed_free)] = 2;
  two.losses[static_cast<std::size_t>(format::Loss::missed_free)] = 3;
  const model::Report report = build({one, two});
  ASSERT_EQ(report.losses.size(), format::kLossCount);
  EXPECT_EQ(report.losses.at("foreign_free"), 0U);
  EXPECT_EQ(report.losses.at("missed_free"), 5U);
}

TEST(BuildReport, NotesSayWhatMustBeKnownFirst) {
  model::Recording recording = recording_with_leak(7, 0);
  recording.skipped.push_back("snapshot-000003.seep: section sites is cut");
  EXPECT_NE(build({recording}).notes.at(0).find("section sites is cut"), std::string::npos);

  model::Recording silent = recording_with_leak(7, 0);
  silent.sites.clear();
  EXPECT_NE(build({silent}).notes.at(0).find("no call of an allocator was seen"),
            std::string::npos);

  model::Recording foreign = recording_with_leak(7, 0);
  foreign.moments.back().accounting.rss_bytes = 100 << 20;
  foreign.moments.back().accounting.other_bytes = 90 << 20;
  EXPECT_NE(build({foreign}).notes.at(0).find("less than half"), std::string::npos);
}

TEST(BuildReport, NothingGivenIsSaid) {
  EXPECT_EQ(build({}).conclusion.cause, "unknown");
  EXPECT_EQ(build({}).losses.size(), format::kLossCount);
}

}  // namespace
}  // namespace seep::report
