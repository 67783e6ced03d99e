// Fatal signals: wait status, core dump and handlers are the program's, and the snapshots before
// are on disk. Exhausted memory: null, as without the preload.
#include <csignal>
#include <fstream>

#include "tests/scenarios/events/compared.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

using SignalAndHandler = std::tuple<int, const char*>;

class FatalSignals : public Compared, public ::testing::WithParamInterface<SignalAndHandler> {
 protected:
  Arguments command(const Environment& environment, const std::string& core_directory) const {
    Arguments words = {"/bin/sh", "-c", "mkdir -p \"$0\"; cd \"$0\"; exec \"$@\"", core_directory,
                       program("wait_status")};
    for (const auto& [name, value] : environment) {
      words.push_back(std::string(name).append("=").append(value));
    }
    const auto& [signal, handler] = GetParam();
    for (const std::string& word :
         {std::string("--"), program("endings"), std::to_string(signal), std::string(handler)}) {
      words.push_back(word);
    }
    return words;
  }
};

TEST_P(FatalSignals, EndTheProgramAsWithoutThePreload) {
  const fs::path alone_here = directory() / "alone";
  const fs::path tracked_here = directory() / "tracked";
  const Output alone = run(command({}, alone_here));
  const Output tracked = run(command(preload_environment(busy_settings()), tracked_here));
  EXPECT_EQ(tracked.out, alone.out);
  EXPECT_EQ(tracked.err, alone.err);
  EXPECT_EQ(fs::is_empty(tracked_here), fs::is_empty(alone_here)) << "core files";
  const auto paths = recordings("endings");
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(sums_through(report(paths.front()), "hold_blocks").live_blocks, 100U);
  expect_recordings_are_whole();
}

INSTANTIATE_TEST_SUITE_P(Ways, FatalSignals,
                         ::testing::Combine(::testing::Values(SIGSEGV, SIGBUS, SIGFPE, SIGILL,
                                                              SIGABRT, SIGTERM, SIGSYS, SIGPIPE),
                                            ::testing::Values("default", "handler", "siginfo")),
                         [](const auto& way) {
                           return "signal" + std::to_string(std::get<0>(way.param)) + "_" +
                                  std::get<1>(way.param);
                         });

INSTANTIATE_TEST_SUITE_P(RarerWays, FatalSignals,
                         ::testing::Combine(::testing::Values(SIGSEGV, SIGFPE, SIGUSR1, SIGKILL),
                                            ::testing::Values("jump", "stack")),
                         [](const auto& way) {
                           return "signal" + std::to_string(std::get<0>(way.param)) + "_" +
                                  std::get<1>(way.param);
                         });

class ExhaustedMemory : public Compared {};

TEST_F(ExhaustedMemory, GivesNullAsBefore) {
  const Output output = expect_same({program("exhausted"), "large_blocks"});
  EXPECT_NE(output.out.find("malloc -1 ENOMEM"), std::string::npos) << output.out;
  EXPECT_NE(output.out.find("kept 120"), std::string::npos) << output.out;
}

TEST_F(ExhaustedMemory, IsDescribedByTheLastSnapshot) {
  run_preloaded({program("exhausted"), "large_blocks"}, busy_settings());
  const Json report = this->report(recordings_directory());
  EXPECT_GE(sums_through(report, "hold").live_blocks, 11U);
}

// Nothing is left for tables either: what they could not take is counted.
TEST_F(ExhaustedMemory, OfManySmallBlocksGivesNullAndCountsWhatIsLost) {
  expect_same({program("exhausted"), "small_blocks"});
  expect_recordings_are_whole();
  const auto paths = recordings("exhausted");
  ASSERT_EQ(paths.size(), 1U);
  const Json report = this->report(paths.front());
  EXPECT_GT(sums_through(report, "hold").live_blocks, 1000U);
}

TEST_F(ExhaustedMemory, OfSmallStacksIsNotHastened) {
  expect_same({program("exhausted"), "smallest_stacks"});
}

// Of this machine's kind, where one can be made: version 1 or 2.
fs::path make_memory_group(const std::string& bytes) {
  for (const auto& [base, file] : {std::pair{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
                                   std::pair{"/sys/fs/cgroup", "memory.max"}}) {
    fs::path group = fs::path(base) / ("seep-test-" + std::to_string(getpid()));
    std::error_code error;
    fs::create_directory(group, error);
    std::ofstream limit(group / file);
    if (!error && (limit << bytes).flush()) {
      return group;
    }
    fs::remove(group, error);
  }
  return {};
}

// Said, not skipped: most containers cannot make a group.
TEST_F(ExhaustedMemory, InACgroupLeavesTheSnapshotsBeforeTheKill) {
  const fs::path group = make_memory_group("67108864");
  if (group.empty()) {
    std::cout << "NOT TESTED: this machine lets nobody make a memory cgroup\n";
    return;
  }
  const Output output =
      run({"/bin/sh", "-c", "echo $$ > \"$0\"/cgroup.procs && exec env \"$@\"", group.string(),
           "LD_PRELOAD=" + library(), "SEEP_DIR=" + recordings_directory().string(),
           "SEEP_INTERVAL=20ms", program("exhausted"), "until_killed"});
  EXPECT_EQ(output.status, 128 + SIGKILL) << output.err;
  fs::remove(group);
  const auto paths = recordings("exhausted");
  ASSERT_EQ(paths.size(), 1U);
  const Json report = this->report(paths.front());
  EXPECT_GT(sums_through(report, "hold").live_bytes, 16U << 20U);
  expect_recordings_are_whole();
}

}  // namespace
}  // namespace seep::scenarios
