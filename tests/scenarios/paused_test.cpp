// SEEP_START, `seep start`, `seep pause` and the signal: when recording begins, and what a pause
// leaves out.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "format/control_page.h"
#include "format/recording_layout.h"
#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTicksPerSecond = 500;  // of programs/phases.c

using Clock = std::chrono::steady_clock;

double seconds_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

void wait_ms(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

class Paused : public Scenario {
 protected:
  std::unique_ptr<Child> start_paused(const Arguments& arguments, Environment settings = {}) {
    settings.emplace("SEEP_START", "paused");
    return start_preloaded(arguments, settings);
  }

  // The recording of a process that can be spoken to, whether it records or not.
  fs::path wait_until_reachable(const std::string& pid) {
    for (int i = 0; i < 1000; ++i) {
      for (const fs::path& recording : recordings()) {
        if (recording.extension() == "." + pid &&
            fs::exists(recording / format::kControlFileName)) {
          return recording;
        }
      }
      wait_ms(10);
    }
    ADD_FAILURE() << "process " << pid << " cannot be spoken to";
    return {};
  }
  fs::path wait_until_reachable(const Child& child) {
    return wait_until_reachable(std::to_string(child.pid()));
  }

  Output tell(const std::string& verb, const Child& child) {
    return run({seep_command(), verb, std::to_string(child.pid()), "--wait", "5s"});
  }

  // The sums at a site in the snapshot that `seep snapshot` takes now.
  Sums now_through(const Child& child, const std::string& function) {
    const fs::path file = directory() / ("now-" + std::to_string(++asked_) + ".seep");
    const Output output =
        run({seep_command(), "snapshot", std::to_string(child.pid()), "-o", file.string()});
    EXPECT_EQ(output.status, 0) << output.err;
    return sums_through(report(file), function);
  }

  static std::ptrdiff_t count_trigger(const Json& report, const std::string& trigger) {
    const Json& all = report.at("snapshots");
    return std::count_if(all.begin(), all.end(),
                         [&](const Json& snapshot) { return snapshot.at("trigger") == trigger; });
  }

  static bool has_note(const Json& report, const std::string& words) {
    const Json& notes = report.at("notes");
    return std::any_of(notes.begin(), notes.end(), [&](const Json& note) {
      return note.get<std::string>().find(words) != std::string::npos;
    });
  }

  static double duration_of(const Json& report) {
    return report.at("process").at("duration_s").get<double>();
  }

 private:
  int asked_ = 0;
};

TEST_F(Paused, NothingIsRecordedAndTheIndexSaysSo) {
  const Arguments arguments = {program("phases"), "0.5"};
  const Output natively = run(arguments);
  const Output output = run_preloaded(arguments, {{"SEEP_START", "paused"}});
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(output.out, natively.out);
  EXPECT_EQ(output.err, "");
  EXPECT_TRUE(recordings().empty());
  ASSERT_EQ(index().size(), 1U);
  EXPECT_EQ(index().front().recording, format::kNeverRecorded);
  EXPECT_EQ(index().front().how, "exit");
}

TEST_F(Paused, RunSaysThatRecordingNeverBegan) {
  const Output output = run_under_seep({"--start", "paused"}, {program("phases"), "0.3"});
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(lines_of(output.err).size(), 1U) << output.err;
  EXPECT_NE(output.err.find("SEEP_START held it back"), std::string::npos) << output.err;
  EXPECT_EQ(run_under_seep({"--start", "paused", "--check"}, {"/bin/true"}).status, 125);
}

TEST_F(Paused, RunSaysSoOfAProcessThatWasKilledToo) {
  const Output output = run_under_seep({"--start", "paused"}, {"/bin/sh", "-c", "kill -KILL $$"});
  EXPECT_EQ(output.status, 128 + SIGKILL);
  EXPECT_NE(output.err.find("SEEP_START held it back"), std::string::npos) << output.err;
}

TEST_F(Paused, StatusAndSnapshotSayThatNothingIsRecorded) {
  const auto child = start_paused({program("phases"), "30"});
  const fs::path recording = wait_until_reachable(*child);
  const Output status = run({seep_command(), "status", std::to_string(child->pid())});
  EXPECT_NE(status.out.find("paused"), std::string::npos) << status.out;
  EXPECT_NE(status.out.find("nothing yet"), std::string::npos) << status.out;
  const Output snapshot = tell("snapshot", *child);
  EXPECT_EQ(snapshot.status, 3);
  EXPECT_NE(snapshot.err.find("records nothing yet"), std::string::npos) << snapshot.err;
  EXPECT_NE(tell("pause", *child).out.find("was paused already"), std::string::npos);
  EXPECT_TRUE(snapshots(recording).empty());
}

TEST_F(Paused, StartFindsTheLeakAndCountsFromThen) {
  const auto child = start_paused({program("phases"), "4"}, {{"SEEP_INTERVAL", "100ms"}});
  const fs::path recording = wait_until_reachable(*child);
  wait_ms(1500);
  EXPECT_TRUE(snapshots(recording).empty());
  const Clock::time_point before = Clock::now();
  const Output output = tell("start", *child);
  const Clock::time_point after = Clock::now();
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_NE(output.out.find("records from now on: " + recording.string() + "/snapshot-000001"),
            std::string::npos)
      << output.out;
  EXPECT_NE(tell("start", *child).out.find("was recording already"), std::string::npos);
  EXPECT_EQ(child->wait().status, 0);
  const Clock::time_point end = Clock::now();

  const Json found = report(recording);
  EXPECT_EQ(found.at("snapshots").at(0).at("trigger"), "start");
  EXPECT_LT(found.at("snapshots").at(0).at("time_s").get<double>(), 0.1);
  EXPECT_GT(duration_of(found), seconds_between(after, end) - 0.5);
  EXPECT_LT(duration_of(found), seconds_between(before, end));
  const Sums lost = sums_through(found, "lose_block");
  EXPECT_GT(lost.live_blocks, 0U);
  EXPECT_LT(lost.live_blocks, 4 * kTicksPerSecond - kTicksPerSecond);
  ASSERT_FALSE(found.at("suspects").empty());
  EXPECT_TRUE(passes_through(found.at("suspects").at(0).at("stack"), "lose_block"));
  EXPECT_TRUE(has_note(found, "began later than the program")) << found.at("notes");
  // Those that were made before and freed after are no loss.
  expect_nothing_lost(found);
}

TEST_F(Paused, APauseAddsNothingAndSeesWhatIsReleased) {
  const auto child = start_preloaded({program("phases"), "30"});
  wait_for_recording(child->pid());
  wait_ms(1000);
  EXPECT_GT(now_through(*child, "turn_over").live_blocks, 0U);
  EXPECT_EQ(now_through(*child, "move_block").live_blocks, 1U);
  const Output output = tell("pause", *child);
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_NE(output.out.find("is paused: "), std::string::npos) << output.out;
  const Sums at_pause = now_through(*child, "lose_block");
  wait_ms(1000);
  const Sums later = now_through(*child, "lose_block");
  EXPECT_EQ(later.live_blocks, at_pause.live_blocks);
  EXPECT_EQ(later.allocated_blocks, at_pause.allocated_blocks);
  EXPECT_EQ(now_through(*child, "turn_over").live_blocks, 0U);
  EXPECT_EQ(now_through(*child, "move_block").live_blocks, 0U);
}

TEST_F(Paused, APauseTakesNoTimeOfTheRecording) {
  const Clock::time_point begin = Clock::now();
  const auto child = start_preloaded({program("phases"), "6"}, {{"SEEP_INTERVAL", "100ms"}});
  const fs::path recording = wait_for_recording(child->pid());
  wait_ms(1500);
  EXPECT_EQ(tell("pause", *child).status, 0);
  const Clock::time_point paused = Clock::now();
  const std::size_t before = snapshots(recording).size();
  wait_ms(2000);
  EXPECT_EQ(snapshots(recording).size(), before);
  const Clock::time_point last_of_pause = Clock::now();
  EXPECT_EQ(tell("start", *child).status, 0);
  EXPECT_EQ(child->wait().status, 0);
  const double without_pause =
      seconds_between(begin, Clock::now()) - seconds_between(paused, last_of_pause);

  const Json found = report(recording);
  EXPECT_LT(duration_of(found), without_pause);
  const std::vector<Json> suspects = suspects_through(found, "lose_block");
  ASSERT_EQ(suspects.size(), 1U);
  EXPECT_EQ(suspects.front().at("behaviour"), "growing") << suspects.front().at("why");
  EXPECT_NEAR(suspects.front().at("growth_bytes_per_s").get<double>(), 100.0 * kTicksPerSecond,
              15.0 * kTicksPerSecond);
  EXPECT_TRUE(has_note(found, "was paused")) << found.at("notes");
  EXPECT_LE(suspects.front().at("oldest_s").get<double>(), duration_of(found) + 0.1);
  expect_nothing_lost(found);
}

TEST_F(Paused, TheEndOfAPausedProcessIsThatOfItsRecording) {
  const Clock::time_point begin = Clock::now();
  const auto child = start_preloaded({program("phases"), "5"}, {{"SEEP_INTERVAL", "100ms"}});
  const fs::path recording = wait_for_recording(child->pid());
  wait_ms(1500);
  EXPECT_EQ(tell("pause", *child).status, 0);
  const Clock::time_point paused = Clock::now();
  EXPECT_EQ(child->wait().status, 0);
  const Json found = report(recording);
  EXPECT_LT(duration_of(found), seconds_between(begin, paused));
  EXPECT_EQ(found.at("process").at("end").at("how"), "exit");
  EXPECT_TRUE(found.at("suspects").at(0).at("leak").get<bool>());
  EXPECT_TRUE(passes_through(found.at("suspects").at(0).at("stack"), "lose_block"));
  EXPECT_EQ(sums_through(found, "turn_over").live_blocks, 0U);
}

TEST_F(Paused, TheSignalStartsThenTakesSnapshotsAndStartsAgainAfterAPause) {
  const auto child =
      start_paused({program("phases"), "3"}, {{"SEEP_SIGNAL", "USR2"}, {"SEEP_INTERVAL", "off"}});
  const fs::path recording = wait_until_reachable(*child);
  for (int i = 0; i < 2; ++i) {
    wait_ms(300);
    child->send(SIGUSR2);
  }
  wait_ms(300);
  EXPECT_EQ(tell("pause", *child).status, 0);
  child->send(SIGUSR2);
  EXPECT_EQ(child->wait().status, 0);
  const Json found = report(recording);
  EXPECT_EQ(count_trigger(found, "start"), 2);
  EXPECT_EQ(count_trigger(found, "signal"), 1);
  EXPECT_EQ(count_trigger(found, "exit"), 1);
  EXPECT_GT(sums_through(found, "lose_block").live_blocks, kTicksPerSecond);
}

TEST_F(Paused, RecordingBeginsAtASize) {
  constexpr std::uint64_t kMegabyte = 1 << 20;
  const Arguments arguments = {program("phases"), "3", "65536"};  // 32 MB a second
  const auto child = start_preloaded(arguments, {{"SEEP_START", "rss:48M"}});
  const fs::path recording = wait_until_reachable(*child);
  const Output status = run({seep_command(), "status", std::to_string(child->pid())});
  EXPECT_NE(status.out.find("passes 48 MB"), std::string::npos) << status.out;
  EXPECT_EQ(child->wait().status, 0);
  const Json found = report(recording);
  const Json& first = found.at("snapshots").at(0);
  EXPECT_EQ(first.at("trigger"), "start");
  EXPECT_GE(first.at("rss_bytes").get<std::uint64_t>(), 48 * kMegabyte);
  EXPECT_LT(first.at("rss_bytes").get<std::uint64_t>(), 72 * kMegabyte);
  const std::uint64_t lost = sums_through(found, "lose_block").live_bytes;
  EXPECT_GT(lost, 20 * kMegabyte);
  EXPECT_LT(lost, 60 * kMegabyte);
}

TEST_F(Paused, ASizeThatIsNeverPassedBeginsNothing) {
  const Output output = run_preloaded({program("phases"), "0.5"}, {{"SEEP_START", "rss:2G"}});
  EXPECT_EQ(output.status, 0);
  EXPECT_TRUE(recordings().empty());
}

TEST_F(Paused, AForkedChildIsDormantAndIsStartedAlone) {
  const auto child = start_paused({sample("forked_worker"), "4"}, {{"SEEP_MIN_LIFE", "100ms"}});
  wait_until_reachable(*child);
  wait_ms(1000);
  const std::vector<fs::path> all = recordings();
  ASSERT_EQ(all.size(), 2U);
  const fs::path worker =
      all[0].extension() == "." + std::to_string(child->pid()) ? all[1] : all[0];
  EXPECT_TRUE(snapshots(worker).empty());
  const Output output =
      run({seep_command(), "start", worker.extension().string().substr(1), "--wait", "5s"});
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_EQ(child->wait().status, 0);
  EXPECT_EQ(recordings(), std::vector<fs::path>{worker});
  const Json found = report(worker);
  EXPECT_GT(sums_through(found, "serve_job").live_blocks, 0U);
  const std::vector<IndexLine> lines = index();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(
      std::count_if(lines.begin(), lines.end(),
                    [](const IndexLine& line) { return line.recording == format::kNeverRecorded; }),
      1);
}

TEST_F(Paused, AChildThatIsForkedWhileRecordingRecords) {
  const auto child =
      start_paused({program("phases"), "3", "100", "750"}, {{"SEEP_MIN_LIFE", "100ms"}});
  wait_until_reachable(*child);
  EXPECT_EQ(tell("start", *child).status, 0);
  EXPECT_EQ(child->wait().status, 0);
  const std::vector<fs::path> all = recordings();
  ASSERT_EQ(all.size(), 2U);
  for (const fs::path& recording : all) {
    EXPECT_GT(sums_through(report(recording), "lose_block").live_blocks, kTicksPerSecond);
  }
}

TEST_F(Paused, AnExecInADormantProcessIsDormantToo) {
  const Output output = run_preloaded({"/bin/sh", "-c", "exec \"$0\" 0.3", program("phases")},
                                      {{"SEEP_START", "paused"}});
  EXPECT_EQ(output.status, 0);
  EXPECT_TRUE(recordings().empty());
  const std::vector<IndexLine> lines = index();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].how, "exec");
  EXPECT_EQ(lines[1].how, "exit");
}

// Threads pass blocks to each other while the mode changes under them: what was recorded must be
// seen released.
TEST_F(Paused, NoReleaseIsMissedWhileThreadsRunThroughTheChanges) {
  const auto child = start_paused({program("churn"), "4", "4"});
  const fs::path recording = wait_until_reachable(*child);
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(tell("start", *child).status, 0);
    wait_ms(50);
    EXPECT_EQ(tell("pause", *child).status, 0);
    wait_ms(50);
  }
  EXPECT_EQ(child->wait().status, 0);
  const Json found = report(recording);
  const Sums sums = sums_through(found, "make_block");
  EXPECT_GT(sums.allocated_blocks, 1000U);
  EXPECT_EQ(sums.live_blocks, 0U);
  expect_nothing_lost(found);
}

}  // namespace
}  // namespace seep::scenarios
