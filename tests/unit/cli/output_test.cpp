#include "cli/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/temporary_directory.h"

namespace seep::cli {
namespace {

using test::read_file;

class Output : public ::testing::Test {
 protected:
  // Temporary names of unfinished files must not stay behind.
  [[nodiscard]] std::size_t files() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator(directory_.path())) {
      ++count;
    }
    return count;
  }

  test::TemporaryDirectory directory_;
  std::string file_ = directory_.file("report.json");
};

TEST_F(Output, ANewFileHoldsTheText) {
  EXPECT_FALSE(why_not_writable({file_}));
  EXPECT_FALSE(write_text({file_}, "text"));
  EXPECT_EQ(read_file(file_), "text");
  EXPECT_EQ(files(), 1U);
}

TEST_F(Output, AnExistingFileIsKept) {
  directory_.write("report.json", "old");
  ASSERT_TRUE(why_not_writable({file_}));
  EXPECT_EQ(why_not_writable({file_})->kind, ErrorKind::kUsage);
  const auto error = write_text({file_}, "new");
  ASSERT_TRUE(error);
  EXPECT_NE(error->message().find("--force"), std::string::npos);
  EXPECT_EQ(read_file(file_), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(Output, ForceOverwrites) {
  directory_.write("report.json", "old");
  EXPECT_FALSE(why_not_writable({file_, true}));
  EXPECT_FALSE(write_text({file_, true}, "new"));
  EXPECT_EQ(read_file(file_), "new");
  EXPECT_EQ(files(), 1U);
}

TEST_F(Output, TheUmaskDecidesWhoMayRead) {
  const mode_t before = umask(027);
  EXPECT_FALSE(write_text({file_}, "text"));
  umask(before);
  struct stat status {};
  stat(file_.c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
}

TEST_F(Output, AnOverwrittenFileKeepsWhoMayReadIt) {
  directory_.write("report.json", "old");
  chmod(file_.c_str(), 0600);
  EXPECT_FALSE(write_text({file_, true}, "new"));
  struct stat status {};
  stat(file_.c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(Output, AnOverwrittenLinkLeadsToTheNewFile) {
  directory_.write("report.json", "old");
  const std::string link = directory_.file("link");
  std::filesystem::create_symlink("report.json", link);
  EXPECT_FALSE(write_text({link, true}, "new"));
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(read_file(file_), "new");
  EXPECT_EQ(files(), 2U);
}

// What a descriptor of ours leads to is written to, and not replaced.
TEST_F(Output, DescriptorsOfOurOwnAreWrittenTo) {
  directory_.write("report.json", "old ");
  const int fd = open(file_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  struct stat before {};
  fstat(fd, &before);
  EXPECT_FALSE(write_text({"/proc/self/fd/" + std::to_string(fd), true}, "new"));
  close(fd);
  EXPECT_EQ(read_file(file_), "old new");
  struct stat after {};
  stat(file_.c_str(), &after);
  EXPECT_EQ(after.st_ino, before.st_ino);
}

TEST_F(Output, DevicesAreWrittenTo) {
  EXPECT_FALSE(why_not_writable({"/dev/null"}));
  EXPECT_FALSE(write_text({"/dev/null"}, "text"));
  EXPECT_TRUE(write_text({"/dev/full"}, "text"));
}

TEST_F(Output, ADirectoryAndAMissingOneAreErrors) {
  EXPECT_TRUE(why_not_writable({directory_.path().string(), true}));
  EXPECT_TRUE(why_not_writable({directory_.file("missing/report.json")})) << "before any work";
  const auto error = write_text({directory_.file("missing/report.json")}, "text");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::kBadInput);
}

TEST_F(Output, ACopyNeedsASource) {
  EXPECT_TRUE(copy_file(directory_.file("missing"), {file_}));
  EXPECT_EQ(files(), 0U);
}

}  // namespace
}  // namespace seep::cli
