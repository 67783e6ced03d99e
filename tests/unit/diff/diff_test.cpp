#include "analyzer/diff/diff.h"

#include <gtest/gtest.h>

#include "analyzer/read/read_recording.h"
#include "tests/support/snapshot_builder.h"
#include "tests/support/temporary_directory.h"

namespace seep::diff {
namespace {

using model::Change;
using model::DiffBasis;
using model::SiteKind;
using test::SnapshotBuilder;

class Compare : public testing::Test {
 protected:
  model::Recording read(const std::string& name) {
    auto recordings = read::read_recordings({directory_.file(name)}, {});
    if (!recordings || recordings->size() != 1) {
      ADD_FAILURE() << (recordings ? "not one recording" : recordings.error().message());
      return {};
    }
    return std::move(recordings->front());
  }

  model::Diff diff(double warmup_s = 0) { return compare(read("old"), read("new"), warmup_s); }

  // The address of a row's innermost frame names it in these tests.
  static std::uint64_t address(const model::Diff& diff, std::size_t row) {
    return diff.stacks.nodes.at(diff.rows.at(row).node).offset;
  }

  void write(SnapshotBuilder& builder, const std::string& name) {
    builder.write_into(directory_.file(name));
  }

  // A recording of one site whose live bytes at second i are bytes[i].
  void write_series(const std::string& name, const std::vector<std::uint64_t>& bytes,
                    std::uint64_t units_a_second = 0) {
    SnapshotBuilder builder;
    const auto server = builder.add_module("/usr/bin/server", "id");
    const auto site = builder.add_site({.stack = {{server, 0x30}}});
    for (std::uint32_t i = 0; i < bytes.size(); ++i) {
      builder.site(site).live_bytes = bytes[i];
      builder.site(site).live_blocks = bytes[i] / 10;
      builder.at(i + 1, i);
      if (units_a_second != 0) {
        builder.units(i * units_a_second);
      }
      write(builder, name);
    }
  }

