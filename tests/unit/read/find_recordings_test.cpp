// Which recordings the paths of a command line name.
#include "analyzer/read/find_recordings.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/snapshot_builder.h"
#include "tests/support/temporary_directory.h"

namespace seep::read {
namespace {

using test::SnapshotBuilder;

class FindRecordings : public testing::Test {
 protected:
  // A recording of one snapshot in the directory `name`.
  void record(const std::string& name, std::uint64_t run, std::uint64_t started) {
    SnapshotBuilder builder;
    builder.process.run_id = run;
    builder.process.started_unix_ns = started;
    builder.write_into(directory_.file(name));
  }

  std::vector<std::string> ids(const std::vector<std::string>& paths,
                               const Selection& selection = {}) {
    const auto recordings = read_recordings(paths, selection);
    if (!recordings) {
      return {recordings.error().message()};
    }
    std::vector<std::string> ids;
    for (const model::Recording& recording : *recordings) {
      ids.push_back(recording.id);
    }
    return ids;
  }

  using Ids = std::vector<std::string>;

  test::TemporaryDirectory directory_;
  const std::string all_ = directory_.path().string();
};

TEST_F(FindRecordings, ADirectoryOfSnapshotsIsOneRecording) {
  record("server.4711", 1, 1);
  EXPECT_EQ(ids({directory_.file("server.4711")}), Ids{"server.4711"});
  EXPECT_EQ(ids({directory_.file("server.4711/")}), Ids{"server.4711"});
}

TEST_F(FindRecordings, ADirectoryOfRecordingsGivesThoseOfTheNewestRun) {
  record("a.1", 0x10, 100);
  record("b.2", 0x20, 300);
  record("c.3", 0x20, 150);
  record("d.4", 0x10, 200);
  EXPECT_EQ(ids({all_}), (Ids{"b.2", "c.3"}));
}

TEST_F(FindRecordings, ARunCanBeChosen) {
  record("a.1", 0x10, 100);
  record("b.2", 0x20, 300);
  EXPECT_EQ(ids({all_}, {.run_id = "0000000000000010"}), Ids{"a.1"});
  EXPECT_EQ(ids({all_}, {.run_id = std::nullopt, .all_runs = true}), (Ids{"a.1", "b.2"}));
}

TEST_F(FindRecordings, ARunThatDoesNotExistIsAnError) {
  record("a.1", 0x10, 100);
  EXPECT_EQ(ids({all_}, {.run_id = "00000000000000ff"}),
            Ids{"seep: " + all_ +
                ": holds no recording of run 00000000000000ff: "
                "leave --run out for the newest, or use --all-runs"});
}

TEST_F(FindRecordings, OtherFilesAndDirectoriesAreNoRecordings) {
  record("a.1", 0x10, 100);
  directory_.write("index", "text");
  directory_.write("seep.log", "text");
  directory_.write("empty.5/control", "text");
  directory_.write("a.1/snapshot-000009.seep.tmp", "being written");
  directory_.write("a.1/control", "text");
  EXPECT_EQ(ids({all_}), Ids{"a.1"});
}

TEST_F(FindRecordings, ADirectoryWithoutSnapshotsIsAnError) {
  std::filesystem::create_directory(directory_.file("empty"));
  const std::string advice = "give a recording, a directory of recordings, or snapshot files";
  EXPECT_EQ(ids({directory_.file("empty")}),
            Ids{"seep: " + directory_.file("empty") + ": holds no snapshots: " + advice});
  EXPECT_EQ(ids({all_}), Ids{"seep: " + all_ + ": holds no snapshots: " + advice});
}

TEST_F(FindRecordings, AMissingPathIsAnError) {
  EXPECT_EQ(ids({directory_.file("none")}), Ids{"seep: " + directory_.file("none") +
                                                ": cannot be opened: No such file or directory"});
}

TEST_F(FindRecordings, FilesAreGroupedByProcessImage) {
  SnapshotBuilder one;
  SnapshotBuilder two;
  two.process.pid = 4712;
  SnapshotBuilder image;
  image.process.image = 2;
  const std::string a2 = one.at(2, 2).write_into(directory_.file("x"));
  const std::string b = two.at(1, 1).write_into(directory_.file("y"));
  const std::string a1 = one.at(1, 1).write_into(directory_.file("z"));
  const std::string c = image.at(3, 3).write_into(directory_.file("z"));
  const auto recordings = read_recordings({a2, b, a1, c, a2}, {});
  ASSERT_TRUE(recordings) << recordings.error().message();
  ASSERT_EQ(recordings->size(), 3U);
  const model::Recording& first = (*recordings)[0];
  EXPECT_EQ(first.id, "server.4711");
  ASSERT_EQ(first.moments.size(), 2U);
  EXPECT_EQ(first.moments[0].file, a1);
  EXPECT_EQ(first.moments[1].file, a2);
  EXPECT_EQ((*recordings)[1].id, "server.4712");
  EXPECT_EQ((*recordings)[1].path, b);
  EXPECT_EQ((*recordings)[2].id, "server.4711.2");
}

TEST_F(FindRecordings, ADamagedFileThatWasNamedIsAnError) {
  record("a.1", 0x10, 100);
  const std::string good = directory_.file("a.1/snapshot-000001.seep");
  std::string bytes = test::read_file(good);
  bytes[test::find_section(bytes, format::SectionId::kNodes).offset] ^= 1;
  const std::string bad = directory_.write("a.1/snapshot-000002.seep", bytes);
  const auto recordings = read_recordings({bad}, {});
  ASSERT_FALSE(recordings);
  EXPECT_EQ(recordings.error().file, bad);
  EXPECT_EQ(recordings.error().section, "nodes");
}

TEST_F(FindRecordings, ARecordingWithoutAReadableSnapshotIsNamed) {
  record("a.1", 0x10, 100);
  directory_.write("b.2/snapshot-000001.seep", "");
  const auto recordings = read_recordings({all_}, {});
  ASSERT_TRUE(recordings) << recordings.error().message();
  ASSERT_EQ(recordings->size(), 1U);
  ASSERT_EQ((*recordings)[0].skipped.size(), 1U);
  EXPECT_EQ((*recordings)[0].skipped[0], "seep: " + directory_.file("b.2/snapshot-000001.seep") +
                                             ": the file is empty: copy it again, or leave it out");
}

TEST_F(FindRecordings, OnlyDamagedRecordingsAreAnError) {
  directory_.write("b.2/snapshot-000001.seep", "");
  const auto recordings = read_recordings({all_}, {});
  ASSERT_FALSE(recordings);
  EXPECT_EQ(recordings.error().what, "the file is empty");
}

TEST_F(FindRecordings, NoPathIsWrongUsage) {
  const auto recordings = read_recordings({}, {});
  ASSERT_FALSE(recordings);
  EXPECT_EQ(recordings.error().kind, ErrorKind::kUsage);
}

TEST(ParseFileName, TakesOnlyNamesOfSnapshotsAndScans) {
  EXPECT_EQ(parse_file_name("snapshot-000012.seep"), (FileName{false, 12}));
  EXPECT_EQ(parse_file_name("snapshot-1234567.seep"), (FileName{false, 1234567}));
  EXPECT_EQ(parse_file_name("scan-000003.seep"), (FileName{true, 3}));
  for (const char* name :
       {"snapshot-.seep", "snapshot-12", "snapshot-12.seep.tmp", "12.seep", "snapshot-1x.seep",
        "snapshot--1.seep", "snapshot-.seeseep", "", "snapshot-99999999999999999999999.seep",
        "scan-.seep", "scan-1.seep.tmp", "scan-", "scanned-000001.seep"}) {
    EXPECT_FALSE(parse_file_name(name)) << name;
  }
}

}  // namespace
}  // namespace seep::read
