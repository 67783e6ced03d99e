// The offline verbs on recordings of real runs.

#include "tests/scenarios/report_checks.h"
#include "tests/scenarios/scenario.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

class Verbs : public Scenario {
 protected:
  // A recording of `sample`, run for `seconds`.
  fs::path record(const std::string& name, const std::string& seconds) {
    EXPECT_EQ(run_preloaded({sample(name), seconds}).status, 0);
    const auto found = recordings(name);
    EXPECT_FALSE(found.empty());
    return found.empty() ? fs::path() : found.back();
  }

  Json json_of(Arguments command) {
    command.insert(command.begin(), seep_command());
    const Output output = run(command);
    EXPECT_EQ(output.status, 0) << output.err;
    Json json = Json::parse(output.out, nullptr, false);
    EXPECT_FALSE(json.is_discarded()) << output.out.substr(0, 200);
    return json;
  }

  static const Json* change_through(const Json& diff, const std::string& function) {
    for (const Json& change : diff.at("changes")) {
      if (passes_through(change.at("stack"), function)) {
        return &change;
      }
    }
    return nullptr;
  }
};

TEST_F(Verbs, DiffOfTwoSnapshotsNamesWhatGrew) {
  const auto files = snapshots(record("lost_pointer", "2"));
  ASSERT_GE(files.size(), 3U);
  const Json diff = json_of({"diff", "--json", files[1].string(), files.back().string()});
  EXPECT_EQ(diff.at("schema"), "seep.diff/1");
  EXPECT_EQ(diff.at("basis"), "level");
  const Json* change = change_through(diff, "parse_line");
  ASSERT_NE(change, nullptr);
  EXPECT_EQ(change->at("change"), "grew");
  EXPECT_GT(change->at("bytes").get<long>(), 0);
  EXPECT_EQ(change->at("new_bytes").get<long>() - change->at("old_bytes").get<long>(),
            change->at("bytes").get<long>());
}

TEST_F(Verbs, DiffOfASnapshotWithItselfIsEmpty) {
  const auto files = snapshots(record("lost_pointer", "0.3"));
  ASSERT_FALSE(files.empty());
  const std::string file = files.back().string();
  EXPECT_TRUE(json_of({"diff", "--json", file, file}).at("changes").empty());
}

TEST_F(Verbs, DiffOfTwoRunsOfOneLeakFindsNoChangeInItsRate) {
  const fs::path shorter = record("lost_pointer", "1.5");
  ASSERT_EQ(recordings().size(), 1U);
  const Output longer = run_preloaded({sample("lost_pointer"), "3"});
  ASSERT_EQ(longer.status, 0);
  const auto both = recordings("lost_pointer");
  ASSERT_EQ(both.size(), 2U);
  const fs::path other = both[0] == shorter ? both[1] : both[0];
  const Json diff = json_of({"diff", "--json", shorter.string(), other.string()});
  EXPECT_EQ(diff.at("basis"), "per_second");
  if (const Json* change = change_through(diff, "parse_line")) {
    // 120 bytes, 1,000 times a second, in both: what is left is noise of the end points.
    EXPECT_LT(std::abs(change->at("bytes").get<double>()), 12'000.0) << *change;
  }
}

TEST_F(Verbs, CheckFailsAReportOfALeak) {
  const std::string leaking = record("lost_pointer", "3").string();
  EXPECT_EQ(run({seep_command(), "report", "--check", leaking}).status, 1);
  const std::string clean = record("steady_turnover", "3").string();
  EXPECT_EQ(run({seep_command(), "report", "--check", clean}).status, 0);
}

TEST_F(Verbs, InfoSaysWhatASnapshotHolds) {
  const auto files = snapshots(record("lost_pointer", "0.3"));
  ASSERT_FALSE(files.empty());
  const Output output = run({seep_command(), "info", files.back().string()});
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_NE(output.out.find("lost_pointer"), std::string::npos) << output.out;
}

TEST_F(Verbs, PruneFreesTheDisk) {
  record("lost_pointer", "0.3");
  const Output output =
      run({seep_command(), "prune", "--to", "0", recordings_directory().string()});
  EXPECT_EQ(output.status, 0) << output.err;
  EXPECT_TRUE(recordings().empty());
}

TEST_F(Verbs, PruneKeepsTheRecordingOfARunningProcess) {
  auto child = start_preloaded({sample("lost_pointer"), "20"});
  const fs::path recording = wait_for_recording(child->pid());
  run({seep_command(), "prune", "--to", "0", recordings_directory().string()});
  EXPECT_TRUE(fs::exists(recording));
}

// The best of many runs: what the machine does besides only makes a run longer.

}  // namespace
}  // namespace seep::scenarios
