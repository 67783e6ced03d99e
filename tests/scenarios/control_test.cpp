// Talking to a running process: snapshot, mark, status; and to processes that cannot be talked to.
#include <unistd.h>

#include <algorithm>

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

class Control : public Scenario {
 protected:
  void SetUp() override {
    Scenario::SetUp();
    child_ = start_preloaded({sample("server"), "6"}, {{"SEEP_INTERVAL", "250ms"}});
    recording_ = wait_for_recording(child_->pid());
    ASSERT_FALSE(recording_.empty());
  }

  Output seep(const std::string& verb, const Arguments& arguments = {}) {
    Arguments command = {seep_command(), verb, std::to_string(child_->pid())};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return run(command);
  }

  Json finished_report() {
    EXPECT_EQ(child_->wait().status, 0);
    return report(recording_);
  }

  static const Json* find_trigger(const Json& report, const std::string& trigger) {
    const Json& all = report.at("snapshots");
    const auto found = std::find_if(all.begin(), all.end(), [&](const Json& snapshot) {
      return snapshot.at("trigger") == trigger;
    });
    return found == all.end() ? nullptr : &*found;
  }

  std::unique_ptr<Child> child_;
  fs::path recording_;
};

TEST_F(Control, SnapshotSaysWhereTheFileIs) {
  const Output output = seep("snapshot");
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_NE(output.out.find(recording_.string() + "/snapshot-"), std::string::npos) << output.out;
  const Json report = finished_report();
  EXPECT_NE(find_trigger(report, "request"), nullptr);
}

TEST_F(Control, SnapshotIsWrittenToTheFileAskedFor) {
  const fs::path file = directory() / "asked.seep";
  EXPECT_EQ(seep("snapshot", {"-o", file.string()}).status, 0);
  EXPECT_TRUE(fs::is_regular_file(file));
  EXPECT_EQ(run({seep_command(), "verify", file.string()}).status, 0);
}

TEST_F(Control, MarksCarryTheirLabelAndUnits) {
  EXPECT_EQ(seep("mark", {"warm", "--units", "1000"}).status, 0);
  EXPECT_EQ(seep("mark", {"later", "--units", "3000"}).status, 0);
  const Json report = finished_report();
  const Json* mark = find_trigger(report, "mark");
  ASSERT_NE(mark, nullptr);
  EXPECT_EQ(mark->at("mark"), "warm");
  EXPECT_EQ(mark->at("units").get<unsigned>(), 1000U);
}

TEST_F(Control, StatusNamesTheProcess) {
  const std::string pid = std::to_string(child_->pid());
  const Output one = seep("status");
  EXPECT_EQ(one.status, 0) << one.err;
  EXPECT_NE(one.out.find(pid), std::string::npos);
  EXPECT_NE(one.out.find("server"), std::string::npos);
  const Output all = run({seep_command(), "status"});
  EXPECT_EQ(all.status, 0) << all.err;
  EXPECT_NE(all.out.find(pid), std::string::npos) << all.out;
}

TEST_F(Control, StatusTellsHowManyStacksWerePredicted) {
  EXPECT_EQ(seep("snapshot").status, 0);
  const Output output = seep("status");
  EXPECT_EQ(output.status, 0) << output.err;
  for (const char* count : {" %  predicted: ", " %  first_met: ", " %  frames_walked: "}) {
    EXPECT_NE(output.out.find(count), std::string::npos) << output.out;
  }
  EXPECT_EQ(output.out.find("compared:"), std::string::npos) << "only in a build that checks";
}

TEST_F(Control, StatusNamesSettingsThatAreNotActiveYet) {
  auto other = start_preloaded({sample("server"), "5"}, {{"SEEP_TRACK", "heap,fd"}});
  ASSERT_FALSE(wait_for_recording(other->pid()).empty());
  const Output output = run({seep_command(), "status", std::to_string(other->pid())});
  EXPECT_NE(output.out.find("SEEP_TRACK"), std::string::npos) << output.out;
}

TEST_F(Control, ARequestDoesNotChangeWhatTheProgramDoes) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(seep("snapshot").status, 0);
  }
  const Output output = child_->wait();
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(output.err, "");
  EXPECT_EQ(output.out.rfind("12000 requests", 0), 0U) << output.out;
}

class Refusal : public Scenario {
 protected:
  // One clear sentence, status 2 or 3, nothing on stdout.
  void expect_refused(const Arguments& arguments, int status) {
    Arguments command = {seep_command()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const Output output = run(command);
    EXPECT_EQ(output.status, status) << output.err;
    EXPECT_EQ(output.out, "");
    EXPECT_EQ(lines_of(output.err).size(), 1U) << output.err;
    EXPECT_EQ(output.err.rfind("seep: ", 0), 0U) << output.err;
  }
};

TEST_F(Refusal, APidThatIsGone) {
  Child gone({"/bin/true"}, {}, directory());
  gone.wait();
  for (const char* verb : {"snapshot", "status"}) {
    expect_refused({verb, std::to_string(gone.pid())}, 3);
  }
  expect_refused({"mark", std::to_string(gone.pid()), "label"}, 3);
}

TEST_F(Refusal, AProcessThatIsNotTracked) {
  expect_refused({"snapshot", std::to_string(getpid())}, 3);
  expect_refused({"mark", std::to_string(getpid()), "label"}, 3);
}

TEST_F(Refusal, ADirectoryWithoutSnapshotsAndAMissingOne) {
  const fs::path empty = directory() / "empty";
  fs::create_directory(empty);
  expect_refused({"report", empty.string()}, 3);
  expect_refused({"report", (directory() / "missing").string()}, 3);
}

TEST_F(Refusal, ADamagedSnapshotIsNamedAndTheOthersAreRead) {
  run_preloaded({sample("lost_pointer"), "2"}, {{"SEEP_INTERVAL", "100ms"}});
  ASSERT_EQ(recordings().size(), 1U);
  const auto files = snapshots(recordings().front());
  ASSERT_GE(files.size(), 10U);
  fs::resize_file(files[3], fs::file_size(files[3]) / 2);
  const Output verified = run({seep_command(), "verify", files[3].string()});
  EXPECT_EQ(verified.status, 3);
  EXPECT_NE((verified.out + verified.err).find("cut"), std::string::npos) << verified.err;
  expect_refused({"report", files[3].string()}, 3);
  const Output output = run({seep_command(), "report", recordings().front().string()});
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_NE((output.out + output.err).find(files[3].filename().string()), std::string::npos);
  EXPECT_NE(output.out.find("parse_line"), std::string::npos);
}

}  // namespace
}  // namespace seep::scenarios
