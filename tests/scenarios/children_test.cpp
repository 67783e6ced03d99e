// Children and exec'd programs: recordings of their own, one line each in the index, and not one
// byte on their output.
#include <algorithm>
#include <set>

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

class Children : public Scenario {
 protected:
  // Starts `count` short programs, four at a time; each must leave one line and nothing else.
  void expect_one_line_each(unsigned count) {
    const std::string command = "seq " + std::to_string(count) + " | xargs -P 4 -n 1 /bin/true";
    const Output output = run_preloaded({"/bin/sh", "-c", command});
    EXPECT_EQ(output.status, 0);
    EXPECT_EQ(output.out, "");
    EXPECT_EQ(output.err, "");
    std::set<std::string> pids;
    unsigned lines = 0;
    for (const IndexLine& line : index()) {
      if (fs::path(line.program).filename() == "true" && line.how == "exit") {
        ++lines;
        pids.insert(line.pid);
      }
    }
    EXPECT_EQ(lines, count);
    EXPECT_EQ(pids.size(), count);
    EXPECT_EQ(recordings("true").size(), 0U) << "younger than SEEP_MIN_LIFE: no directory";
  }

  std::uintmax_t bytes_on_disk() const {
    std::uintmax_t sum = 0;
    for (const auto& entry : fs::recursive_directory_iterator(recordings_directory())) {
      sum += entry.is_regular_file() ? entry.file_size() : 0;
    }
    return sum;
  }
};

TEST_F(Children, OfAForkHaveARecordingOfTheirOwn) {
  const Output output = run_preloaded({sample("forked_worker"), "1.5"});
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(recordings("forked_worker").size(), 2U);
  EXPECT_EQ(report(recordings_directory()).at("processes").size(), 2U);
}

TEST_F(Children, StartFromTheirParentsBlocksButGrowFromTheFork) {
  run_preloaded({sample("forked_worker"), "1.5"});
  const Json merged = report(recordings_directory());
  ASSERT_FALSE(merged.at("suspects").empty());
  const Json& first = merged.at("suspects").front();
  EXPECT_TRUE(passes_through(first.at("stack"), "serve_job")) << functions_of(first.at("stack"));
  EXPECT_EQ(first.at("workers").at("of").get<unsigned>(), 2U);
  EXPECT_EQ(first.at("workers").at("seen").get<unsigned>(), 1U);
}

TEST_F(Children, AreLeftAloneWithNone) {
  run_preloaded({sample("forked_worker"), "0.5"},
                {{"SEEP_CHILDREN", "none"}, {"SEEP_MIN_LIFE", "0s"}});
  EXPECT_EQ(recordings("forked_worker").size(), 1U);
}

TEST_F(Children, AreLeftAloneAfterExecWithFork) {
  const std::string command = sample("start_up") + " 0.2; " + sample("start_up") + " 0.2; true";
  const Output output = run_preloaded({"/bin/sh", "-c", command},
                                      {{"SEEP_CHILDREN", "fork"}, {"SEEP_MIN_LIFE", "0s"}});
  EXPECT_EQ(output.status, 0);
  EXPECT_TRUE(recordings("start_up").empty());
}

TEST_F(Children, AreTrackedAfterExecByDefault) {
  const std::string command = sample("start_up") + " 0.2; " + sample("start_up") + " 0.2; true";
  run_preloaded({"/bin/sh", "-c", command}, {{"SEEP_MIN_LIFE", "0s"}});
  EXPECT_EQ(recordings("start_up").size(), 2U);
}

TEST_F(Children, YoungerThanMinLifeLeaveOnlyALine) {
  const std::string command = sample("start_up") + " 0.2; true";
  run_preloaded({"/bin/sh", "-c", command});
  EXPECT_TRUE(recordings("start_up").empty());
  const auto lines = index();
  EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [](const IndexLine& line) {
    return fs::path(line.program).filename() == "start_up" && line.how == "exit";
  }));
}

TEST_F(Children, AreChosenByName) {
  const std::string command = sample("start_up") + " 0.2; " + sample("lost_pointer") + " 0.2; true";
  run_preloaded({"/bin/sh", "-c", command}, {{"SEEP_MIN_LIFE", "0s"}, {"SEEP_ONLY", "lost*,none"}});
  EXPECT_TRUE(recordings("start_up").empty());
  EXPECT_TRUE(recordings("sh").empty());
  EXPECT_EQ(recordings("lost_pointer").size(), 1U);
}

TEST_F(Children, OfXargsLeaveOneLineEachAndSayNothing) {
  expect_one_line_each(200);
}

TEST_F(Children, TwoThousandOfThemStayWithinTheDisk) {
  expect_one_line_each(2000);
  EXPECT_LT(bytes_on_disk(), 1U << 20U);
}

TEST_F(Children, OfAParallelMakeSayNothing) {
  const fs::path makefile = directory() / "Makefile";
  const std::string rules =
      "all: $(addprefix t,$(shell seq 100))\nt%:\n\t@/bin/true; /bin/echo built $*\n";
  ASSERT_EQ(run({"/bin/sh", "-c", "printf '%s' \"$0\" > \"$1\"", rules, makefile.string()}).status,
            0);
  const Arguments make = {"make", "-s", "-j", "4", "-f", makefile.string()};
  const Output output = run_preloaded(make, {{"SEEP_DISK", "64M"}});
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(output.err, "");
  std::vector<std::string> built = lines_of(output.out);
  std::vector<std::string> expected = lines_of(run(make).out);
  std::sort(built.begin(), built.end());
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(built, expected);
  EXPECT_EQ(built.size(), 100U);
  EXPECT_LT(bytes_on_disk(), 64U << 20U);
}

TEST_F(Children, SeeAnErrorOfTheirOwnOnly) {
  const Output output = run_preloaded({"/bin/sh", "-c", "ls /nonexistent"},
                                      {{"SEEP_DIR", "/proc/seep-cannot-write-here"},
                                       {"TMPDIR", directory().string()},
                                       {"LC_ALL", "C"}});
  EXPECT_EQ(lines_of(output.err).size(), 1U) << output.err;
}

}  // namespace
}  // namespace seep::scenarios
