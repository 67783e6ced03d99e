// Privileges that a program gives up are gone, with nothing of seep's left behind; programs that no
// preload can enter run as ever.
#include <algorithm>

#include "tests/scenarios/events/compared.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

class Privileges : public Compared {
 protected:
  void SetUp() override {
    Compared::SetUp();
    fs::permissions(directory(), fs::perms::all);  // other users record here too
  }
  std::uint64_t most_blocks_through(const std::string& function) {
    std::uint64_t most = 0;
    for (const auto& recording : recordings("privileges")) {
      if (!snapshots(recording).empty()) {
        most = std::max(most, sums_through(report(recording), function).live_blocks);
      }
    }
    return most;
  }
};

class GivenUp : public Privileges, public ::testing::WithParamInterface<const char*> {};

TEST_P(GivenUp, AreGoneAsWithoutThePreload) {
  const Output output = expect_same({program("privileges"), GetParam()});
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(output.out.find("give rights 1"), std::string::npos);
  expect_recordings_are_whole();
}

INSTANTIATE_TEST_SUITE_P(Ways, GivenUp,
                         ::testing::Values("drop_uid", "drop_uid_in_child", "drop_capabilities",
                                           "unshare_namespaces", "unshare_user", "set_namespace",
                                           "change_root"),
                         [](const auto& way) { return std::string(way.param); });

// A change of uid opens a new recording, owned by the user that writes it.
TEST_F(Privileges, ADroppedUidGoesOnInARecordingOfItsOwn) {
  if (!runs_as_root()) {
    return;
  }
  run_preloaded({program("privileges"), "drop_uid"}, busy_settings());
  const auto paths = recordings("privileges");
  ASSERT_EQ(paths.size(), 2U);
  for (const auto& recording : paths) {
    EXPECT_GT(report(recording).at("snapshots").size(), 1U) << recording;
  }
  EXPECT_EQ(report(paths.back()).at("processes").at(0).at("uid"), 65534);
}

TEST_F(Privileges, AWorkerThatDropsRootIsRecorded) {
  if (!runs_as_root()) {
    return;
  }
  run_preloaded({program("privileges"), "drop_uid_in_child"}, busy_settings());
  const auto paths = recordings("privileges");
  ASSERT_EQ(paths.size(), 2U);
  EXPECT_EQ(report(paths.back()).at("snapshots").back().at("trigger"), "exit");
}

// In the new root there is no /proc; a descriptor of the recording still leads there.
TEST_F(Privileges, AChangedRootIsStillRecorded) {
  if (!runs_as_root()) {
    return;
  }
  run_preloaded({program("privileges"), "change_root"}, busy_settings());
  EXPECT_EQ(most_blocks_through("hold_blocks_in_jail"), 100U);
  ASSERT_EQ(recordings("privileges").size(), 1U);
}

TEST_F(Privileges, ARootThatIsChangedByNumberIsStillRecorded) {
  if (!runs_as_root()) {
    return;
  }
  run_preloaded({program("privileges"), "change_root_by_number"}, busy_settings());
  EXPECT_EQ(most_blocks_through("hold_blocks_in_jail"), 100U);
}

TEST_F(Privileges, ARecordingThatIsCoveredByAMountIsGoneOnWith) {
  if (!runs_as_root()) {
    return;
  }
  const std::string covered = recordings_directory().string();
  const Output output =
      run_preloaded({program("privileges"), "cover_recordings", covered}, busy_settings());
  EXPECT_NE(output.out.find("mount 0"), std::string::npos) << output.out;
  EXPECT_EQ(most_blocks_through("hold_blocks_in_jail"), 100U);
}

TEST_F(Privileges, ASetUidProgramIsLeftAlone) {
  if (!runs_as_root()) {
    return;
  }
  const std::string copy = (directory() / "set-uid").string();
  fs::copy_file(program("privileges"), copy);
  ASSERT_EQ(run({"/bin/chmod", "4755", copy}).status, 0);
  const Output output = expect_same({program("privileges"), "become_set_uid", copy});
  EXPECT_EQ(output.out, "secure 1\neffective uid 0\nmappings of seep 0\n");
  EXPECT_TRUE(recordings("set-uid").empty());
}

TEST_F(Privileges, StaticAnd32BitChildrenRunAsEver) {
  for (const char* child : {"static_child", "small_child_32"}) {
    const Output output = expect_same({program("privileges"), "run_another", program(child)});
    EXPECT_EQ(output.status, 0);
    EXPECT_TRUE(recordings(child).empty());
  }
}

}  // namespace
}  // namespace seep::scenarios
