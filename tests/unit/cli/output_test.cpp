#include "cli/output.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

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

TEST_F(Output, DevicesAreWrittenTo) {
  EXPECT_FALSE(why_not_writable({"/dev/null"}));
  EXPECT_FALSE(write_text({"/dev/null"}, "text"));
  EXPECT_TRUE(write_text({"/dev/full"}, "text"));
}

TEST_F(Output, ADirectoryAndAMissingOneAreErrors) {
  EXPECT_TRUE(why_not_writable({directory_.path().string(), true}));
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
