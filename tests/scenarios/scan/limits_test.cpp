// Scans that come to no answer, LeakSanitizer's interface, and what a scan at exit changes:
// nothing.
#include <algorithm>

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scan/scan_file.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

using format::ScanProblem;

class Scans : public Scenario {
 protected:
  std::vector<ScanFile> scans(const std::string& exe) {
    const auto found = recordings(exe);
    return found.empty() ? std::vector<ScanFile>() : scans_of(found.back());
  }
};

TEST_F(Scans, ThatTakeTooLongSaySo) {
  const Output output =
      run_preloaded({program("roots"), "in_global", "lost"}, {{"SEEP_SCAN_LIMIT", "0ms"}});
  EXPECT_EQ(output.status, 0);
  const auto found = scans("roots");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].scan.problem, static_cast<std::uint32_t>(ScanProblem::kTimeLimit));
  EXPECT_EQ(found[0].scan.complete, 0U);
  EXPECT_TRUE(found[0].unreachable.empty());
  EXPECT_EQ(found[0].failed_scans, 1U);
}

TEST_F(Scans, AreNotMadeWhenTheyAreOff) {
  run_preloaded({program("roots"), "in_global", "lost"}, {{"SEEP_SCAN", "off"}});
  EXPECT_EQ(recordings("roots").size(), 1U);
  EXPECT_TRUE(scans("roots").empty());
}

TEST_F(Scans, OfYoungChildrenAreNotMade) {
  run_preloaded({program("roots"), "in_child", "lost"});
  EXPECT_EQ(recordings("roots").size(), 1U);  // the parent's
}

TEST_F(Scans, ThatTheProgramAsksForAnswerIt) {
  const Output output = run_preloaded({program("annotated")});
  EXPECT_EQ(output.out, "disabled 0\nlost 1\nignored 0\nlost 1\nregion 0\nlost 1\n");
  EXPECT_EQ(scans("annotated").size(), 7U);  // the last one at exit
}

TEST_F(Scans, AreNotMadeAgainAfterTheLast) {
  run_preloaded({program("annotated"), "last"});
  EXPECT_EQ(scans("annotated").size(), 7U);
}

TEST_F(Scans, AnnotatedProgramsRunWithoutTheLibrary) {
  EXPECT_EQ(run({program("annotated")}).out, "no interface\n");
}

// Kept in the recording, though the program releases the text before the scan.
TEST_F(Scans, ProgramsSuppressWhatTheyMeanToLose) {
  EXPECT_EQ(run_preloaded({program("suppressed"), "leak:lose_on_purpose\n"}).status, 0);
  ASSERT_EQ(recordings("suppressed").size(), 1U);
  const Json found = report(recordings("suppressed")[0]);
  EXPECT_EQ(found.at("totals").at("leak_suspects"), 1U);
  EXPECT_EQ(found.at("totals").at("suppressed_suspects"), 1U);
  const auto meant = suspects_through(found, "lose_on_purpose");
  ASSERT_EQ(meant.size(), 1U);
  EXPECT_EQ(meant[0].at("suppressed_by"), "leak:lose_on_purpose");
  const auto mistaken = suspects_through(found, "lose_by_mistake");
  ASSERT_EQ(mistaken.size(), 1U);
  EXPECT_TRUE(mistaken[0].at("suppressed_by").is_null());
  const Json& used = found.at("suppressions").at(0);
  EXPECT_EQ(used.at("file"), "__lsan_default_suppressions");
  EXPECT_EQ(used.at("suspects"), 1U);
  run({seep_command(), "prune", "--to", "0", recordings_directory().string()});
  EXPECT_TRUE(recordings("suppressed").empty()) << "the file is known to be one of a recording";
}

TEST_F(Scans, SuppressionsThatCannotBeReadSuppressNothing) {
  EXPECT_EQ(run_preloaded({program("suppressed"), "nonsense"}).status, 0);
  ASSERT_EQ(recordings("suppressed").size(), 1U);
  const Json found = report(recordings("suppressed")[0]);
  EXPECT_EQ(found.at("totals").at("leak_suspects"), 2U);
}

}  // namespace
}  // namespace seep::scenarios
