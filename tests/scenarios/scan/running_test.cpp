// Scans of a running process: what they find, and that the process does not notice.
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

#include "tests/scenarios/scan/scan_file.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

using format::ScanProblem;

constexpr std::uint64_t kLost = 3;
constexpr std::uint64_t kLostBytes = 777;
constexpr const char* kUnnoticed =
    "ready\ndescriptors same\nchildren 0 0\nsignals all\ndumpable same\n";

std::uint32_t number(ScanProblem problem) {
  return static_cast<std::uint32_t>(problem);
}

class Running : public Scenario {
 protected:
  // Once it has made all that a scan looks at.
  std::unique_ptr<Child> start_ready(const std::string& kind, const Environment& settings) {
    auto child = start_preloaded({program("running"), kind}, settings);
    wait_until("running is ready",
               [&] { return child->out_so_far().starts_with("ready") || child->has_ended(); });
    return child;
  }
  static Output end(Child& child) {
    child.send(SIGTERM);
    return child.wait();
  }
  void scan(const Child& child) {
    const Output output =
        run({seep_command(), "scan", std::to_string(child.pid()), "--wait", "60s"});
    EXPECT_EQ(output.status, 0) << output.err;
    EXPECT_NE(output.out.find("/scan-"), std::string::npos) << output.out;
  }
  // Where the machine is so busy that a thread gets no processor to stop on, a scan says so and
  // claims nothing: then another one is made.
  void scan_completely(const Child& child) {
    constexpr int kTries = 30;
    for (int i = 0; i < kTries; ++i) {
      scan(child);
      const auto all = scans();
      if (all.empty() || all.back().scan.complete != 0) {
        return;
      }
      expect_nothing_claimed(all.back());
    }
    ADD_FAILURE() << "no scan was complete";
  }
  static void expect_nothing_claimed(const ScanFile& scan) {
    EXPECT_EQ(scan.scan.problem, number(ScanProblem::kNoRegisters));
    EXPECT_TRUE(scan.unreachable.empty());
  }
  bool has_snapshot_of_new_user() const {
    const auto all = recordings("running");
    return all.size() == 2 && !snapshots(all.back()).empty();
  }
  static std::vector<ScanFile> complete(std::vector<ScanFile> scans) {
    std::erase_if(scans, [](const ScanFile& scan) { return scan.scan.complete == 0; });
    return scans;
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
  auto child = start_ready("plain", {{"SEEP_SCAN", "off"}});
  for (int i = 0; i < 5; ++i) {
    scan_completely(*child);
  }
  EXPECT_EQ(end(*child).out, kUnnoticed);
  const auto found = complete(scans());
  ASSERT_EQ(found.size(), 5U);
  for (const ScanFile& scan : found) {
    EXPECT_EQ(scan.scan.when, 1U);
    EXPECT_EQ(scan.scan.problem, 0U);
    EXPECT_EQ(scan.scan.threads, 20U);
    EXPECT_GT(scan.scan.fork_ns, 0U);
    EXPECT_GE(scan.scan.pause_ns, scan.scan.fork_ns);
    EXPECT_EQ(scan.direct_blocks(), kLost);
    EXPECT_EQ(scan.direct_bytes(), kLost * kLostBytes);
    EXPECT_EQ(scan.indirect_blocks(), 0U);
  }
}

TEST_F(Running, WithEachSnapshot) {
  auto child = start_ready("plain", {{"SEEP_SCAN", "always"}, {"SEEP_INTERVAL", "200ms"}});
  const std::size_t before = scans().size() + 1;  // one may have begun before it was ready
  const auto later = [&] {
    auto all = scans();
    all.erase(all.begin(), all.begin() + static_cast<long>(std::min(before, all.size())));
    return all;
  };
  wait_until("five scans", [&] { return complete(later()).size() >= 5; });
  EXPECT_EQ(end(*child).out, kUnnoticed);
  for (const ScanFile& scan : later()) {
    if (scan.scan.complete != 0) {
      EXPECT_EQ(scan.direct_blocks(), kLost);
    } else {
      expect_nothing_claimed(scan);
    }
  }
  EXPECT_EQ(scans().back().scan.when, 0U);
}

TEST_F(Running, OfAnotherUserThatIsNotDumpable) {
  std::filesystem::permissions(directory(), std::filesystem::perms(0755));  // it writes there
  auto child = start_ready("dropped", {{"SEEP_SCAN", "off"}});
  if (child->has_ended() && child->wait().status == 3) {
    GTEST_SKIP() << "only root can become another user";
  }
  // It answers a request that meets the old user's recording by leaving that one.
  wait_until("the new user's recording", [&] { return has_snapshot_of_new_user(); });
  scan_completely(*child);
  EXPECT_EQ(end(*child).out, kUnnoticed);
  const auto found = scans();
  ASSERT_GE(found.size(), 1U);
  EXPECT_EQ(found.back().direct_blocks(), kLost);
}

TEST_F(Running, ClaimNothingWhereThreadsCannotBeStopped) {
  auto child = start_ready("no_ptrace", {{"SEEP_SCAN", "off"}});
  scan(*child);
  scan(*child);
  EXPECT_EQ(end(*child).out, kUnnoticed);
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
  auto child = start_ready(
      "plain", {{"SEEP_MODE", "sample"}, {"SEEP_SAMPLE_BYTES", "1K"}, {"SEEP_SCAN", "off"}});
  scan(*child);
  end(*child);
  const auto found = scans();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].scan.problem, number(ScanProblem::kSampled));
  EXPECT_EQ(found[0].scan.complete, 0U);
}

TEST_F(Running, ALateStartSaysThatItClaimsNothing) {
  auto child = start_ready("plain", {{"SEEP_START", "paused"}, {"SEEP_SCAN", "exit"}});
  const std::string pid = std::to_string(child->pid());
  wait_until("it can be asked", [&] { return run({seep_command(), "status", pid}).status == 0; });
  EXPECT_NE(run({seep_command(), "scan", pid}).status, 0);  // nothing is recorded yet
  EXPECT_EQ(run({seep_command(), "start", pid}).status, 0);
  std::this_thread::sleep_for(std::chrono::seconds(1));  // old enough to be asked who holds what
  EXPECT_EQ(end(*child).out, kUnnoticed);
  const auto found = scans();
  ASSERT_GE(found.size(), 1U);  // at exit, and before it if there was time for that
  for (const ScanFile& scan : found) {
    EXPECT_EQ(scan.scan.problem, number(ScanProblem::kPartHistory));
    EXPECT_TRUE(scan.unreachable.empty());
  }
}

}  // namespace
}  // namespace seep::scenarios
