// Who holds what the destructors of the program release at exit.
#include <algorithm>

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scan/scan_file.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

class Holders : public Scenario {
 protected:
  void run_for(const std::string& ms, const Environment& settings = {}) {
    Environment all = settings;
    all.emplace("SEEP_INTERVAL", "100ms");
    EXPECT_EQ(run_preloaded({program("holders"), ms}, all).status, 0);
    ASSERT_EQ(recordings("holders").size(), 1U);
  }
  // The heaviest suspect through the function.
  Json suspect(const std::string& function) {
    const auto found = suspects_through(report(recordings("holders")[0]), function);
    return found.empty() ? Json() : found[0];
  }
  // Whichever of its words points to them: the ends of a list are held by two.
  void expect_holder(const std::string& function, const std::string& global) {
    const Json held = suspect(function).value("held_by", Json());
    ASSERT_TRUE(held.is_array() && !held.empty()) << function;
    EXPECT_EQ(held[0].at("root"), "global");
    const auto text = held[0].at("text").get<std::string>();
    EXPECT_EQ(text.find(global), 0U) << text;
    EXPECT_EQ(text.find('+'), std::string::npos) << text;
    EXPECT_GT(held[0].at("share"), 0.9);
  }
  std::vector<ScanFile> scans() { return scans_of(recordings("holders")[0]); }
};

TEST_F(Holders, OfWhatDestructorsReleaseAreNamed) {
  run_for("1300");
  ASSERT_EQ(scans().size(), 2U);
  EXPECT_EQ(scans()[0].scan.when, 2U);
  EXPECT_EQ(scans()[0].scan.complete, 1U);
  EXPECT_EQ(scans()[0].unreachable.size(), 0U);
  EXPECT_EQ(scans()[1].scan.when, 0U);
  EXPECT_LT(scans()[1].scan.blocks, scans()[0].scan.blocks / 2);
  expect_holder("open_session", "g_sessions");
  expect_holder("log_event", "g_events");

  // Its container is gone as well, and it is not.
  const Json file = suspect("open_file");
  ASSERT_TRUE(file.is_object());
  EXPECT_GT(file.at("unreachable_blocks"), 20U);
  EXPECT_TRUE(file.at("leak").get<bool>());
}

TEST_F(Holders, AreNotAskedForInAShortLife) {
  run_for("100");
  EXPECT_EQ(scans().size(), 1U);
}

// Half of the limit would not do, by an estimate: the scan at exit gets it all.
TEST_F(Holders, AreNotAskedForWhereTimeIsShort) {
  run_for("1300", {{"SEEP_SCAN_LIMIT", "0ms"}});
  ASSERT_EQ(scans().size(), 1U);
  EXPECT_EQ(scans()[0].scan.when, 0U);
}

}  // namespace
}  // namespace seep::scenarios
