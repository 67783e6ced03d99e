// The client of a live process, against a control page that this process plays.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>

#include "cli/client/control_file.h"
#include "cli/client/proc.h"
#include "cli/client/request.h"
#include "cli/client/tracked_process.h"
#include "format/capture_counts.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/cli/fake_process.h"
#include "tests/unit/cli/program.h"

namespace seep::client {
namespace {

using format::Answer;
using std::chrono::milliseconds;
using test::FakeProcess;
using test::TemporaryDirectory;

class Control : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::string recording_ = directory_.file("server.1");
};

TEST_F(Control, AProcessIsFoundByThePageItMaps) {
  const FakeProcess fake(recording_);
  const Result<TrackedProcess> found = find_tracked(getpid());
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->recording, recording_);
  EXPECT_EQ(found->page.run_id, 0x1234U);
  const Survey survey = find_all_tracked();
  EXPECT_TRUE(std::any_of(survey.processes.begin(), survey.processes.end(),
                          [](const TrackedProcess& process) { return process.pid == getpid(); }));
}

TEST_F(Control, AProcessWithoutAPageIsNotTracked) {
  const Result<TrackedProcess> found = find_tracked(getpid());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::kBadInput);
  EXPECT_NE(found.error().message().find("is not tracked"), std::string::npos);
}

TEST_F(Control, APageOfAnotherProcessIsNotTaken) {
  FakeProcess fake(recording_);  // as a forked child maps its parent's for a moment
  ++fake.page().start_ticks;
  EXPECT_FALSE(find_tracked(getpid()));
}

TEST_F(Control, APidThatIsGoneIsSaidToBeGone) {
  const Result<TrackedProcess> found = find_tracked(0x7ffffff0);
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message().find("there is no process"), std::string::npos);
}

TEST_F(Control, ARequestIsAnswered) {
  FakeProcess fake(recording_);
  fake.serve(Answer::kDone, 7);
  const Request request{format::RequestKind::kMark, "warm", 1000};
  const Result<Reply> reply = send_request(*find_tracked(getpid()), request, milliseconds(5000));
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_FALSE(reply->pending);
  EXPECT_EQ(reply->answer, Answer::kDone);
  EXPECT_EQ(reply->snapshot, 7U);
  EXPECT_EQ(fake.page().request_kind, static_cast<std::uint32_t>(format::RequestKind::kMark));
  EXPECT_STREQ(fake.page().request_label, "warm");
  EXPECT_EQ(fake.page().request_units, 1000U);
  EXPECT_EQ(fake.page().request_has_units, 1U);
}

TEST_F(Control, AnIdleProcessLeavesTheRequestPending) {
  FakeProcess fake(recording_);
  const Result<Reply> reply = send_request(*find_tracked(getpid()), {}, milliseconds(50));
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_TRUE(reply->pending);
  EXPECT_EQ(fake.page().request_sequence, 1U);
  EXPECT_EQ(fake.page().answer_sequence, 0U);
}

TEST_F(Control, APendingRequestIsNotOverwritten) {
  FakeProcess fake(recording_);
  const Request mark{format::RequestKind::kMark, "first", {}};
  ASSERT_TRUE(send_request(*find_tracked(getpid()), mark, milliseconds(20)));
  const Result<Reply> second = send_request(*find_tracked(getpid()), {}, milliseconds(50));
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message().find("nothing was sent"), std::string::npos);
  EXPECT_EQ(fake.page().request_sequence, 1U);
  EXPECT_STREQ(fake.page().request_label, "first");
}

TEST_F(Control, AClientWaitsForAnotherClient) {
  FakeProcess fake(recording_);
  fake.serve(Answer::kDone, 1);
  const SharedControlPage other(recording_ + "/control");
  ASSERT_TRUE(other.try_lock());
  EXPECT_FALSE(send_request(*find_tracked(getpid()), {}, milliseconds(50)));
  EXPECT_EQ(fake.page().request_sequence, 0U);
}

