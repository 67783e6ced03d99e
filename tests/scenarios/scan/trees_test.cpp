// Lost trees: each is one leak, of the function that made what is lost directly.
#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

TEST_F(Scenario, TwoLostTreesAreTwoLeaks) {
  EXPECT_EQ(run_preloaded({program("trees")}).status, 0);
  ASSERT_EQ(recordings("trees").size(), 1U);
  const Json found = report(recordings("trees")[0]);
  EXPECT_EQ(found.at("totals").at("leak_suspects"), 2U);
  const auto expect_tree = [&](const char* head, const char* rest, unsigned blocks) {
    const auto suspects = suspects_through(found, head);
    ASSERT_EQ(suspects.size(), 1U) << head;
    EXPECT_EQ(suspects[0].at("unreachable_blocks"), blocks);
    const Json& stack = suspects[0].at("stack");
    EXPECT_FALSE(passes_through(stack, rest)) << functions_of(stack);
  };
  expect_tree("make_index", "make_entry", 101);
  expect_tree("open_session", "make_buffer", 51);
}

}  // namespace
}  // namespace seep::scenarios
