// Objects of pools are lost, held, and hold what they point to, as blocks are.
#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scan/scan_file.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

constexpr std::uint64_t kKept = 200;
constexpr std::uint64_t kKeptBlock = 600;
constexpr std::uint64_t kLost = 304;
constexpr std::uint64_t kHeld = 104;
constexpr std::uint64_t kHeldBlock = 700;
constexpr std::uint64_t kArena = 65536;

class Pools : public Scenario {
 protected:
  ScanFile scan(const std::string& what) {
    const Output output = run_preloaded({program("pools"), what});
    EXPECT_EQ(output.status, 0) << output.err;
    const auto found = recordings("pools");
    const auto scans = found.empty() ? std::vector<ScanFile>() : scans_of(found.back());
    EXPECT_EQ(scans.size(), 1U);
    const ScanFile file = scans.empty() ? ScanFile() : scans[0];
    EXPECT_EQ(file.scan.complete, 1U);
    return file;
  }
};

class PoolsIn : public Pools, public ::testing::WithParamInterface<const char*> {};

TEST_P(PoolsIn, LoseWhatNothingPointsTo) {
  const ScanFile file = scan(GetParam());
  EXPECT_EQ(file.direct_blocks(), 1U);
  EXPECT_EQ(file.direct_bytes(), kLost);
  EXPECT_EQ(file.indirect_blocks(), 2U);
  EXPECT_EQ(file.indirect_bytes(), kHeld + kHeldBlock);
}

TEST_P(PoolsIn, HoldBlocks) {
  const ScanFile file = scan(GetParam());
  const auto chains = file.chains_of_size(kKeptBlock);
  ASSERT_EQ(chains.size(), 1U);
  const auto& links = chains[0].links;
  ASSERT_EQ(links.size(), 2U);
  EXPECT_EQ(links[0].kind, static_cast<std::uint32_t>(format::LinkKind::kGlobal));
  EXPECT_EQ(links[1].kind, static_cast<std::uint32_t>(format::LinkKind::kBlock));
  EXPECT_EQ(links[1].offset, 24U);
  EXPECT_EQ(file.sites.at(links[1].site).live_bytes, kKept);
}

INSTANTIATE_TEST_SUITE_P(Scan, PoolsIn, ::testing::Values("malloc", "header", "mmap", "static"),
                         [](const auto& test) { return std::string(test.param); });

TEST_F(Pools, TheReportNamesTheFunctionThatLostAnObject) {
  scan("malloc");
  const Json found = report(recordings("pools")[0]);
  const auto lost = suspects_through(found, "lose_object");
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].at("verdict"), "unreachable");
  EXPECT_TRUE(lost[0].at("leak").get<bool>());
  EXPECT_EQ(lost[0].at("unreachable_bytes"), kLost + kHeld + kHeldBlock);
  EXPECT_EQ(lost[0].at("unreachable_direct_bytes"), kLost);
}

// The object that held them is lost with the arena, and the sum is what was lost.
TEST_F(Pools, ALostArenaIsOneLossWithAllThatIsInIt) {
  const ScanFile file = scan("lost_arena");
  EXPECT_EQ(file.direct_blocks(), 1U);
  EXPECT_EQ(file.direct_bytes(), kArena - kKept - kLost - kHeld);
  EXPECT_EQ(file.indirect_blocks(), 5U);
  EXPECT_EQ(file.indirect_bytes(), kKept + kLost + kHeld + kKeptBlock + kHeldBlock);
}

// Objects of an arena that was released without a word: the next block in its place is whole.
TEST_F(Pools, WhatIsLeftOfAReleasedArenaHidesNothing) {
  const ScanFile file = scan("overlaid");
  EXPECT_EQ(file.direct_blocks(), 0U);
  EXPECT_EQ(file.indirect_blocks(), 0U);
}

TEST_F(Pools, AnnotatedObjectsAreNoLosses) {
  const ScanFile file = scan("annotated");
  EXPECT_EQ(file.direct_blocks(), 0U);
  EXPECT_EQ(file.indirect_blocks(), 0U);
}

}  // namespace
}  // namespace seep::scenarios
