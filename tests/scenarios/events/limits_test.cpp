// Descriptor numbers, closed streams, file limits, full and read-only disks: the program sees none
// of seep's troubles, and seep says them.
#include "tests/scenarios/events/compared.h"

namespace seep::scenarios {
namespace {

namespace fs = std::filesystem;

class Descriptors : public Compared, public ::testing::WithParamInterface<const char*> {};

TEST_P(Descriptors, AreTheProgramsOwn) {
  expect_same({program("descriptors"), GetParam()});
  expect_recordings_are_whole();
}

INSTANTIATE_TEST_SUITE_P(Ways, Descriptors,
                         ::testing::Values("list", "numbers", "close_everything", "reuse_numbers",
                                           "few_descriptors", "small_files",
                                           "small_files_with_handler", "small_files_while_pending"),
                         [](const auto& way) { return std::string(way.param); });

class Limits : public Compared {
 protected:
  // The program under `sh -c setup`, both ways.
  Output expect_same_after(const std::string& setup, const std::string& name) {
    const Arguments words = {"/bin/sh", "-c", setup + " exec env \"$@\"", "sh"};
    Arguments alone = words;
    Arguments tracked = words;
    for (const auto& [variable, value] : preload_environment(busy_settings())) {
      tracked.push_back(std::string(variable).append("=").append(value));
    }
    for (Arguments* command : {&alone, &tracked}) {
      command->push_back(program("descriptors"));
      command->push_back(name);
    }
    const Output without = run(alone);
    Output with = run(tracked);
    EXPECT_EQ(with.status, without.status);
    EXPECT_EQ(with.out, without.out);
    EXPECT_EQ(with.err, without.err);
    return with;
  }
};

TEST_F(Limits, FewDescriptorsFromTheStartAreAllTheProgramsOwn) {
  for (const char* limit : {"64", "256", "900"}) {
    expect_same_after(std::string("ulimit -n ") + limit + ";", "numbers");
  }
  expect_recordings_are_whole();
}

TEST_F(Limits, ClosedStreamsStayClosed) {
  const Output output = expect_same_after("exec <&- >&- 2>&-;", "closed_stdio");
  EXPECT_EQ(output.status, 40);
  expect_recordings_are_whole();
  EXPECT_EQ(expect_same_after("exec <&- >&- 2>&-;", "closed_stdio_first_number").status, 60);
}

TEST_F(Limits, SmallFilesFromTheStartRaiseNoSignal) {
  expect_same_after("ulimit -f 1;", "allocate_only");  // 512 bytes: less than a control page
  expect_same_after("ulimit -f 16;", "allocate_only");
}

class SmallDisk : public Limits {
 protected:
  // Everything in a mount namespace of its own, so that nothing stays mounted.
  Output run_on_disk(const std::string& fill) {
    const std::string script =
        "set -e; mkdir -p \"$1\"; mount -t tmpfs -o size=256k none \"$1\"; " + fill +
        "; shift; exec env \"$@\"";
    const fs::path disk = directory() / "disk";
    Arguments command = {"unshare", "-m", "/bin/sh", "-c", script, "sh", disk.string()};
    Environment environment = preload_environment(busy_settings());
    environment["SEEP_DIR"] = (disk / "recordings").string();
    environment["TMPDIR"] = disk.string();
    for (const auto& [variable, value] : environment) {
      command.push_back(std::string(variable).append("=").append(value));
    }
    command.push_back(program("descriptors"));
    command.push_back("allocate_only");
    return run(command);
  }
};

TEST_F(SmallDisk, FullIsNoMatterToTheProgram) {
  if (!runs_as_root()) {
    return;
  }
  for (const char* fill : {"true", "dd if=/dev/zero of=\"$1\"/fill bs=4k 2>/dev/null || true",
                           "dd if=/dev/zero of=\"$1\"/fill bs=4k count=61 2>/dev/null",
                           "dd if=/dev/zero of=\"$1\"/fill bs=4k count=62 2>/dev/null",
                           "dd if=/dev/zero of=\"$1\"/fill bs=4k count=63 2>/dev/null"}) {
    const Output output = run_on_disk(fill);
    EXPECT_EQ(output.status, 0) << fill << "\n" << output.err;
    EXPECT_EQ(output.out, "done 1\n") << fill;
    EXPECT_EQ(output.err, "") << fill;
  }
}

TEST_F(SmallDisk, ReadOnlyOrGoneIsNoMatterToTheProgram) {
  if (!runs_as_root()) {
    return;
  }
  for (const char* fill : {"mkdir \"$1\"/recordings; mount -o remount,ro \"$1\"",
                           "mkdir \"$1\"/recordings; mount --bind /proc \"$1\"/recordings",
                           "touch \"$1\"/recordings"}) {
    const Output output = run_on_disk(fill);
    EXPECT_EQ(output.status, 0) << fill << "\n" << output.err;
    EXPECT_EQ(output.out, "done 1\n") << fill;
    EXPECT_EQ(output.err, "") << fill;
  }
}

// Removed under its feet, as a clean-up job does.
TEST_F(SmallDisk, ARecordingThatIsRemovedIsNoMatterToTheProgram) {
  auto child = start_preloaded({program("descriptors"), "allocate_only"}, busy_settings());
  wait_for_recording(child->pid());
  std::error_code ignored;
  fs::remove_all(recordings_directory(), ignored);
  const Output output = child->wait();
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(output.out, "done 1\n");
}

}  // namespace
}  // namespace seep::scenarios
