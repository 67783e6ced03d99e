// Every allocator contract (programs/contracts.cpp): what is refused, what is kept, what errno
// says.
#include "tests/scenarios/harmless/harmless.h"

namespace seep::scenarios {
namespace {

class Contracts : public Harmless {};

TEST_F(Contracts, EdgesAreAsTheAllocatorHasThem) {
  const Output output = expect_same({program("contracts"), "edges"});
  EXPECT_EQ(output.status, 0);
  EXPECT_GT(lines_of(output.out).size(), 80U);
  const Json report = only_report("contracts");
  expect_site(report, "site_kept_by_failure", 3, 3);
  expect_site(report, "releasing_moves", 15, 0);
  EXPECT_EQ(sums_through(report, "site_kept_by_failure").live_bytes, 24U + 5000U + 300000U);
  expect_nothing_lost(report);
}

TEST_F(Contracts, EdgesHoldInSampleModeAndDormant) {
  expect_same({program("contracts"), "edges"},
              {{"SEEP_MODE", "sample"}, {"SEEP_SAMPLE_BYTES", "1K"}});
  expect_same({program("contracts"), "edges"}, {{"SEEP_START", "paused"}});
}

TEST_F(Contracts, ErrnoIsKeptWhileSnapshotsAreTaken) {
  const Output output =
      expect_same({program("contracts"), "errno"}, {{"SEEP_INTERVAL", "1ms"}, {"SEEP_KEEP", "8"}});
  EXPECT_EQ(output.out, "errno touched: 0\n");
  const Json report = only_report("contracts");
  EXPECT_GT(report.at("snapshots").size(), 4U);
  expect_nothing_lost(report);
}

TEST_F(Contracts, ForeignBlocksAreCountedAndReleased) {
  expect_same({program("contracts"), "foreign", "100"});
  const Json report = only_report("contracts");
  // Half of libc's own 100 come to free, half to realloc.
  EXPECT_EQ(loss(report, "foreign_free"), 100U);
  // Each of the 100 is made where the one before it was released unseen; the last block too.
  EXPECT_EQ(loss(report, "missed_free"), 100U);
  EXPECT_EQ(sums_through(report, "site_freed_behind").live_blocks, 0U);
}

TEST_F(Contracts, BlocksMayEndInAnotherThread) {
  expect_same({program("contracts"), "threads", "900"});
  const Json report = only_report("contracts");
  expect_site(report, "site_freed_elsewhere", 900, 300);
  expect_site(report, "site_grown_elsewhere", 300, 300);
  expect_nothing_lost(report);
}

TEST_F(Contracts, OperatorsThrowCallHandlersAndAreLeftByJumps) {
  expect_same({program("contracts"), "operators"});
  const Json report = only_report("contracts");
  expect_site(report, "site_after_failures", 5, 5);
  expect_site(report, "site_map_after_jumps", 1, 1);
  expect_site(report, "site_map_from_below", 3, 3);
  expect_nothing_lost(report);
}

// A hook that was left for good: who runs below its frame is not below the hook. All in both modes:
// each block is larger than what lies between two samples by far.
class LeftHooks : public Contracts, public testing::WithParamInterface<const char*> {
 protected:
  void expect_all(const Environment& settings) {
    expect_same({program("guards"), GetParam()}, settings);
    const Json report = only_report("guards");
    for (const char* site : {"site_below", "site_array_below", "site_map_below"}) {
      expect_site(report, site, 100, 100);
    }
    expect_nothing_lost(report);
  }
};

TEST_P(LeftHooks, HideNothingThatIsAllocatedBelow) {
  expect_all({});
}

TEST_P(LeftHooks, HideNothingOfASample) {
  expect_all({{"SEEP_MODE", "sample"}, {"SEEP_SAMPLE_BYTES", "1K"}});
}

INSTANTIATE_TEST_SUITE_P(By, LeftHooks, testing::Values("longjmp", "coroutine"));

}  // namespace
}  // namespace seep::scenarios