TEST_F(Control, AProcessThatGaveUpSaysWhy) {
  FakeProcess fake(recording_);
  fake.page().state = static_cast<std::uint32_t>(format::AgentState::kDisabled);
  std::strcpy(fake.page().message, "no memory for its tables");
  const Result<Reply> reply = send_request(*find_tracked(getpid()), {}, milliseconds(50));
  ASSERT_FALSE(reply);
  EXPECT_NE(reply.error().message().find("no memory for its tables"), std::string::npos);
  EXPECT_EQ(fake.page().request_sequence, 0U);
}

TEST_F(Control, FilesThatAreNoControlPageAreRefused) {
  format::ControlPage page = test::own_control_page();
  ++page.version;
  EXPECT_FALSE(read_control_file(test::write_control_file(directory_.file("newer"), page)));
  page = test::own_control_page();
  page.magic[0] = 'X';
  EXPECT_FALSE(read_control_file(test::write_control_file(directory_.file("foreign"), page)));
  EXPECT_FALSE(read_control_file(directory_.write("short", "SEEPCTRL")));
  EXPECT_FALSE(read_control_file(directory_.file("missing")));
  EXPECT_FALSE(read_control_file(directory_.path()));
}

TEST_F(Control, TextFieldsNeedNoNul) {
  const char full[4] = {'a', 'b', 'c', 'd'};
  const char half[4] = {'a', 'b', 0, 'd'};
  EXPECT_EQ(text_of(full), "abcd");
  EXPECT_EQ(text_of(half), "ab");
}

TEST_F(Control, TheSnapshotVerbPrintsTheFileAndCopiesIt) {
  FakeProcess fake(recording_);
  fake.serve(Answer::kDone, 7);
  const std::string written = recording_ + "/snapshot-000007.seep";
  test::write_file(written, "content");
  const std::string pid = std::to_string(getpid());
  test::ProgramEnd end = test::run_seep({"snapshot", pid, "--wait", "5s"});
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(end.out, written + "\n");
  const std::string copy = directory_.file("copy.seep");
  end = test::run_seep({"snapshot", pid, "--wait", "5s", "-o", copy});
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_EQ(test::read_file(copy), "content");
  end = test::run_seep({"snapshot", pid, "-o", copy});
  EXPECT_EQ(end.status, 2) << "an existing file is kept";
}

TEST_F(Control, StartAndPauseSayWhatHappenedAndWhereTheFileIs) {
  FakeProcess fake(recording_);
  fake.serve(Answer::kDone, 7);
  const std::string pid = std::to_string(getpid());
  test::ProgramEnd end = test::run_seep({"start", pid, "--wait", "5s"});
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_NE(end.out.find("records from now on: " + recording_ + "/snapshot-000007.seep\n"),
            std::string::npos)
      << end.out;
  EXPECT_EQ(fake.page().request_kind, static_cast<std::uint32_t>(format::RequestKind::kStart));
  end = test::run_seep({"pause", pid, "--wait", "5s"});
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_NE(end.out.find("is paused: " + recording_), std::string::npos) << end.out;
  EXPECT_EQ(fake.page().request_kind, static_cast<std::uint32_t>(format::RequestKind::kPause));
}

TEST_F(Control, StartAndPauseSayThatThereWasNothingToDo) {
  FakeProcess fake(recording_);
  fake.serve(Answer::kDone, 0);
  const std::string pid = std::to_string(getpid());
  EXPECT_NE(test::run_seep({"start", pid, "--wait", "5s"}).out.find("was recording already"),
            std::string::npos);
  EXPECT_NE(test::run_seep({"pause", pid, "--wait", "5s"}).out.find("was paused already"),
            std::string::npos);
}

TEST_F(Control, ASnapshotOfWhatIsNotRecordedIsRefused) {
  FakeProcess fake(recording_);
  fake.serve(Answer::kNotStarted, 0);
  const test::ProgramEnd end =
      test::run_seep({"snapshot", std::to_string(getpid()), "--wait", "5s"});
  EXPECT_EQ(end.status, 3);
  EXPECT_EQ(end.out, "");
  EXPECT_NE(end.err.find("records nothing yet"), std::string::npos) << end.err;
  EXPECT_NE(end.err.find("seep start"), std::string::npos) << end.err;
}

