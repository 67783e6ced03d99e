// Scans of a running process: what they find, and that the process does not notice.
#include <chrono>
#include <fstream>
#include <thread>

#include "tests/scenarios/scan/scan_file.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

using format::ScanProblem;

constexpr std::uint64_t kLost = 3;
constexpr std::uint64_t kLostBytes = 777;
constexpr const char* kUnnoticed = "descriptors same\nchildren 0 0\nsignals all\ndumpable same\n";

std::uint32_t number(ScanProblem problem) {
  return static_cast<std::uint32_t>(problem);
}

class Running : public Scenario {
 protected:
  // Scans it `times` times while it runs; what came out of it.
  Output scan_often(const std::string& kind, unsigned times, const Environment& settings = {}) {
    Environment all = settings;
    all.emplace("SEEP_SCAN", "off");
    auto child = start_preloaded({program("running"), kind, "3000"}, all);
    const auto recording = wait_for_recording(child->pid());
    for (unsigned i = 0; i < times; ++i) {
      const Arguments scan = {seep_command(), "scan", std::to_string(child->pid()), "--wait",
                              "20s"};
      Output output = run(scan);
      if (kind == "dropped" && output.status != 0) {
        output = run(scan);  // the first request met the recording that the old user left
      }
      EXPECT_EQ(output.status, 0) << output.err;
      EXPECT_NE(output.out.find("/scan-"), std::string::npos) << output.out;
    }
    return child->wait();
  }
  std::vector<ScanFile> scans() {
    std::vector<ScanFile> all;
    for (const auto& recording : recordings("running")) {
      for (ScanFile& scan : scans_of(recording)) {
        all.push_back(std::move(scan));
      }
    }
    return all;
  }
  std::string log() const { return read_text(recordings_directory() / "seep.log"); }
};

TEST_F(Running, ScansFindWhatIsLostAndNothingElse) {
  const Output output = scan_often("plain", 5);
  EXPECT_EQ(output.out, kUnnoticed);
  const auto found = scans();
  ASSERT_EQ(found.size(), 5U);
  for (const ScanFile& scan : found) {
    EXPECT_EQ(scan.scan.when, 1U);
    EXPECT_EQ(scan.scan.problem, 0U);
    EXPECT_EQ(scan.scan.complete, 1U);
    EXPECT_EQ(scan.scan.threads, 20U);
    EXPECT_GT(scan.scan.fork_ns, 0U);
    EXPECT_GE(scan.scan.pause_ns, scan.scan.fork_ns);
    EXPECT_EQ(scan.direct_blocks(), kLost);
    EXPECT_EQ(scan.direct_bytes(), kLost * kLostBytes);
    EXPECT_EQ(scan.indirect_blocks(), 0U);
  }
}

TEST_F(Running, WithEachSnapshot) {
  const Output output =
      scan_often("plain", 0, {{"SEEP_SCAN", "always"}, {"SEEP_INTERVAL", "200ms"}});
  EXPECT_EQ(output.out, kUnnoticed);
  const auto found = scans();
  ASSERT_GE(found.size(), 5U);
  for (const ScanFile& scan : found) {
    EXPECT_EQ(scan.scan.complete, 1U);
    EXPECT_EQ(scan.direct_blocks() == kLost || &scan == &found.front(), true);
  }
  EXPECT_EQ(found.back().scan.when, 0U);
}

TEST_F(Running, OfAnotherUserThatIsNotDumpable) {
  std::filesystem::permissions(directory(), std::filesystem::perms(0755));  // it writes there
  const Output output = scan_often("dropped", 1);
  if (output.status == 3) {
    GTEST_SKIP() << "only root can become another user";
  }
  EXPECT_EQ(output.out, kUnnoticed);
  const auto found = scans();
  ASSERT_GE(found.size(), 1U);
  EXPECT_EQ(found.back().scan.complete, 1U);
  EXPECT_EQ(found.back().direct_blocks(), kLost);
}

TEST_F(Running, ClaimNothingWhereThreadsCannotBeStopped) {
  const Output output = scan_often("no_ptrace", 2);
  EXPECT_EQ(output.out, kUnnoticed);
  const auto found = scans();
  ASSERT_EQ(found.size(), 2U);
  for (const ScanFile& scan : found) {
    EXPECT_EQ(scan.scan.complete, 0U);
    EXPECT_EQ(scan.scan.problem, number(ScanProblem::kNoRegisters));
    EXPECT_TRUE(scan.unreachable.empty());
    EXPECT_FALSE(scan.chains.empty());
  }
  const std::string text = log();
  const std::size_t first = text.find("threads could not be stopped");
  EXPECT_NE(first, std::string::npos) << text;
  EXPECT_EQ(text.find("threads could not be stopped", first + 1), std::string::npos) << text;
}

TEST_F(Running, SampleModeSaysThatItClaimsNothing) {
  scan_often("plain", 1, {{"SEEP_MODE", "sample"}, {"SEEP_SAMPLE_BYTES", "1K"}});
  const auto found = scans();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].scan.problem, number(ScanProblem::kSampled));
  EXPECT_EQ(found[0].scan.complete, 0U);
}

TEST_F(Running, ALateStartSaysThatItClaimsNothing) {
  const auto child = start_preloaded({program("running"), "plain", "2000"},
                                     {{"SEEP_START", "paused"}, {"SEEP_SCAN", "exit"}});
  const std::string pid = std::to_string(child->pid());
  while (run({seep_command(), "status", pid}).status != 0) {
  }
  EXPECT_NE(run({seep_command(), "scan", pid}).status, 0);  // nothing is recorded yet
  EXPECT_EQ(run({seep_command(), "start", pid}).status, 0);
  EXPECT_EQ(child->wait().out, kUnnoticed);
  const auto found = scans();
  ASSERT_EQ(found.size(), 2U);  // for who holds what, and at exit
  for (const ScanFile& scan : found) {
    EXPECT_EQ(scan.scan.problem, number(ScanProblem::kPartHistory));
    EXPECT_TRUE(scan.unreachable.empty());
  }
}

}  // namespace
}  // namespace seep::scenarios
