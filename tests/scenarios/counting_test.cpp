// A program that makes exactly N blocks at a site and frees M of them is reported with exactly
// these figures, whatever the allocation function and whatever other threads do.
#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

constexpr std::uint64_t kBlocks = 500;
constexpr std::uint64_t kFreed = 200;
constexpr std::uint64_t kThreads = 3;
constexpr std::uint64_t kBytes = 96;  // as in programs/exact_counts.cpp
constexpr std::uint64_t kPage = 4096;

const std::vector<std::string> kSmallSites = {"site_malloc",
                                              "site_calloc",
                                              "site_realloc_null",
                                              "site_reallocarray",
                                              "site_posix_memalign",
                                              "site_aligned_alloc",
                                              "site_memalign",
                                              "site_new",
                                              "site_new_array",
                                              "site_new_nothrow",
                                              "site_new_array_nothrow",
                                              "site_new_aligned",
                                              "site_new_array_aligned",
                                              "site_new_aligned_nothrow",
                                              "site_new_array_aligned_nothrow"};

class Counting : public Scenario {
 protected:
  Json counted() {
    const Output output = run_preloaded({program("exact_counts"), std::to_string(kBlocks),
                                         std::to_string(kFreed), std::to_string(kThreads)});
    EXPECT_EQ(output.status, 0);
    const auto paths = recordings("exact_counts");
    EXPECT_EQ(paths.size(), 1U);
    return paths.empty() ? Json::object() : report(paths.front(), {"--sites"});
  }

  static void expect_site(const Json& report, const std::string& site, std::uint64_t bytes) {
    const Sums sums = sums_through(report, site);
    EXPECT_EQ(sums.allocated_blocks, kThreads * kBlocks) << site;
    EXPECT_EQ(sums.freed_blocks, kThreads * kFreed) << site;
    EXPECT_EQ(sums.live_blocks, kThreads * (kBlocks - kFreed)) << site;
    EXPECT_EQ(sums.live_bytes, kThreads * (kBlocks - kFreed) * bytes) << site;
  }
};

TEST_F(Counting, IsExactForEveryAllocationFunctionOnSeveralThreads) {
  const Json report = counted();
  ASSERT_TRUE(report.contains("suspects"));
  for (const std::string& site : kSmallSites) {
    expect_site(report, site, kBytes);
  }
  expect_site(report, "site_valloc", kPage);
  expect_site(report, "site_pvalloc", kPage);
  expect_nothing_lost(report);
}

TEST_F(Counting, MovesABlockToTheSiteThatReallocatedIt) {
  const Json report = counted();
  ASSERT_TRUE(report.contains("suspects"));
  EXPECT_EQ(sums_through(report, "start_small").live_blocks, 0U);
  const Sums moved = sums_through(report, "site_realloc");
  EXPECT_EQ(moved.live_blocks, kThreads * (kBlocks - kFreed));
  EXPECT_EQ(moved.live_bytes, kThreads * (kBlocks - kFreed) * kBytes);
}

TEST_F(Counting, FollowsPartialUnmapsAndRemaps) {
  const Json report = counted();
  ASSERT_TRUE(report.contains("suspects"));
  EXPECT_EQ(sums_through(report, "site_partial_munmap").live_bytes, 7 * kPage);
  EXPECT_EQ(sums_through(report, "site_mremap").live_bytes, 6 * kPage);
  EXPECT_EQ(sums_through(report, "site_munmap").live_bytes, 0U);
}

TEST_F(Counting, KeepsTheBlockThatAFailedReallocLeft) {
  const Json report = counted();
  ASSERT_TRUE(report.contains("suspects"));
  const Sums kept = sums_through(report, "site_failed_realloc");
  EXPECT_EQ(kept.live_blocks, 1U);
  EXPECT_EQ(kept.live_bytes, kBytes);
}

TEST_F(Counting, LosesNothingInChurnAcrossThreads) {
  const Output output = run_preloaded({program("churn"), "2", "4"});
  EXPECT_EQ(output.status, 0);
  const auto paths = recordings("churn");
  ASSERT_EQ(paths.size(), 1U);
  const Json report = this->report(paths.front());
  expect_nothing_lost(report);
  const Sums sums = sums_through(report, "make_block");
  EXPECT_GT(sums.allocated_blocks, 10'000U);
  EXPECT_EQ(sums.live_blocks, 0U);
  EXPECT_EQ(sums.freed_blocks, sums.allocated_blocks);
}

}  // namespace
}  // namespace seep::scenarios
