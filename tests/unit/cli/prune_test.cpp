// seep prune, and the recordings it may touch.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cli/client/recording_directory.h"
#include "tests/support/snapshot_builder.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/cli/fake_process.h"
#include "tests/unit/cli/program.h"

namespace seep::cli {
namespace {

namespace fs = std::filesystem;
using test::ProgramEnd;
using test::run_seep;

class Prune : public ::testing::Test {
 protected:
  // A recording last written this many minutes ago.
  std::string add(const std::string& name, int minutes_ago, bool running = false) {
    const std::string path = directory_.file(name);
    format::ControlPage page = test::own_control_page();
    page.start_ticks += running ? 0 : 1;  // this PID, but an earlier process
    test::write_control_file(path, page);
    test::SnapshotBuilder().at(1, 0.5).write_into(path);
    for (const auto& entry : fs::directory_iterator(path)) {
      fs::last_write_time(entry,
                          fs::file_time_type::clock::now() - std::chrono::minutes(minutes_ago));
    }
    return path;
  }

  [[nodiscard]] ProgramEnd prune(std::vector<std::string> options) const {
    options.insert(options.begin(), {"prune", directory_.path()});
    return run_seep(options);
  }

  test::TemporaryDirectory directory_;
};

TEST_F(Prune, TheOldestGoFirstAndOnlyAsManyAsNeeded) {
  const std::string newer = add("b.2", 1);
  const std::string oldest = add("c.3", 30);
  const std::string old = add("a.1", 10);
  const std::uint64_t one = client::disk_use(*client::look_at_recording(newer)).bytes;
  const ProgramEnd end = prune({"--to", std::to_string(2 * one)});
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_FALSE(fs::exists(oldest));
  EXPECT_TRUE(fs::exists(old));
  EXPECT_TRUE(fs::exists(newer));
  EXPECT_NE(end.out.find("removed " + oldest), std::string::npos) << end.out;
}

TEST_F(Prune, ARunningProcessKeepsItsRecording) {
  const std::string running = add("running.1", 60, true);
  const std::string finished = add("finished.2", 1);
  const ProgramEnd end = prune({"--to", "0"});
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_TRUE(fs::exists(running));
  EXPECT_FALSE(fs::exists(finished));
  EXPECT_NE(end.out.find("1 kept because their process still runs"), std::string::npos) << end.out;
}

TEST_F(Prune, AProcessOutOfSightMayStillRun) {
  format::ControlPage page = test::own_control_page();
  const client::RunningProcesses running;
  EXPECT_TRUE(running.include(page));
  ++page.start_ticks;
  EXPECT_FALSE(running.include(page));
  struct stat own {};
  ASSERT_EQ(stat("/proc/self/ns/pid", &own), 0);
  page.pid_namespace = own.st_ino;
  EXPECT_FALSE(running.include(page)) << "of our own namespace";
  ++page.pid_namespace;
  const bool sees_all = own.st_ino == 0xEFFFFFFC;
  EXPECT_EQ(running.include(page), !sees_all);
  page.state = static_cast<std::uint32_t>(format::AgentState::kEnded);
  EXPECT_FALSE(running.include(page)) << "it said that it ended";
}

TEST_F(Prune, WhatIsNoRecordingIsNotTouched) {
  add("finished.1", 1);
  const std::string index = directory_.write("index", "line\n");
  const std::string other = directory_.write("photos/snapshot-000001.seep", "mine");
  const std::string foreign = directory_.write("foreign/control", std::string(4096, 'x'));
  fs::create_directory_symlink(directory_.file("photos"), directory_.file("link"));
  EXPECT_EQ(prune({"--to", "0"}).status, 0);
  EXPECT_FALSE(fs::exists(directory_.file("finished.1")));
  EXPECT_TRUE(fs::exists(index));
  EXPECT_TRUE(fs::exists(other));
  EXPECT_TRUE(fs::exists(foreign));
}

TEST_F(Prune, ARecordingWithAFileOfSomebodyElseIsKeptWhole) {
  const std::string path = add("finished.1", 1);
  const std::string note = directory_.write("finished.1/notes.txt", "mine");
  const ProgramEnd end = prune({"--to", "0"});
  EXPECT_TRUE(fs::exists(note));
  EXPECT_TRUE(fs::exists(path + "/snapshot-000001.seep"));
  EXPECT_NE(end.err.find("kept"), std::string::npos) << end.err;
}

TEST_F(Prune, ALinkToARecordingIsNotFollowed) {
  const test::TemporaryDirectory elsewhere;
  const std::string path = add("finished.1", 1);
  fs::create_directory_symlink(path, elsewhere.file("link"));
  EXPECT_EQ(run_seep({"prune", elsewhere.path(), "--to", "0"}).status, 3);
  EXPECT_TRUE(fs::exists(path));
}

TEST_F(Prune, ADryRunRemovesNothing) {
  const std::string path = add("finished.1", 1);
  const ProgramEnd end = prune({"--to", "0", "--dry-run"});
  EXPECT_EQ(end.status, 0);
  EXPECT_TRUE(fs::exists(path + "/control"));
  EXPECT_NE(end.out.find("would remove " + path), std::string::npos) << end.out;
}

TEST_F(Prune, WithinTheSizeNothingHappens) {
  const std::string path = add("finished.1", 1);
  EXPECT_EQ(prune({}).status, 0) << "1G by default";
  EXPECT_TRUE(fs::exists(path));
}

TEST_F(Prune, ADirectoryWithoutRecordingsIsAnError) {
  directory_.write("letter", "text");
  EXPECT_EQ(prune({"--to", "0"}).status, 3);
  EXPECT_EQ(run_seep({"prune", directory_.file("missing")}).status, 3);
  EXPECT_EQ(run_seep({"prune", directory_.file("letter")}).status, 3);
  EXPECT_TRUE(fs::exists(directory_.file("letter")));
}

}  // namespace
}  // namespace seep::cli
