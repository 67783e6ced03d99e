// However a program ends, its status is its own and its last moments are on disk.
#include <chrono>
#include <csignal>
#include <thread>

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

struct Way {
  std::string name;
  int status;
  std::string trigger;  // of the last snapshot
};

std::ostream& operator<<(std::ostream& stream, const Way& way) {
  return stream << way.name;
}

class Ending : public Scenario, public ::testing::WithParamInterface<Way> {};

TEST_P(Ending, LeavesALastSnapshotAndTheStatusOfTheProgram) {
  const Output tracked = run_preloaded({program("ways_to_end"), GetParam().name});
  EXPECT_EQ(tracked.status, GetParam().status);
  EXPECT_EQ(tracked.out, "");
  EXPECT_EQ(tracked.err, "");
  const auto paths = recordings("ways_to_end");
  ASSERT_EQ(paths.size(), 1U);
  const Json report = this->report(paths.front());
  EXPECT_EQ(report.at("snapshots").back().at("trigger"), GetParam().trigger);
  const Sums held = sums_through(report, "hold_blocks");
  EXPECT_EQ(held.live_blocks, 100U);
  EXPECT_EQ(held.live_bytes, 6400U);
  expect_nothing_lost(report);
}

INSTANTIATE_TEST_SUITE_P(Ways, Ending,
                         ::testing::Values(Way{"return", 3, "exit"}, Way{"exit", 3, "exit"},
                                           Way{"_exit", 3, "exit"}, Way{"_Exit", 3, "exit"},
                                           Way{"quick_exit", 3, "exit"}, Way{"exec", 0, "exec"},
                                           Way{"failed_exec", 3, "exit"}),
                         [](const auto& one) {
                           return one.param.name.front() == '_' ? "underscore" + one.param.name
                                                                : one.param.name;
                         });

class Lifecycle : public Scenario {};

TEST_F(Lifecycle, AFatalSignalStillKillsTheProgram) {
  EXPECT_EQ(run_preloaded({program("ways_to_end"), "sigterm"}).status, 128 + SIGTERM);
  EXPECT_EQ(run_preloaded({program("ways_to_end"), "abort"}).status, 128 + SIGABRT);
}

TEST_F(Lifecycle, AnExecutedProgramHasARecordingOfItsOwn) {
  const Output tracked = run_preloaded({"/bin/sh", "-c", "exec " + sample("start_up") + " 0.3"});
  EXPECT_EQ(tracked.status, 0);
  const auto paths = recordings("start_up");
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(report(paths.front()).at("snapshots").back().at("trigger"), "exit");
  ASSERT_EQ(index().size(), 2U);
  EXPECT_EQ(index().front().how, "exec");
  EXPECT_EQ(index().back().how, "exit");
  EXPECT_EQ(index().front().pid, index().back().pid);
}

TEST_F(Lifecycle, KillLeavesReadableSnapshots) {
  auto child = start_preloaded({sample("lost_pointer"), "60"});
  const auto recording = wait_for_recording(child->pid());
  // A minute of the program, and as long to wait: time enough where a machine is very busy.
  wait_until("four snapshots, the last with 200 blocks", [&] {
    const auto all = snapshots(recording);
    const Output info = run({seep_command(), "info", "--json", all.back().string()});
    return all.size() >= 4 && info.status == 0 &&
           Json::parse(info.out).at("snapshot").at("live_blocks").get<long>() >= 200;
  });
  child->send(SIGKILL);
  EXPECT_EQ(child->wait().status, 128 + SIGKILL);
  const Json report = this->report(recording);
  EXPECT_GE(report.at("snapshots").size(), 4U);
  EXPECT_GT(sums_through(report, "parse_line").live_blocks, 100U);
  EXPECT_EQ(run({seep_command(), "verify", recording.string()}).status, 0);
}

TEST_F(Lifecycle, RunEndsWithTheStatusOfTheProgram) {
  const std::string page = (directory() / "page").string();
  EXPECT_EQ(run_under_seep({"--report", page}, {"/bin/sh", "-c", "exit 42"}).status, 42);
  EXPECT_EQ(run_under_seep({"--report", page}, {"/bin/sh", "-c", "kill -TERM $$"}).status,
            128 + SIGTERM);
}

TEST_F(Lifecycle, RunSaysWhatItCouldNotStart) {
  EXPECT_EQ(run_under_seep({}, {"/nonexistent/program"}).status, 127);
  const auto text = directory() / "text";
  EXPECT_EQ(run({"/bin/sh", "-c", "echo text > " + text.string()}).status, 0);
  EXPECT_EQ(run_under_seep({}, {text.string()}).status, 126);
}

TEST_F(Lifecycle, RunPrintsItsReportAfterTheProgramAndOnStderr) {
  const Output output = run_under_seep({}, {sample("lost_pointer")});
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(output.out, run({sample("lost_pointer")}).out);
  EXPECT_EQ(output.err.rfind("seep: lost_pointer[", 0), 0U) << output.err;
  EXPECT_NE(output.err.find("parse_line"), std::string::npos) << output.err;
  EXPECT_LE(lines_of(output.err).size(), 20U);
}

TEST_F(Lifecycle, CheckFailsARunThatLeaks) {
  EXPECT_EQ(run_under_seep({"--check"}, {sample("lost_pointer")}).status, 1);
  EXPECT_EQ(run_under_seep({"--check", "--error-exitcode", "9"}, {sample("lost_pointer")}).status,
            9);
  EXPECT_EQ(run_under_seep({"--check"}, {sample("steady_turnover")}).status, 0);
}

}  // namespace
}  // namespace seep::scenarios