  test::TemporaryDirectory directory_;
};

TEST_F(Compare, TwoSnapshotsGiveLevelsLargestFirst) {
  SnapshotBuilder old_side;
  const auto server = old_side.add_module("/usr/bin/server", "id");
  const auto add = [&](SnapshotBuilder& side, std::uint64_t offset, std::uint64_t blocks,
                       std::uint64_t bytes) {
    side.add_site(
        {.stack = {{server, offset}, {server, 1}}, .live_blocks = blocks, .live_bytes = bytes});
  };
  add(old_side, 0x10, 1, 100);
  add(old_side, 0x20, 5, 900);
  add(old_side, 0x30, 2, 50);
  add(old_side, 0x40, 7, 70);
  write(old_side, "old");
  SnapshotBuilder new_side;
  new_side.add_module("/usr/bin/server", "id");
  add(new_side, 0x50, 3, 30);
  add(new_side, 0x40, 7, 70);
  add(new_side, 0x20, 4, 400);
  add(new_side, 0x10, 2, 160);
  write(new_side, "new");

  const model::Diff result = diff();
  EXPECT_EQ(result.basis, DiffBasis::kLevel);
  EXPECT_EQ(result.matched_by, model::MatchedBy::kOffset);
  EXPECT_EQ(result.old_path, directory_.file("old"));
  EXPECT_EQ(result.new_path, directory_.file("new"));
  ASSERT_EQ(result.rows.size(), 4U);
  const struct {
    std::uint64_t address;
    Change change;
    double bytes, blocks, old_bytes, new_bytes;
  } expected[] = {{0x20, Change::kShrank, -500, -1, 900, 400},
                  {0x10, Change::kGrew, 60, 1, 100, 160},
                  {0x30, Change::kVanished, -50, -2, 50, 0},
                  {0x50, Change::kAppeared, 30, 3, 0, 30}};
  for (std::size_t i = 0; i < std::size(expected); ++i) {
    const model::DiffRow& row = result.rows[i];
    EXPECT_EQ(address(result, i), expected[i].address);
    EXPECT_EQ(row.change, expected[i].change) << i;
    EXPECT_EQ(row.bytes, expected[i].bytes) << i;
    EXPECT_EQ(row.blocks, expected[i].blocks) << i;
    EXPECT_EQ(row.old_bytes, expected[i].old_bytes) << i;
    EXPECT_EQ(row.new_bytes, expected[i].new_bytes) << i;
  }
}

TEST_F(Compare, ARowKeepsItsWholeStack) {
  SnapshotBuilder old_side;
  write(old_side, "old");
  SnapshotBuilder new_side;
  const auto server = new_side.add_module("/usr/bin/server", "id");
  const auto library = new_side.add_module("/usr/lib/libx.so", "lib");
  new_side.add_site({.stack = {{library, 0x10}, {server, 0x20}, {server, 0x30}}, .live_bytes = 1});
  write(new_side, "new");
  const model::Diff result = diff();
  ASSERT_EQ(result.rows.size(), 1U);
  std::vector<std::pair<std::string, std::uint64_t>> frames;
  for (std::uint32_t node = result.rows[0].node; node != 0;
       node = result.stacks.nodes.at(node).parent) {
    const model::Node& frame = result.stacks.nodes.at(node);
    frames.emplace_back(result.stacks.modules.at(frame.module).path, frame.offset);
  }
  const std::vector<std::pair<std::string, std::uint64_t>> expected = {
      {"/usr/lib/libx.so", 0x10}, {"/usr/bin/server", 0x20}, {"/usr/bin/server", 0x30}};
  EXPECT_EQ(frames, expected);
}

TEST_F(Compare, SitesMatchByBuildIdWhereverTheFileIs) {
  SnapshotBuilder old_side;
  old_side.add_module("/old/place/server", "id");
  old_side.add_site({.stack = {{1, 0x10}}, .live_bytes = 100});
  write(old_side, "old");
  SnapshotBuilder new_side;
  new_side.add_module("/usr/lib/other.so", "other");
  new_side.add_module("/new/place/server", "id");
  new_side.add_site({.stack = {{2, 0x10}}, .live_bytes = 130});
  write(new_side, "new");
  const model::Diff result = diff();
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_EQ(result.rows[0].change, Change::kGrew);
  EXPECT_EQ(result.rows[0].bytes, 30);
}

TEST_F(Compare, OneStackUnderTwoModuleNumbersIsOneRow) {
  SnapshotBuilder old_side;
  old_side.add_module("/usr/lib/plugin.so", "plugin");
  old_side.add_site({.stack = {{1, 0x10}}, .live_bytes = 100});
  write(old_side, "old");
  SnapshotBuilder new_side;
  new_side.add_module("/usr/lib/plugin.so", "plugin");
  new_side.add_module("/usr/lib/plugin.so", "plugin");
  new_side.add_site({.stack = {{1, 0x10}}, .live_bytes = 40});
  new_side.add_site({.stack = {{2, 0x10}}, .live_bytes = 90});
  write(new_side, "new");
  const model::Diff result = diff();
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_EQ(result.rows[0].bytes, 30);
  EXPECT_EQ(result.rows[0].new_bytes, 130);
}

TEST_F(Compare, KindsAreComparedApart) {
  SnapshotBuilder old_side;
  old_side.add_module("/usr/bin/server", "id");
  old_side.add_site({.stack = {{1, 0x10}}, .live_bytes = 100});
  write(old_side, "old");
  SnapshotBuilder new_side;
  new_side.add_module("/usr/bin/server", "id");
  new_side.add_site({.stack = {{1, 0x10}}, .kind = SiteKind::kMmap, .live_bytes = 4096});
  write(new_side, "new");
  const model::Diff result = diff();
  ASSERT_EQ(result.rows.size(), 2U);
  EXPECT_EQ(result.rows[0].kind, SiteKind::kMmap);
  EXPECT_EQ(result.rows[0].bytes, 4096);
  EXPECT_EQ(result.rows[1].kind, SiteKind::kHeap);
  EXPECT_EQ(result.rows[1].bytes, -100);
}

TEST_F(Compare, MoreBlocksOfNoMoreBytesIsARow) {
  SnapshotBuilder builder;
  builder.add_site({.live_blocks = 2, .live_bytes = 10});
  write(builder, "old");
  builder.site(0).live_blocks = 5;
  write(builder, "new");
  const model::Diff result = diff();
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_EQ(result.rows[0].blocks, 3);
  EXPECT_EQ(result.rows[0].change, Change::kGrew);
}

TEST_F(Compare, EqualSidesGiveNoRows) {
  write_series("old", {100});
  write_series("new", {100});
  EXPECT_TRUE(diff().rows.empty());
}

TEST_F(Compare, TwoRecordingsGiveGrowthPerSecond) {
  write_series("old", {100, 110, 120, 130});
  write_series("new", {500, 550, 600, 650});
  const model::Diff result = diff();
  EXPECT_EQ(result.basis, DiffBasis::kPerSecond);
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_DOUBLE_EQ(result.rows[0].old_bytes, 10);
  EXPECT_DOUBLE_EQ(result.rows[0].new_bytes, 50);
  EXPECT_DOUBLE_EQ(result.rows[0].bytes, 40);
  EXPECT_DOUBLE_EQ(result.rows[0].blocks, 4);
  EXPECT_EQ(result.rows[0].change, Change::kGrew);
}

// Different levels that do not grow are no difference between two recordings.
TEST_F(Compare, SteadyLevelsGiveNoRows) {
  write_series("old", {100, 100, 100});
  write_series("new", {900, 900, 900});
  EXPECT_TRUE(diff().rows.empty());
}

TEST_F(Compare, OnlyTheCommonLengthIsCompared) {
  write_series("old", {0, 10, 20, 30});
  write_series("new", {0, 10, 20, 30, 10'000, 20'000, 30'000, 40'000});
  EXPECT_TRUE(diff().rows.empty());
}

TEST_F(Compare, WarmupIsLeftOut) {
  write_series("old", {0, 5000, 10'000, 10'010, 10'020, 10'030});
  write_series("new", {0, 90'000, 99'000, 99'030, 99'060, 99'090});
  const model::Diff result = diff(2.0);
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_DOUBLE_EQ(result.rows[0].old_bytes, 10);
  EXPECT_DOUBLE_EQ(result.rows[0].new_bytes, 30);
}

TEST_F(Compare, GrowthIsPerUnitOfWorkWhereBothHaveUnits) {
  // The new side does a hundred times the work a second; it grows less for each unit.
  write_series("old", {0, 100, 200, 300}, 10);
  write_series("new", {0, 5000, 10'000, 15'000, 20'000}, 1000);
  const model::Diff result = diff();
  EXPECT_EQ(result.basis, DiffBasis::kPerUnit);
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_DOUBLE_EQ(result.rows[0].old_bytes, 10);
  EXPECT_DOUBLE_EQ(result.rows[0].new_bytes, 5);
  EXPECT_EQ(result.rows[0].change, Change::kShrank);
}

TEST_F(Compare, UnitsThatDoNotAdvanceGiveGrowthPerSecond) {
  SnapshotBuilder builder;
  builder.add_site({.live_blocks = 1, .live_bytes = 10});
  builder.at(1, 0).units(5);
  write(builder, "old");
  builder.at(2, 1).units(5);
  write(builder, "old");
  write_series("new", {0, 100, 200}, 10);
  EXPECT_EQ(diff().basis, DiffBasis::kPerSecond);
}

TEST_F(Compare, UnitsOnOneSideOnlyGiveGrowthPerSecond) {
  write_series("old", {0, 100, 200}, 10);
  write_series("new", {0, 100, 300});
  EXPECT_EQ(diff().basis, DiffBasis::kPerSecond);
}

TEST_F(Compare, ARecordingAgainstASnapshotGivesLevels) {
  write_series("old", {100, 200, 300});
  write_series("new", {350});
  const model::Diff result = diff();
  EXPECT_EQ(result.basis, DiffBasis::kLevel);
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_EQ(result.rows[0].bytes, 50);
}

// Rates of blocks that come and go: `live` blocks of 100 bytes (or of `bytes`) at second i, of
// which a thousand a second were ever allocated.
class Turnover : public Compare {
 protected:
  void write_turnover(const std::string& name, const std::vector<std::uint64_t>& live,
                      const std::vector<std::uint64_t>& bytes = {}) {
    SnapshotBuilder builder;
    const auto server = builder.add_module("/usr/bin/server", "id");
    const auto site = builder.add_site({.stack = {{server, 0x30}}});
    for (std::uint32_t i = 0; i < live.size(); ++i) {
      builder.site(site).live_blocks = live[i];
      builder.site(site).live_bytes = bytes.empty() ? live[i] * 100 : bytes[i];
      builder.site(site).allocated_blocks = 1000 * (i + 1);
      builder.site(site).allocated_bytes = 100'000 * (i + 1);
      write(builder.at(i + 1, i), name);
    }
  }
};

TEST_F(Turnover, OfOneBlockIsNoChange) {
  write_turnover("old", {0, 0, 0, 0, 1, 1, 1, 1});
  write_turnover("new", {0, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_TRUE(diff().rows.empty());
  write_turnover("old", {1, 1, 0, 1, 0, 0, 0, 0});
  write_turnover("new", {0, 0, 1, 0, 0, 1, 1, 1});
  EXPECT_TRUE(diff().rows.empty());
}

TEST_F(Turnover, OfAHundredBlocksIsNoChange) {
  write_turnover("old", {100, 93, 104, 98, 96, 91, 95, 89});
  write_turnover("new", {95, 98, 91, 104, 99, 107, 103, 110});
  EXPECT_TRUE(diff().rows.empty());
}

TEST_F(Turnover, OverTwoMarksOnlyOneBlockMoreIsNoChange) {
  write_turnover("old", {0, 0});
  write_turnover("new", {0, 1});
  EXPECT_TRUE(diff().rows.empty());
}

TEST_F(Turnover, ALeakAmidItIsAChange) {
  write_turnover("old", {100, 93, 104, 98, 96, 91, 95, 89});
  write_turnover("new", {95, 108, 111, 134, 139, 157, 163, 180});
  const model::Diff result = diff();
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_EQ(result.rows[0].change, Change::kGrew);
  EXPECT_NEAR(result.rows[0].blocks, 13.5, 2);
}

TEST_F(Turnover, OneBlockThatBecomesLargerIsAChange) {
  write_turnover("old", std::vector<std::uint64_t>(8, 1));
  write_turnover("new", std::vector<std::uint64_t>(8, 1), {100, 200, 300, 400, 500, 600, 700, 800});
  const model::Diff result = diff();
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_EQ(result.rows[0].bytes, 100);
}

// Nothing is released: the third of three blocks is as sure as the first.
TEST_F(Compare, AFewBlocksThatAllStayAreAChange) {
  write_series("old", {100, 100, 100, 100});
  write_series("new", {100, 110, 120, 130});
  EXPECT_EQ(diff().rows.size(), 1U);
}

// The same two functions in two builds: their program's build-id and offsets differ, a library's
// do not. `functions` gives the live bytes of each.
class Rebuilt : public Compare {
 protected:
  void write_build(const std::string& name, const std::string& build_id, std::uint64_t shift,
                   const std::vector<std::uint64_t>& functions) {
    SnapshotBuilder side;
    const auto server = side.add_module("/usr/bin/server", build_id);
    const auto library = side.add_module("/usr/lib/liba.so", "library");
    for (std::size_t i = 0; i < functions.size(); ++i) {
      side.add_site({.stack = {{server, shift + 0x100 * i}},
                     .live_blocks = functions[i] / 10,
                     .live_bytes = functions[i]});
    }
    side.add_site({.stack = {{library, 0x10}}, .live_blocks = 1, .live_bytes = functions.front()});
    write(side, name);
  }

  // What the symbolizer does with builds whose code lies at 0x1000 and at 0x5000.
  static void give_ids(model::Diff& diff) {
    for (model::DiffRow& row : diff.rows) {
      const std::uint64_t offset = diff.stacks.nodes.at(row.node).offset;
      row.id = offset < 0x1000 ? "library" : "function " + std::to_string(offset % 0x1000 / 0x100);
      row.path_key = std::hash<std::string>()(row.id);
    }
  }
};

TEST_F(Rebuilt, CodeIsMatchedByFunctionAndItsFiguresAreCompared) {
  write_build("old", "one", 0x1000, {100, 500, 40, 70});
  write_build("new", "two", 0x5000, {300, 500, 10});
  model::Diff result = diff();
  ASSERT_EQ(result.matched_by, model::MatchedBy::kFunction);
  give_ids(result);
  merge_by_function(result);
  ASSERT_EQ(result.rows.size(), 4U);
  EXPECT_EQ(result.rows[0].bytes, 200);
  EXPECT_EQ(result.rows[0].change, Change::kGrew);
  EXPECT_EQ(result.rows[1].bytes, 200);
  EXPECT_EQ(result.rows[2].id, "function 3");
  EXPECT_EQ(result.rows[2].change, Change::kVanished);
  EXPECT_EQ(result.rows[3].id, "function 2");
  EXPECT_EQ(result.rows[3].change, Change::kShrank);
  EXPECT_EQ(result.rows[3].old_bytes, 40);
  EXPECT_EQ(result.rows[3].new_bytes, 10);
  EXPECT_EQ(address(result, 3), 0x5200U) << "the stack of the new side";
}

// A steady site of the old build is no difference by itself; under its id it is the other half.
TEST_F(Rebuilt, SiteThatBeginsToGrowGrew) {
  for (std::uint32_t i = 0; i < 3; ++i) {
    SnapshotBuilder side;
    const auto server = side.add_module("/usr/bin/server", "two");
    side.add_site({.stack = {{server, 0x5000}}, .live_blocks = 1, .live_bytes = 100 + 50 * i});
    write(side.at(i + 1, i), "new");
    SnapshotBuilder before;
    const auto old_server = before.add_module("/usr/bin/server", "one");
    before.add_site({.stack = {{old_server, 0x1000}}, .live_blocks = 1, .live_bytes = 100});
    write(before.at(i + 1, i), "old");
  }
  model::Diff result = diff();
  give_ids(result);
  merge_by_function(result);
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_EQ(result.rows[0].change, Change::kGrew);
  EXPECT_DOUBLE_EQ(result.rows[0].bytes, 50);
}

// Two call paths of one function are one row, which shows the path that changed.
TEST_F(Rebuilt, ThePathThatDiffersMostGivesTheStack) {
  for (const bool is_new : {false, true}) {
    SnapshotBuilder side;
    const std::uint64_t shift = is_new ? 0x5000 : 0x1000;
    const auto server = side.add_module("/usr/bin/server", is_new ? "two" : "one");
    side.add_site({.stack = {{server, shift}, {server, shift + 0x100}}, .live_bytes = 9000});
    side.add_site(
        {.stack = {{server, shift}, {server, shift + 0x200}}, .live_bytes = is_new ? 700U : 500U});
    write(side, is_new ? "new" : "old");
  }
  model::Diff result = diff();
  for (model::DiffRow& row : result.rows) {
    const model::Node& inner = result.stacks.nodes.at(row.node);
    row.id = "function";
    row.path_key = result.stacks.nodes.at(inner.parent).offset % 0x1000;
  }
  merge_by_function(result);
  ASSERT_EQ(result.rows.size(), 1U);
  EXPECT_EQ(result.rows[0].change, Change::kGrew);
  EXPECT_EQ(result.rows[0].bytes, 200);
  EXPECT_EQ(result.rows[0].old_bytes, 9500);
  EXPECT_EQ(result.stacks.nodes.at(result.stacks.nodes.at(result.rows[0].node).parent).offset,
            0x5200U);
}

TEST_F(Rebuilt, SoIsAProgramWhoseLibraryWasRebuilt) {
  for (const bool is_new : {false, true}) {
    SnapshotBuilder side;
    const auto server = side.add_module("/usr/bin/server", "same");
    const auto plugin = side.add_module("/opt/plugin.so", is_new ? "two" : "one");
    side.add_site({.stack = {{server, 0x10}}, .live_bytes = 10});
    side.add_site({.stack = {{plugin, is_new ? 0x20U : 0x30U}}, .live_bytes = 10});
    write(side, is_new ? "new" : "old");
  }
  EXPECT_EQ(diff().matched_by, model::MatchedBy::kFunction);
}

TEST_F(Rebuilt, SameBuildIsMatchedByOffset) {
  write_build("old", "one", 0x1000, {100});
  write_build("new", "one", 0x1000, {300});
  EXPECT_EQ(diff().matched_by, model::MatchedBy::kOffset);
}

TEST_F(Rebuilt, NoStackInCommonIsMatchedByFunction) {
  SnapshotBuilder old_side;
  old_side.add_site({.stack = {{old_side.add_module("/usr/lib/a.so", "one"), 1}}});
  write(old_side, "old");
  SnapshotBuilder new_side;
  new_side.add_site({.stack = {{new_side.add_module("/usr/lib/a.so", "two"), 1}}});
  write(new_side, "new");
  EXPECT_EQ(diff().matched_by, model::MatchedBy::kFunction);
}

}  // namespace
}  // namespace seep::diff
