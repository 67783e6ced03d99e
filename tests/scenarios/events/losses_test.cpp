// Every way of losing events is brought about, and said by the report's JSON, the first lines of
// its text, and `seep status`.
#include <algorithm>
#include <fstream>
#include <thread>

#include "format/losses.h"
#include "tests/scenarios/events/compared.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

struct Way {
  const char* loss;
  Environment settings;
};

// modules_not_recorded needs 16,384 files: tests/unit/stack. script_frames_not_recorded needs
// 131,072 frames: tests/unit/table. allocators_unseen: tests/scenarios/harmless.
const std::vector<Way> kWays = {
    {"stacks_cut", {{"SEEP_STACK_DEPTH", "3"}}},
    {"unwind_failed", {}},
    {"blocks_not_recorded", {}},
    {"stacks_not_recorded", {}},
    {"missed_free", {}},
    {"foreign_free", {}},
    {"address_out_of_range",
     {{"LD_PRELOAD", std::string(SEEP_LIBRARY) + ":" + SEEP_OUT_OF_RANGE_LIBRARY}}},
    {"maps_not_recorded", {}},
    {"snapshots_failed", {}},
    {"recordings_removed", {{"SEEP_DISK", "64K"}}},
    {"script_frames_refused",
     {{"LD_PRELOAD", std::string(SEEP_LIBRARY) + ":" + SEEP_UNKNOWN_PHP_LIBRARY}}},
};

std::string meaning_of(const std::string& name) {
  for (const format::LossName& loss : format::kLossNames) {
    if (loss.name == name) {
      return loss.meaning;
    }
  }
  return "";
}

class Losses : public Compared, public ::testing::WithParamInterface<Way> {
 protected:
  // Recordings of earlier runs, larger than the disk they may take.
  void leave_old_recordings() {
    for (int i = 0; i < 12; ++i) {
      run_preloaded({program("losing"), "missed_free"}, {{"SEEP_INTERVAL", "off"}});
      for (const auto& recording : recordings("losing")) {
        std::ofstream(recording / "snapshot-000009.seep") << std::string(20000, 'x');
      }
    }
  }
  // What `seep status` says once the loss is there; the last text after ten seconds.
  std::string status_with_loss(pid_t pid) {
    std::string text;
    for (int tries = 0; tries < 100; ++tries) {
      text = run({seep_command(), "status", std::to_string(pid)}).out;
      if (text.find(GetParam().loss) != std::string::npos) {
        break;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return text;
  }
};

TEST_P(Losses, AreSaidEverywhere) {
  const std::string loss = GetParam().loss;
  if (loss == "recordings_removed") {
    leave_old_recordings();
  }
  Environment settings = GetParam().settings;
  for (const auto& [name, value] : busy_settings()) {
    settings.emplace(name, value);
  }
  const fs::path over = directory() / "over";
  auto child = start_preloaded({program("losing"), loss, over.string()}, settings);
  const std::string status = status_with_loss(child->pid());
  EXPECT_NE(status.find(loss + ": " + meaning_of(loss)), std::string::npos) << status;
  std::ofstream(over) << "over";
  EXPECT_EQ(child->wait().status, 0);
  fs::path recording;
  for (const auto& found : recordings("losing")) {
    recording = found.extension() == "." + std::to_string(child->pid()) ? found : recording;
  }
  ASSERT_FALSE(recording.empty());
  EXPECT_GT(report(recording).at("losses").at(loss).get<std::uint64_t>(), 0U);
  const auto lines = lines_of(run({seep_command(), "report", recording.string()}).out);
  const auto says = [&](const std::string& line) {
    return line.rfind("lost ", 0) == 0 && line.find(meaning_of(loss)) != std::string::npos;
  };
  const auto first_lines = lines.begin() + std::min<std::ptrdiff_t>(6, std::ssize(lines));
  EXPECT_TRUE(std::any_of(lines.begin(), first_lines, says)) << lines.front();
}

INSTANTIATE_TEST_SUITE_P(Ways, Losses, ::testing::ValuesIn(kWays),
                         [](const auto& way) { return std::string(way.param.loss); });

// A loss without a test is found here.
TEST(LossNames, AreAllBroughtAboutByATest) {
  for (const format::LossName& loss : format::kLossNames) {
    const std::string name = loss.name;
    const bool here =
        std::any_of(kWays.begin(), kWays.end(), [&](const Way& way) { return name == way.loss; });
    // `scans_failed` is brought about in tests/scenarios/scan.
    EXPECT_TRUE(here || name == "modules_not_recorded" || name == "script_frames_not_recorded" ||
                name == "allocators_unseen" || name == "scans_failed")
        << name;
  }
}

}  // namespace
}  // namespace seep::scenarios
