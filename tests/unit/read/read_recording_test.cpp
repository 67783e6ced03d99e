// One recording from its snapshots: histories of sites, the end, and what is left out.
#include "analyzer/read/read_recording.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/snapshot_builder.h"
#include "tests/support/temporary_directory.h"

namespace seep::read {
namespace {

using test::SnapshotBuilder;

class ReadRecording : public testing::Test {
 protected:
  model::Recording read() {
    auto recordings = read_recordings({path_}, {});
    if (!recordings || recordings->size() != 1) {
      ADD_FAILURE() << (recordings ? "not one recording" : recordings.error().message());
      return {};
    }
    return std::move(recordings->front());
  }

  // The address of the innermost frame of a site names it in these tests.
  static std::map<std::uint64_t, std::vector<std::uint64_t>> live_bytes(
      const model::Recording& recording) {
    std::map<std::uint64_t, std::vector<std::uint64_t>> series;
    for (const model::SiteHistory& site : recording.sites) {
      for (const model::Counters& counters : site.at) {
        series[recording.stacks.nodes.at(site.node).offset].push_back(counters.live_bytes);
      }
    }
    return series;
  }

  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.file("server.4711");
};

using Series = std::map<std::uint64_t, std::vector<std::uint64_t>>;

TEST_F(ReadRecording, RequestsOfPhpAreTheUnitsWhereNothingElseIsCounted) {
  SnapshotBuilder builder;
  builder.at(1, 1).write_into(path_);
  builder.process.flags |= format::kHasUnits | format::kUnitsAreRequests;
  builder.process.units = 10;
  builder.at(2, 2).write_into(path_);
  model::Recording recording = read();
  EXPECT_EQ(recording.process.unit, "request");
  EXPECT_FALSE(recording.moments[0].units.has_value());
  EXPECT_EQ(recording.moments[1].units, 10U);
  builder.process.flags &= ~format::kUnitsAreRequests;
  builder.at(3, 3).units(4000).write_into(path_);
  recording = read();
  EXPECT_EQ(recording.process.unit, "");
  EXPECT_FALSE(recording.moments[1].units.has_value());
  EXPECT_EQ(recording.moments[2].units, 4000U);
}

TEST_F(ReadRecording, FollowsEachSiteOverAllMoments) {
  SnapshotBuilder builder;
  const auto server = builder.add_module("/usr/bin/server");
  const auto first = builder.add_site({.stack = {{server, 0x30}}, .live_bytes = 10});
  builder.at(1, 0.5).write_into(path_);
  builder.site(first).live_bytes = 20;
  const auto plugin = builder.add_module("/usr/lib/plugin.so");
  builder.add_site({.stack = {{plugin, 0x40}, {server, 0x30}},
                    .live_blocks = 1,
                    .live_bytes = 5,
                    .oldest_ms = 7,
                    .ages = {{0, 1, 5}}});
  builder.at(2, 1.0).write_into(path_);
  builder.site(first).live_bytes = 30;
  builder.at(3, 1.5).write_into(path_);

  const model::Recording recording = read();
  EXPECT_EQ(recording.id, "server.4711");
  EXPECT_EQ(recording.path, path_);
  EXPECT_EQ(recording.process.exe, "/usr/bin/server");
  ASSERT_EQ(recording.moments.size(), 3U);
  EXPECT_DOUBLE_EQ(recording.moments[1].time_s, 1.0);
  EXPECT_EQ(recording.moments[1].live_bytes, 25U);
  EXPECT_EQ(recording.moments[2].sequence, 3U);
  EXPECT_EQ(live_bytes(recording), (Series{{0x30, {10, 20, 30}}, {0x40, {0, 5, 5}}}));
  EXPECT_EQ(recording.sites[1].oldest_ms, 7U);
  ASSERT_EQ(recording.sites[1].ages.size(), 1U);
  EXPECT_EQ(recording.sites[1].ages[0].bytes, 5U);
  EXPECT_TRUE(recording.skipped.empty());
}

TEST_F(ReadRecording, TakesLossesAndInheritedFiguresFromTheLastMoment) {
  SnapshotBuilder builder;
  const auto site = builder.add_site(
      {.live_blocks = 5, .live_bytes = 50, .inherited_blocks = 4, .inherited_bytes = 40});
  builder.losses[format::Loss::stacks_cut] = 1;
  builder.at(1, 1).write_into(path_);
  builder.losses[format::Loss::stacks_cut] = 9;
  builder.site(site).inherited_blocks = 3;
  builder.at(2, 2).write_into(path_);
  const model::Recording recording = read();
  EXPECT_EQ(recording.losses[static_cast<std::size_t>(format::Loss::stacks_cut)], 9U);
  EXPECT_EQ(recording.sites.at(0).inherited_blocks, 3U);
  EXPECT_EQ(recording.sites.at(0).inherited_bytes, 40U);
}

TEST_F(ReadRecording, SnapshotsAreOrderedByNumberNotByText) {
  SnapshotBuilder builder;
  builder.at(1000000, 3).write_into(path_);
  builder.at(999999, 2).write_into(path_);
  const model::Recording recording = read();
  ASSERT_EQ(recording.moments.size(), 2U);
  EXPECT_EQ(recording.moments[0].sequence, 999999U);
}

TEST_F(ReadRecording, SitesAreMatchedByContentWhenTheirNumbersChanged) {
  SnapshotBuilder before;
  const auto server = before.add_module("/usr/bin/server");
  before.add_site({.stack = {{server, 0x30}}, .live_bytes = 10});
  before.add_site({.stack = {{server, 0x40}}, .live_bytes = 100});
  before.add_site({.stack = {{server, 0x50}},
                   .live_blocks = 3,
                   .live_bytes = 1000,
                   .allocated_blocks = 5,
                   .allocated_bytes = 1500});
  before.at(1, 1).write_into(path_);
  SnapshotBuilder after;
  after.add_module("/usr/lib/plugin.so");
  const auto moved = after.add_module("/usr/bin/server");
  after.add_site({.stack = {{moved, 0x40}}, .live_bytes = 200});
  after.add_site({.stack = {{moved, 0x60}}, .live_bytes = 7});
  after.add_site({.stack = {{moved, 0x30}}, .live_bytes = 20});
  after.at(2, 2).write_into(path_);
  after.at(3, 3).write_into(path_);

  const model::Recording recording = read();
  EXPECT_EQ(
      live_bytes(recording),
      (Series{
          {0x30, {10, 20, 20}}, {0x40, {100, 200, 200}}, {0x50, {1000, 0, 0}}, {0x60, {0, 7, 7}}}));
  for (const model::SiteHistory& site : recording.sites) {
    const model::Node node = recording.stacks.nodes.at(site.node);
    EXPECT_EQ(recording.stacks.modules.at(node.module).path, "/usr/bin/server");
    if (node.offset == 0x50) {
      EXPECT_EQ(site.at.back().allocated_blocks, 5U);
      EXPECT_EQ(site.at.back().live_blocks, 0U);
    }
  }
}

TEST_F(ReadRecording, TheSameStackOfAnotherKindIsAnotherSite) {
  SnapshotBuilder before;
  const auto server = before.add_module("/usr/bin/server");
  before.add_site({.stack = {{server, 0x30}}, .live_bytes = 10});
  before.at(1, 1).write_into(path_);
  SnapshotBuilder after;
  after.add_module("/usr/bin/server");
  after.add_site({.stack = {{server, 0x30}}, .kind = format::SiteKind::kMmap, .live_bytes = 4096});
  after.at(2, 2).write_into(path_);
  const model::Recording recording = read();
  ASSERT_EQ(recording.sites.size(), 2U);
  EXPECT_EQ(recording.sites[0].kind, model::SiteKind::kMmap);
  EXPECT_EQ(recording.sites[0].at[0].live_bytes, 0U);
  EXPECT_EQ(recording.sites[1].kind, model::SiteKind::kHeap);
  EXPECT_EQ(recording.sites[1].at[0].live_bytes, 10U);
  EXPECT_EQ(recording.sites[1].at[1].live_bytes, 0U);
}

TEST_F(ReadRecording, ADamagedSnapshotInADirectoryIsLeftOutAndNamed) {
  SnapshotBuilder builder;
  builder.add_site({.live_bytes = 10});
  builder.at(1, 1).write_into(path_);
  const std::string damaged = builder.at(2, 2).write_into(path_);
  builder.at(3, 3).write_into(path_);
  test::write_file(damaged, test::read_file(damaged).substr(0, 100));
  const model::Recording recording = read();
  ASSERT_EQ(recording.moments.size(), 2U);
  EXPECT_EQ(recording.sites.at(0).at.size(), 2U);
  ASSERT_EQ(recording.skipped.size(), 1U);
  EXPECT_NE(recording.skipped[0].find(damaged + ": section header: the file is cut: 100 of "),
            std::string::npos)
      << recording.skipped[0];
}

TEST_F(ReadRecording, ASnapshotOfAnotherProcessIsLeftOutAndNamed) {
  SnapshotBuilder builder;
  builder.at(1, 1).write_into(path_);
  ++builder.process.start_ticks;
  const std::string other = builder.at(2, 2).write_into(path_);
  const model::Recording recording = read();
  EXPECT_EQ(recording.moments.size(), 1U);
  ASSERT_EQ(recording.skipped.size(), 1U);
  EXPECT_EQ(recording.skipped[0].find("seep: " + other + ": "), 0U);
}

TEST_F(ReadRecording, TheEndComesFromTheLastSnapshot) {
  SnapshotBuilder builder;
  builder.at(1, 1).write_into(path_);
  builder.at(2, 2).ended_by_exit(7).write_into(path_);
  const model::Recording recording = read();
  EXPECT_EQ(recording.end.how, model::EndInfo::How::kExit);
  EXPECT_EQ(recording.end.status, 7);
}

TEST_F(ReadRecording, AProcessThatIsGoneWithoutAWordIsLost) {
  SnapshotBuilder builder;
  builder.process.start_ticks = ~std::uint64_t{0};
  builder.write_into(path_);
  EXPECT_EQ(read().end.how, model::EndInfo::How::kLost);
  test::write_file(path_ + "/ended", "signal 9\n");
  EXPECT_EQ(read().end.how, model::EndInfo::How::kSignal);
}

TEST_F(ReadRecording, ProgressCountsEveryFileOnce) {
  SnapshotBuilder builder;
  for (std::uint32_t i = 1; i <= 3; ++i) {
    builder.at(i, i).write_into(path_);
  }
  std::vector<std::pair<std::size_t, std::size_t>> calls;
  const auto recordings = read_recordings(
      {path_}, {}, [&](std::size_t done, std::size_t all) { calls.emplace_back(done, all); });
  ASSERT_TRUE(recordings);
  const std::vector<std::pair<std::size_t, std::size_t>> expected = {{1, 3}, {2, 3}, {3, 3}};
  EXPECT_EQ(calls, expected);
}

}  // namespace
}  // namespace seep::read
