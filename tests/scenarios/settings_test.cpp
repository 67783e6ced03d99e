// Settings in the environment: what they change, and that a bad one never stops the program.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

struct BadSetting {
  std::string variable;
  std::string value;
};

std::ostream& operator<<(std::ostream& stream, const BadSetting& bad) {
  return stream << bad.variable << "=" << bad.value;
}

class Bad : public Scenario, public ::testing::WithParamInterface<BadSetting> {};

TEST_P(Bad, IsOneLineAndTheProgramRunsOnUntracked) {
  const Arguments arguments = {sample("forked_worker"), "0.2"};
  const Output natively = run(arguments);
  const Output output = run_preloaded(arguments, {{GetParam().variable, GetParam().value}});
  EXPECT_EQ(output.status, natively.status);
  EXPECT_EQ(output.out, natively.out);
  const auto lines = lines_of(output.err);
  ASSERT_EQ(lines.size(), 1U) << output.err;
  EXPECT_EQ(lines.front().rfind("seep: ", 0), 0U) << lines.front();
  EXPECT_NE(lines.front().find(GetParam().variable), std::string::npos) << lines.front();
  EXPECT_NE(lines.front().find(GetParam().value), std::string::npos) << lines.front();
  EXPECT_TRUE(recordings().empty());
}

INSTANTIATE_TEST_SUITE_P(
    Settings, Bad,
    ::testing::Values(BadSetting{"SEEP_INTERVAL", "fast"},
                      BadSetting{"SEEP_INTERVAL", "10 parsecs"}, BadSetting{"SEEP_KEEP", "3"},
                      BadSetting{"SEEP_KEEP", "many"}, BadSetting{"SEEP_DISK", "1Q"},
                      BadSetting{"SEEP_STACK_DEPTH", "0"}, BadSetting{"SEEP_STACK_DEPTH", "65"},
                      BadSetting{"SEEP_SIGNAL", "NOSUCH"}, BadSetting{"SEEP_CHILDREN", "some"},
                      BadSetting{"SEEP_MODE", "guess"}));

class Settings : public Scenario {
 protected:
  static std::vector<std::string> triggers(const Json& report) {
    std::vector<std::string> result;
    for (const Json& snapshot : report.at("snapshots")) {
      result.push_back(snapshot.at("trigger").get<std::string>());
    }
    return result;
  }

  static std::ptrdiff_t count(const std::vector<std::string>& all, const std::string& wanted) {
    return std::count(all.begin(), all.end(), wanted);
  }
};

TEST_F(Settings, IntervalOffLeavesOnlyTheEnd) {
  run_preloaded({sample("lost_pointer"), "0.5"}, {{"SEEP_INTERVAL", "off"}});
  ASSERT_EQ(recordings("lost_pointer").size(), 1U);
  const auto found = triggers(report(recordings().front()));
  EXPECT_EQ(count(found, "interval"), 0);
  EXPECT_EQ(count(found, "exit"), 1);
}

TEST_F(Settings, IntervalIsKept) {
  run_preloaded({sample("lost_pointer"), "2"}, {{"SEEP_INTERVAL", "100ms"}});
  ASSERT_EQ(recordings("lost_pointer").size(), 1U);
  const auto intervals = count(triggers(report(recordings().front())), "interval");
  EXPECT_GE(intervals, 15);
  EXPECT_LE(intervals, 21);
}

TEST_F(Settings, KeepBoundsTheSnapshotsAndSparesTheMarks) {
  auto child = start_preloaded({sample("lost_pointer"), "3"},
                               {{"SEEP_KEEP", "8"}, {"SEEP_INTERVAL", "20ms"}});
  const fs::path recording = wait_for_recording(child->pid());
  for (const char* label : {"one", "two", "three"}) {
    EXPECT_EQ(run({seep_command(), "mark", std::to_string(child->pid()), label}).status, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    EXPECT_LE(snapshots(recording).size(), 8U);
  }
  EXPECT_EQ(child->wait().status, 0);
  EXPECT_LE(snapshots(recording).size(), 8U);
  const auto found = triggers(report(recording));
  EXPECT_EQ(count(found, "mark"), 3);
  EXPECT_EQ(count(found, "exit"), 1);
}

TEST_F(Settings, SignalTakesASnapshot) {
  auto child = start_preloaded({sample("lost_pointer"), "2"},
                               {{"SEEP_SIGNAL", "USR2"}, {"SEEP_INTERVAL", "off"}});
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  child->send(SIGUSR2);
  EXPECT_EQ(child->wait().status, 0);
  ASSERT_EQ(recordings("lost_pointer").size(), 1U);
  EXPECT_EQ(count(triggers(report(recordings().front())), "signal"), 1);
}

TEST_F(Settings, StackDepthCutsAndCounts) {
  run_preloaded({sample("server"), "0.5"}, {{"SEEP_STACK_DEPTH", "2"}});
  ASSERT_EQ(recordings("server").size(), 1U);
  const Json report = this->report(recordings().front(), {"--sites"});
  EXPECT_GT(report.at("losses").at("stacks_cut").get<unsigned>(), 0U);
  for (const Json& suspect : report.at("suspects")) {
    const Json& stack = suspect.at("stack");
    EXPECT_LE(std::count_if(stack.begin(), stack.end(),
                            [](const Json& frame) { return !frame.at("inlined").get<bool>(); }),
              2);
  }
}

TEST_F(Settings, AnUnwritableDirectoryFallsBackToTmpdir) {
  const fs::path fallback = directory() / "fallback";
  fs::create_directory(fallback);
  const Output output =
      run_preloaded({sample("lost_pointer"), "0.3"},
                    {{"SEEP_DIR", "/proc/seep-cannot-write-here"}, {"TMPDIR", fallback.string()}});
  EXPECT_EQ(output.status, 0);
  EXPECT_LE(lines_of(output.err).size(), 1U);
  fs::path recording;
  for (const auto& entry : fs::recursive_directory_iterator(fallback)) {
    recording = entry.path().stem() == "lost_pointer" ? entry.path() : recording;
  }
  ASSERT_FALSE(recording.empty());
  const Json report = this->report(recording);
  EXPECT_GT(sums_through(report, "parse_line").live_blocks, 0U);
}

TEST_F(Settings, TheDirectoryIsMadeAbsoluteOnce) {
  const std::string command =
      "cd \"$0\" && LD_PRELOAD=\"$1\" SEEP_MIN_LIFE=0s SEEP_DIR=here sh -c "
      "'mkdir deeper && cd deeper && \"$0\" 0.2' \"$2\"";
  EXPECT_EQ(run({"/bin/sh", "-c", command, directory().string(), library(), sample("lost_pointer")})
                .status,
            0);
  EXPECT_TRUE(fs::is_directory(directory() / "here"));
  EXPECT_FALSE(fs::exists(directory() / "deeper" / "here"));
}

TEST_F(Settings, AnExistingRecordingIsNeverEntered) {
  // Two images of one process: the second is appended a number when the name is the same.
  const std::string again = "test -n \"$AGAIN\" || AGAIN=1 exec /bin/sh \"$0\"; true";
  const fs::path script = directory() / "again.sh";
  ASSERT_EQ(run({"/bin/sh", "-c", "printf '%s' \"$0\" > \"$1\"", again, script.string()}).status,
            0);
  EXPECT_EQ(run_preloaded({"/bin/sh", script.string()}, {{"SEEP_MIN_LIFE", "0s"}}).status, 0);
  EXPECT_EQ(recordings().size(), 2U);
}

}  // namespace
}  // namespace seep::scenarios
