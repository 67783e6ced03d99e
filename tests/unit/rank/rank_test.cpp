// The order of sites, warm-up, and the price of ranking a large report.
#include "analyzer/rank/rank.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "analyzer/rank/judge.h"
#include "tests/unit/rank/population.h"

namespace seep::rank {
namespace {

std::vector<Block> every(double gap, double from, double to, std::uint64_t bytes = 64) {
  std::vector<Block> blocks;
  for (double t = from + gap; t < to; t += gap) {
    blocks.push_back({t, kForever, bytes});
  }
  return blocks;
}

TEST(RankSites, LeaksComeFirstThenTheFasterThenTheLarger) {
  const auto times = auto_times(60);
  const std::vector<model::Recording> recordings = {recording_of(
      {history_of({{0.01, kForever, 1 << 20}}, times), history_of(every(0.5, 0, 60), times),
       history_of({{0.01, kForever, 2 << 20}}, times), history_of(every(0.1, 0, 60), times),
       history_of({}, times)},
      times)};
  const auto ranked = rank_sites(recordings, {});
  ASSERT_EQ(ranked.size(), 4U) << "a site without any allocation is left out";
  EXPECT_EQ(ranked[0].site, 3U);
  EXPECT_EQ(ranked[1].site, 1U);
  EXPECT_TRUE(ranked[0].leak && ranked[1].leak);
  EXPECT_EQ(ranked[2].site, 2U);
  EXPECT_EQ(ranked[3].site, 0U);
  EXPECT_FALSE(ranked[2].leak || ranked[3].leak);
}

// Two sites that grow alike, 1,200 blocks each.
model::Recording two_that_grow(const std::vector<double>& times) {
  return recording_of(
      {history_of(every(0.05, 0, 60), times), history_of(every(0.05, 0, 60), times)}, times);
}

// Blocks of 64 bytes.
model::Kept kept(std::uint32_t site, std::uint64_t blocks) {
  return {site, blocks, 64 * blocks};
}

model::Scan scan_that_saw(std::vector<model::Kept> what, model::ScanTime when, double time_s) {
  model::Scan scan;
  scan.kept = std::move(what);
  scan.when = when;
  scan.time_s = time_s;
  return scan;
}

// Sites of one line of a script, called by the native code of `node`s apart.
void put_in_one_line(model::Recording& recording) {
  recording.stacks.script_frames = {{"read", "page.py", 7, model::Language::kPython}};
  for (std::uint32_t site = 0; site < recording.sites.size(); ++site) {
    recording.stacks.nodes.push_back({0x1000 + site, 0, 0});
    const auto caller = static_cast<std::uint32_t>(recording.stacks.nodes.size() - 1);
    recording.stacks.nodes.push_back({0, caller, format::kScriptModule});
    recording.sites[site].node = caller + 1;
  }
}

TEST(RankSites, WhatAnInterpreterKeepsToUseItAgainIsNoGrowth) {
  auto recording = two_that_grow(auto_times(60));
  ASSERT_TRUE(rank_sites({recording}, {})[0].leak);
  recording.scans = {scan_that_saw({kept(0, 1150), kept(1, 400)}, model::ScanTime::kRequest, 60),
                     model::Scan()};  // the later one did not get so far
  const auto ranked = rank_sites({recording}, {});
  EXPECT_EQ(ranked[0].site, 1U);
  EXPECT_TRUE(ranked[0].leak) << "more than is kept: " << ranked[0].why;
  EXPECT_EQ(ranked[1].behaviour, model::Behaviour::kPlateau) << ranked[1].why;
  EXPECT_FALSE(ranked[1].leak);
  EXPECT_NE(ranked[1].why.find("1,150 of 1,200 blocks"), std::string::npos) << ranked[1].why;
  const std::vector<std::size_t> both = {0, 1};
  EXPECT_TRUE(rank_together({recording}, 0, both, {}).leak);
  recording.scans[0].kept[1] = kept(1, 1150);
  EXPECT_FALSE(rank_together({recording}, 0, both, {}).leak);
}

TEST(RankSites, WhatAScanAtExitFindsReleasedGrewUntilThen) {
  auto recording = two_that_grow(auto_times(60));
  recording.scans = {scan_that_saw({kept(0, 1200), kept(1, 1200)}, model::ScanTime::kExit, 60)};
  for (const RankedSite& site : rank_sites({recording}, {})) {
    EXPECT_TRUE(site.leak) << site.why;
  }
  // A look for holders as the program ends is no earlier.
  recording.scans[0].when = model::ScanTime::kSnapshot;
  recording.moments.back().trigger = model::Trigger::kExit;
  EXPECT_TRUE(rank_sites({recording}, {})[0].leak);
}

TEST(RankSites, WhatIsCutMayFillAListOrBeReleasedAtTheEnd) {
  const auto times = auto_times(60);
  std::vector<Block> cut;
  for (const Block& block : every(0.05, 0, 60)) {
    cut.push_back({block.born_s, block.born_s + 0.001, 144});
  }
  auto recording =
      recording_of({history_of(every(0.05, 0, 60), times), history_of(cut, times)}, times);
  recording.scans = {scan_that_saw({kept(0, 1200)}, model::ScanTime::kExit, 60)};
  EXPECT_TRUE(rank_sites({recording}, {})[0].leak) << "cut by another line";
  put_in_one_line(recording);
  const RankedSite one = rank_sites({recording}, {})[0];
  EXPECT_EQ(one.behaviour, model::Behaviour::kUnknown) << one.why;
  EXPECT_FALSE(one.leak);
  EXPECT_NE(one.why.find("1,200 of 1,200 blocks"), std::string::npos) << one.why;
  // An earlier look saw that they were held, or that they were not.
  recording.scans.insert(recording.scans.begin(),
                         scan_that_saw({kept(1, 1)}, model::ScanTime::kRequest, 59));
  EXPECT_TRUE(rank_sites({recording}, {})[0].leak);
  recording.scans[0].kept = {kept(0, 1180)};
  EXPECT_EQ(rank_sites({recording}, {})[0].behaviour, model::Behaviour::kPlateau);
}

TEST(RankSites, AFewThatAScanAtExitFindsReleasedMayFillAList) {
  const auto times = auto_times(60);
  auto recording = recording_of({history_of(every(0.75, 0, 60), times)}, times);
  ASSERT_TRUE(rank_sites({recording}, {})[0].leak);
  recording.scans = {scan_that_saw({kept(0, 79)}, model::ScanTime::kExit, 60)};
  EXPECT_EQ(rank_sites({recording}, {})[0].behaviour, model::Behaviour::kUnknown);
}

TEST(RankSites, SnapshotsBeforeTheWarmupAreLeftOut) {
  const auto times = even_times(60, 1);
  auto blocks = every(0.01, 0, 20);  // fills for twenty seconds
  const std::vector<model::Recording> recordings = {
      recording_of({history_of(blocks, times)}, times)};
  Options options;
  EXPECT_EQ(rank_sites(recordings, options)[0].behaviour, model::Behaviour::kPlateau);
  options.warmup_s = 55;
  EXPECT_EQ(rank_sites(recordings, options)[0].behaviour, model::Behaviour::kUnknown)
      << "six snapshots are left";
}

TEST(SmallestLeak, IsWhatWouldBeCalledOneAndNoMore) {
  const auto times = auto_times(60);
  const auto site = [&](double factor) {
    const double gap = 60.0 / (kLeastEvents * factor);
    return history_of(every(gap, -gap / 2, 60, 16), times);
  };
  const auto recordings = std::vector{recording_of({site(1.5), site(0.5)}, times)};
  const auto smallest = smallest_leak_bytes_per_s(recordings[0], {});
  ASSERT_TRUE(smallest.has_value());
  EXPECT_NEAR(*smallest * 60, kLeastBytes, 1);
  const auto ranked = rank_sites(recordings, {});
  EXPECT_TRUE(ranked[0].leak) << ranked[0].why;
  EXPECT_EQ(ranked[0].site, 0U);
  EXPECT_FALSE(ranked[1].leak);
}

TEST(SmallestLeak, IsNotKnownForABriefRun) {
  const auto times = even_times(0.5, 0.05);
  EXPECT_FALSE(smallest_leak_bytes_per_s(recording_of({}, times), {}).has_value());
}

// The table of a map doubles at 2^k nodes; the next step is not due when the map has stopped
// taking.
model::SiteHistory table_of(const std::vector<double>& node_times,
                            const std::vector<double>& times) {
  std::vector<Block> blocks;
  for (std::size_t nodes = 0, room = 4; nodes < node_times.size(); ++nodes) {
    if (nodes == 0 || nodes == room) {
      room *= nodes == 0 ? 1 : 2;
      if (!blocks.empty()) {
        blocks.back().died_s = node_times[nodes];
      }
      blocks.push_back({node_times[nodes], kForever, 8 * room});
    }
  }
  return history_of(blocks, times);
}

TEST(RankSites, AContainerIsAsTheBlocksThatFillIt) {
  const auto times = even_times(50, 1);
  for (const double full : {30.0, 50.0}) {
    std::vector<double> born;
    for (double t = 0.05; t < full; t += 0.1) {
      born.push_back(t);
    }
    const auto nodes = every(0.1, -0.05, full);
    const auto recordings = std::vector{recording_of(
        {table_of(born, times), history_of(nodes, times), history_of(every(2, 0, 10), times)},
        times)};
    const auto ranked = rank_sites(recordings, {});
    const auto table = std::find_if(ranked.begin(), ranked.end(),
                                    [](const RankedSite& site) { return site.site == 0; });
    EXPECT_EQ(table->leak, full == 50.0) << table->why;
    EXPECT_EQ(judge(recordings[0].sites[0], Timeline{times, 0}).behaviour,
              model::Behaviour::kGrowing)
        << "alone, nothing tells that its next step will not come";
  }
}

// As many as clang makes for one file. How long it takes: bench/figures/part1.py --only
// report_time.
TEST(RankSites, RanksAsManySitesAsALargeCompilationHas) {
  const auto times = auto_times(60);
  std::vector<model::SiteHistory> kinds = {
      history_of(every(1, 0, 60), times),     history_of({{0.01}}, times),
      history_of(every(0.1, 0, 10), times),   history_of({{30.0}}, times),
      history_of({{1.0, 2.0}}, times),        history_of(every(0.5, 0, 1), times),
      history_of({{0.5}, {20.0}}, times),     history_of({{0.01}, {0.02}}, times),
      history_of(every(5, 0, 60, 16), times), history_of({{59.0}}, times)};
  std::vector<model::SiteHistory> sites;
  for (std::size_t i = 0; i < 72'000; ++i) {
    sites.push_back(kinds[i % kinds.size()]);
  }
  const auto recordings = std::vector{recording_of(std::move(sites), times)};
  const auto ranked = rank_sites(recordings, {});
  EXPECT_EQ(ranked.size(), 72'000U);
}

}  // namespace
}  // namespace seep::rank
