// Each kind of root: a block that a word of it points to is held, and the same block without that
// word is lost.
#include "tests/scenarios/scan/scan_file.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

constexpr std::uint64_t kBytes = 1337;

class Roots : public Scenario, public ::testing::WithParamInterface<const char*> {
 protected:
  // The scan of the program itself, and none besides.
  ScanFile scan(const std::string& held) {
    const Output output = run_preloaded({program("roots"), GetParam(), held},
                                        {{"TLS_LIBRARY", program("tls_library.so")}});
    EXPECT_EQ(output.status, 0) << output.err;
    const auto found = recordings("roots");
    const auto scans = found.empty() ? std::vector<ScanFile>() : scans_of(found.back());
    EXPECT_EQ(scans.size(), 1U);
    for (const auto& recording : found) {
      std::filesystem::remove_all(recording);
    }
    return scans.empty() ? ScanFile() : scans[0];
  }
};

TEST_P(Roots, HoldWhatTheyPointTo) {
  const ScanFile held = scan("held");
  EXPECT_EQ(held.scan.problem, 0U);
  EXPECT_EQ(held.scan.complete, 1U);
  EXPECT_EQ(held.direct_bytes(), 0U);
  EXPECT_EQ(held.indirect_bytes(), 0U);
}

TEST_P(Roots, HoldNothingElse) {
  const ScanFile lost = scan("lost");
  EXPECT_EQ(lost.scan.complete, 1U);
  EXPECT_GE(lost.direct_blocks(), 1U);
  const std::uint64_t bytes = lost.direct_bytes() + lost.indirect_bytes();
  const std::string name = GetParam();
  EXPECT_EQ(bytes, name == "before_free_chunk" ? 24 : name == "in_block" ? kBytes + 64 : kBytes);
}

INSTANTIATE_TEST_SUITE_P(Scan, Roots,
                         ::testing::Values("in_global", "in_table", "in_tls", "interior", "behind",
                                           "unaligned", "in_block", "in_itself", "in_map",
                                           "in_read_only_map", "in_shared_map", "in_free_memory",
                                           "before_free_chunk", "in_library_tls", "on_thread_stack",
                                           "in_thread_tls", "in_register", "in_vector_register",
                                           "on_coroutine_stack", "on_mapped_coroutine_stack",
                                           "on_stack_at_exit", "on_own_stack_at_exit",
                                           "on_dead_stack"),
                         [](const auto& test) { return std::string(test.param); });

// A child that lives long enough is looked at as well.
TEST_F(Scenario, AChildsLossesAreItsOwn) {
  for (const std::string held : {"held", "lost"}) {
    run_preloaded({program("roots"), "in_child", held}, {{"SEEP_MIN_LIFE", "0"}});
    std::uint64_t lost = 0;
    for (const auto& recording : recordings("roots")) {
      for (const ScanFile& file : scans_of(recording)) {
        EXPECT_EQ(file.scan.complete, 1U);
        lost += file.direct_bytes();
      }
      std::filesystem::remove_all(recording);
    }
    EXPECT_EQ(lost, held == "held" ? 0 : kBytes);
  }
}

// What only another thread of the parent holds is no loss of the child.
TEST_F(Scenario, WhatTheParentHoldsIsNoLossOfTheChild) {
  run_preloaded({program("roots"), "parents_block", "held"}, {{"SEEP_MIN_LIFE", "0"}});
  ASSERT_EQ(recordings("roots").size(), 2U);
  for (const auto& recording : recordings("roots")) {
    const auto scans = scans_of(recording);
    ASSERT_EQ(scans.size(), 1U);
    EXPECT_EQ(scans[0].scan.complete, 1U);
    EXPECT_EQ(scans[0].direct_bytes(), 0U);
  }
}

}  // namespace
}  // namespace seep::scenarios