TEST_F(Control, TheVerbsSayInOneLineWhomTheyCannotAsk) {
  for (const std::string& pid : {std::to_string(getpid()), std::string("2147483632")}) {
    for (const auto& words : {std::vector<std::string>{"snapshot", pid},
                              {"mark", pid, "a"},
                              {"start", pid},
                              {"pause", pid},
                              {"status", pid}}) {
      const test::ProgramEnd end = test::run_seep(words);
      EXPECT_EQ(end.status, 3) << words[0];
      EXPECT_EQ(end.out, "");
      EXPECT_EQ(test::count_lines(end.err), 1U) << end.err;
    }
  }
}

TEST_F(Control, AnIdleProcessIsNamedInOneLine) {
  FakeProcess fake(recording_);
  const test::ProgramEnd end =
      test::run_seep({"mark", std::to_string(getpid()), "a", "--wait", "50ms"});
  EXPECT_EQ(end.status, 3);
  EXPECT_NE(end.err.find("is idle"), std::string::npos) << end.err;
  EXPECT_NE(end.err.find("stays pending"), std::string::npos) << end.err;
  EXPECT_EQ(test::count_lines(end.err), 1U);
}

TEST_F(Control, StatusTellsLossesAndInactiveSettings) {
  FakeProcess fake(recording_);
  fake.page().losses[static_cast<std::uint32_t>(format::Loss::stacks_cut)] = 12345;
  std::strcpy(fake.page().inactive_settings, "SEEP_SCAN");
  const test::ProgramEnd end = test::run_seep({"status", std::to_string(getpid())});
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_NE(end.out.find("12,345  stacks_cut"), std::string::npos) << end.out;
  EXPECT_NE(end.out.find("SEEP_SCAN"), std::string::npos) << end.out;
}

TEST_F(Control, StatusTellsHowStacksWereCaptured) {
  using format::CaptureCount;
  FakeProcess fake(recording_);
  const auto set = [&fake](CaptureCount count, std::uint64_t value) {
    fake.page().captures[static_cast<std::uint32_t>(count)] = value;
  };
  set(CaptureCount::predicted, 960'000);
  set(CaptureCount::first_met, 10'000);
  set(CaptureCount::changed, 29'000);
  set(CaptureCount::without_cache, 1'000);
  set(CaptureCount::frames_repeated, 300);
  set(CaptureCount::frames_walked, 100);
  set(CaptureCount::mappings_read, 12);
  const test::ProgramEnd end = test::run_seep({"status", std::to_string(getpid())});
  EXPECT_EQ(end.status, 0) << end.err;
  for (const char* line :
       {"captures      960,000  96.00 %  predicted: ", "captures      10,000  1.00 %  first_met: ",
        "captures      29,000  2.90 %  changed: ", "captures      1,000  0.10 %  without_cache: ",
        "captures      300  75.00 %  frames_repeated: ",
        "captures      100  25.00 %  frames_walked: ", "captures      12  mappings_read: "}) {
    EXPECT_NE(end.out.find(line), std::string::npos) << line << "\n" << end.out;
  }
  EXPECT_EQ(end.out.find("unpredictable"), std::string::npos) << "zero, so left out\n" << end.out;
  EXPECT_EQ(end.out.find("different"), std::string::npos) << end.out;
}

TEST_F(Control, StatusTellsNoSharesWhereNoStackWasCaptured) {
  FakeProcess fake(recording_);
  fake.page().captures[static_cast<std::uint32_t>(format::CaptureCount::unpredictable)] = 3;
  const test::ProgramEnd end = test::run_seep({"status", std::to_string(getpid())});
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_NE(end.out.find("captures      3  unpredictable: "), std::string::npos) << end.out;
}

}  // namespace
}  // namespace seep::client
