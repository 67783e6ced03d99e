#include "analyzer/read/load_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "analyzer/read/read_snapshot.h"
#include "tests/support/snapshot_builder.h"
#include "tests/support/temporary_directory.h"

namespace seep::read {
namespace {

class LoadFile : public testing::Test {
 protected:
  std::string message_for(const std::string& path) {
    const auto file = load_file(path);
    return file ? "" : file.error().message();
  }

  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.file("file");
  const std::string prefix_ = "seep: " + path_ + ": ";
};

TEST_F(LoadFile, GivesTheWholeContent) {
  const std::string content = test::SnapshotBuilder().bytes();
  directory_.write("file", content);
  const auto file = load_file(path_);
  ASSERT_TRUE(file) << file.error().message();
  EXPECT_EQ(file->bytes().text(), content);
}

TEST_F(LoadFile, SaysThatAFileIsMissing) {
  EXPECT_EQ(message_for(path_), prefix_ + "cannot be opened: No such file or directory");
}

TEST_F(LoadFile, SaysThatAFileIsEmpty) {
  directory_.write("file", "");
  EXPECT_EQ(message_for(path_), prefix_ + "the file is empty: copy it again, or leave it out");
}

TEST_F(LoadFile, TellsAForeignFile) {
  for (const char* content : {"\x7f"
                              "ELF is another format",
                              "x", "SEEPSNAQ and more"}) {
    directory_.write("file", content);
    EXPECT_EQ(message_for(path_), prefix_ + "is not a seep snapshot: give a snapshot-*.seep file");
  }
}

TEST_F(LoadFile, TellsADirectory) {
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  EXPECT_EQ(message_for(path_), prefix_ + "is a directory, not a snapshot file");
}

TEST_F(LoadFile, DoesNotWaitForTheWriterOfAFifo) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(message_for(path_), prefix_ + "is not a regular file");
}

TEST_F(LoadFile, AFileCutWithinTheMagicIsCalledCut) {
  directory_.write("file", "SEEP");
  const auto snapshot = read_snapshot(path_);
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().message(),
            prefix_ +
                "section header: the file is cut: 4 bytes, the header alone has 64 (at 0x0): "
                "the file is damaged; copy it again, or leave it out");
}

}  // namespace
}  // namespace seep::read
