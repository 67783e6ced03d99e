// fork, vfork, clone, posix_spawn, exec and daemon do what they do without the preload.
#include "tests/scenarios/events/compared.h"

namespace seep::scenarios {
namespace {

class Births : public Compared, public ::testing::WithParamInterface<const char*> {};

TEST_P(Births, AreAsWithoutThePreload) {
  const Output output = expect_same({program("births"), GetParam()});
  EXPECT_EQ(output.out.find("bad child"), std::string::npos) << output.out;
  EXPECT_FALSE(recordings("births").empty());
  expect_recordings_are_whole();
}

INSTANTIATE_TEST_SUITE_P(Ways, Births,
                         ::testing::Values("fork_among_threads", "fork_in_handler", "vfork_exec",
                                           "vfork_allocates", "spawn", "raw_fork",
                                           "clone_sharing_memory", "clone3_child",
                                           "exec_with_full_tables", "exec_in_thread",
                                           "exec_failing", "daemonize", "chain_of_forks",
                                           "handlers_of_fork", "forks_of_a_large_heap"),
                         [](const auto& way) { return std::string(way.param); });

class BirthsOfRecords : public Compared {
 protected:
  // Of its last snapshot.
  std::uint64_t maps_lost(const std::filesystem::path& recording) {
    const auto info = Json::parse(
        run({seep_command(), "info", "--json", snapshots(recording).back().string()}).out);
    return info.at("snapshot").at("losses").at("maps_not_recorded").get<std::uint64_t>();
  }
};

// Other threads map memory at each fork: one may have the lock of the maps. On a busy machine some
// of them wait for it in vain, which a child inherits: of its own it must lose nothing.
TEST_F(BirthsOfRecords, HandlersOfForkFindTheTableOfMapsFree) {
  const auto child =
      start_preloaded({program("births"), "handlers_of_fork"}, {{"SEEP_MIN_LIFE", "0"}});
  EXPECT_EQ(child->wait().status, 0);
  const auto paths = recordings("births");
  EXPECT_EQ(paths.size(), 151U);
  const auto parent = recordings_directory() / ("births." + std::to_string(child->pid()));
  const std::uint64_t most = maps_lost(parent);
  for (const auto& recording : paths) {
    EXPECT_LE(maps_lost(recording), most) << recording;
  }
}

TEST_F(BirthsOfRecords, TablesAreRightWhereverTheyStand) {
  run_preloaded({program("births"), "forks_of_a_large_heap"}, {{"SEEP_MIN_LIFE", "1h"}});
  const auto paths = recordings("births");
  ASSERT_EQ(paths.size(), 1U);
  const Json made = report(paths.front(), {"--all"});
  expect_nothing_lost(made);
  EXPECT_LT(made.at("totals").at("live_blocks").get<std::uint64_t>(), 100U);
}

// Two images of one process: the first holds the blocks, the second has nothing of them.
TEST_F(BirthsOfRecords, AnExecWithFullTablesKeepsThemInTheFirstRecording) {
  run_preloaded({program("births"), "exec_with_full_tables"}, busy_settings());
  std::uint64_t most = 0;
  for (const auto& recording : recordings("births")) {
    const Json report = this->report(recording);
    most = std::max(most, report.at("totals").at("live_blocks").get<std::uint64_t>());
    expect_nothing_lost(report);
  }
  EXPECT_GE(most, 300000U);
}

// A fork that no handler is told of is noticed all the same: 31 children, and their parent.
TEST_F(BirthsOfRecords, RawForksHaveRecordingsOfTheirOwn) {
  run_preloaded({program("births"), "raw_fork"}, busy_settings());
  const auto paths = recordings("births");
  EXPECT_EQ(paths.size(), 32U);
  for (const auto& recording : paths) {
    EXPECT_EQ(report(recording).at("snapshots").back().at("trigger"), "exit") << recording;
  }
}

// The child of a vfork runs in its parent's memory: what it does is the parent's, and its end is
// not.
TEST_F(BirthsOfRecords, AVforkEndsNoRecording) {
  run_preloaded({program("births"), "vfork_allocates"}, busy_settings());
  const auto paths = recordings("births");
  ASSERT_EQ(paths.size(), 1U);
  const Json report = this->report(paths.front());
  EXPECT_EQ(report.at("snapshots").back().at("trigger"), "exit");
  EXPECT_EQ(sums_through(report, "vfork_allocates").live_blocks, 0U);
  expect_nothing_lost(report);
}

}  // namespace
}  // namespace seep::scenarios
