#include "analyzer/read/process_end.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/temporary_directory.h"

namespace seep::read {
namespace {

using How = model::EndInfo::How;

std::uint64_t own_start_ticks() {
  std::ifstream stream("/proc/self/stat");
  std::string line;
  std::getline(stream, line);
  return parse_start_ticks(line).value();
}

class ProcessEnd : public testing::Test {
 protected:
  ProcessEnd() {
    process_.pid = static_cast<std::uint32_t>(getpid());
    process_.start_ticks = own_start_ticks();
  }

  model::EndInfo find(const model::EndInfo& last = {}) {
    return find_end(last, process_, directory_.path().string());
  }

  test::TemporaryDirectory directory_;
  model::ProcessInfo process_;
};

TEST_F(ProcessEnd, TheLastSnapshotSaysIt) {
  directory_.write("ended", "signal 9\n");
  model::EndInfo exited;
  exited.how = How::kExit;
  exited.status = 3;
  EXPECT_EQ(find(exited).how, How::kExit);
  EXPECT_EQ(find(exited).status, 3);
}

TEST_F(ProcessEnd, TheFileEndedSaysItWhenTheSnapshotDoesNot) {
  directory_.write("ended", "signal 9\n");
  EXPECT_EQ(find().how, How::kSignal);
  EXPECT_EQ(find().signal, 9);
}

TEST_F(ProcessEnd, AProcessThatExistsIsRunning) {
  EXPECT_EQ(find().how, How::kRunning);
}

TEST_F(ProcessEnd, ARunningProcessIsFoundByItsHostPid) {
  process_.host_pid = process_.pid;
  process_.pid = 0;
  EXPECT_EQ(find().how, How::kRunning);
}

TEST_F(ProcessEnd, AReusedPidIsNotTheProcess) {
  ++process_.start_ticks;
  EXPECT_EQ(find().how, How::kLost);
}

TEST_F(ProcessEnd, AnUnreadableFileEndedIsAsNone) {
  ++process_.start_ticks;
  directory_.write("ended", "what is this");
  EXPECT_EQ(find().how, How::kLost);
}

TEST(ParseEnded, ReadsExitAndSignal) {
  EXPECT_EQ(parse_ended("exit 0")->status, 0);
  EXPECT_FALSE(parse_ended("exit 0")->signal);
  EXPECT_EQ(parse_ended("signal 15")->signal, 15);
  EXPECT_FALSE(parse_ended("exit"));
  EXPECT_FALSE(parse_ended("exit x"));
  EXPECT_FALSE(parse_ended("stopped 1"));
  EXPECT_FALSE(parse_ended(""));
}

TEST(ParseStartTicks, TakesField22AfterAnyName) {
  const std::string rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 987654 19 20";
  EXPECT_EQ(parse_start_ticks("17 (name)" + rest), 987654U);
  EXPECT_EQ(parse_start_ticks("17 (a ) S 1) 2)" + rest), 987654U);
}

TEST(ParseStartTicks, GivesNothingForAZombieOrACutLine) {
  EXPECT_FALSE(parse_start_ticks("17 (n) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 987654"));
  EXPECT_FALSE(parse_start_ticks("17 (n) S 1 2 3"));
  EXPECT_FALSE(parse_start_ticks(""));
}

}  // namespace
}  // namespace seep::read
