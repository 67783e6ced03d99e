// A program that forbids itself system calls is not killed by calls of ours, and is recorded as
// long as a snapshot can be made of those that are left.
#include <algorithm>
#include <chrono>
#include <thread>

#include "tests/scenarios/events/compared.h"

namespace seep::scenarios {
namespace {

using Filter = std::tuple<const char*, const char*, const char*>;  // how, action, call

class Filters : public Compared, public ::testing::WithParamInterface<Filter> {};

TEST_P(Filters, AreNeverRunInto) {
  const auto& [how, action, call] = GetParam();
  const Output output = expect_same({program("filters"), how, action, call});
  EXPECT_EQ(output.status, 0);
  EXPECT_NE(output.out.find("confined\n"), std::string::npos) << output.out;
  EXPECT_NE(output.out.find("done\n"), std::string::npos) << output.out;
  EXPECT_EQ(output.out.find("TRAPPED"), std::string::npos);
  expect_recordings_are_whole();
  EXPECT_FALSE(recordings("filters").empty());
}

std::string name_of(const ::testing::TestParamInfo<Filter>& filter) {
  const auto& [how, action, call] = filter.param;
  return std::string(how).append("_").append(action).append("_").append(call);
}

INSTANTIATE_TEST_SUITE_P(
    Deadly, Filters,
    ::testing::Combine(::testing::Values("prctl"), ::testing::Values("kill"),
                       ::testing::Values("openat", "clone", "process_vm_readv", "mincore", "tgkill",
                                         "getpid", "rt_sigprocmask", "renameat", "few", "strict")),
    name_of);
INSTANTIATE_TEST_SUITE_P(
    Answers, Filters,
    ::testing::Combine(::testing::Values("syscall"), ::testing::Values("errno", "trap"),
                       ::testing::Values("openat", "clone", "process_vm_readv", "mincore", "few")),
    name_of);
INSTANTIATE_TEST_SUITE_P(OfThreads, Filters,
                         ::testing::Combine(::testing::Values("thread"), ::testing::Values("kill"),
                                            ::testing::Values("openat", "clone")),
                         name_of);
// Those that were there when the image began. openat and mmap must be left to the loader.
INSTANTIATE_TEST_SUITE_P(Inherited, Filters,
                         ::testing::Combine(::testing::Values("exec"),
                                            ::testing::Values("kill", "errno", "trap"),
                                            ::testing::Values("process_vm_readv", "mincore",
                                                              "tgkill", "renameat", "fcntl",
                                                              "readlink")),
                         name_of);
INSTANTIATE_TEST_SUITE_P(OfChildren, Filters,
                         ::testing::Combine(::testing::Values("fork"), ::testing::Values("kill"),
                                            ::testing::Values("openat", "clone", "few")),
                         name_of);

class FilterRecords : public Compared {
 protected:
  Json last_report() {
    const auto paths = recordings("filters");
    EXPECT_FALSE(paths.empty());
    return paths.empty() ? Json::object() : report(paths.back());
  }
  static long count_after(const Json& report, double seconds) {
    const Json& all = report.at("snapshots");
    return std::count_if(all.begin(), all.end(), [seconds](const Json& one) {
      return one.at("time_s").get<double>() > seconds;
    });
  }
};

// Refused calls that a snapshot can do without do not end the recording.
TEST_F(FilterRecords, GoOnWhereASnapshotCanBeMade) {
  run_preloaded({program("filters"), "prctl", "kill", "mincore"}, busy_settings());
  const Json report = last_report();
  EXPECT_EQ(report.at("snapshots").back().at("trigger"), "exit");
  EXPECT_GE(sums_through(report, "hold_blocks").live_blocks, 150000U);
}

// A last snapshot is taken before the filter is there, and the status says why there is no other.
TEST_F(FilterRecords, EndWithASnapshotWhereNoneCanBeMade) {
  run_preloaded({program("filters"), "prctl", "kill", "openat"}, {{"SEEP_INTERVAL", "off"}});
  const Json report = last_report();
  EXPECT_EQ(report.at("snapshots").size(), 2U);
  EXPECT_GE(sums_through(report, "hold_blocks").live_blocks, 150000U);
}

TEST_F(FilterRecords, ThatEndAreSaidToByTheStatus) {
  auto child = start_preloaded({program("filters"), "prctl", "kill", "openat", "60000"});
  std::string status;
  for (int tries = 0; tries < 100 && status.find("disabled") == std::string::npos; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    status = run({seep_command(), "status", std::to_string(child->pid())}).out;
  }
  EXPECT_NE(status.find("disabled"), std::string::npos) << status;
  EXPECT_NE(status.find("forbidden system calls"), std::string::npos) << status;
  EXPECT_NE(status.find("snapshots_failed"), std::string::npos) << status;
}

// A child of vfork that confines itself leaves its parent's recording alone.
TEST_F(FilterRecords, OfAParentAreNotEndedByItsVforkedChild) {
  const Output output = expect_same({program("filters"), "vfork", "errno", "renameat"});
  EXPECT_EQ(output.status, 0) << output.out;
  for (const auto& recording : recordings("filters")) {
    EXPECT_EQ(report(recording).at("snapshots").back().at("trigger"), "exit");
  }
}

// An image under an inherited filter is recorded as far as the filter lets it.
TEST_F(FilterRecords, OfAnInheritedFilterAreKept) {
  run_preloaded({program("filters"), "exec", "kill", "mincore"}, busy_settings());
  ASSERT_EQ(recordings("filters").size(), 2U);
  for (const auto& recording : recordings("filters")) {
    EXPECT_GT(report(recording).at("snapshots").size(), 1U);
  }
}

}  // namespace
}  // namespace seep::scenarios
