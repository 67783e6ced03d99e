// What is copied into a recording from a folder that everybody may write to.
#include "preload/agent/jit_map.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace seep::agent {
namespace {

class JitMap : public testing::Test {
 protected:
  JitMap() {
    char name[] = "/tmp/seep-jit-XXXXXX";
    folder_ = mkdtemp(name);
    recording_ = folder_ + "/recording";
    source_ = folder_ + "/perf-1.map";
    std::filesystem::create_directory(recording_);
    directory_ = open(recording_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  ~JitMap() override {
    close(directory_);
    std::filesystem::remove_all(folder_);
  }

  JitMapCopy copy() {
    return copy_jit_map({source_.c_str(), directory_, user_, since_unix_ns_, most_bytes_});
  }
  [[nodiscard]] std::string copied() const {
    std::ostringstream text;
    text << std::ifstream(recording_ + "/perf.map").rdbuf();
    return text.str();
  }
  [[nodiscard]] bool is_clean() const { return std::filesystem::is_empty(recording_); }

  std::string folder_;
  std::string recording_;
  std::string source_;
  int directory_ = -1;
  std::uint32_t user_ = geteuid();
  std::uint64_t since_unix_ns_ = 0;
  std::size_t most_bytes_ = std::size_t{1} << 20;
};

TEST_F(JitMap, IsCopied) {
  EXPECT_EQ(copy(), JitMapCopy::kNone);
  const std::string text = "1000 10 f\n" + std::string(100'000, 'x') + "\n";
  std::ofstream(source_) << text;
  EXPECT_EQ(copy(), JitMapCopy::kDone);
  EXPECT_EQ(copied(), text);
  struct stat status;
  ASSERT_EQ(stat((recording_ + "/perf.map").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  std::ofstream(source_, std::ios::app) << "more";
  EXPECT_EQ(copy(), JitMapCopy::kDone);  // a later end of the image
  EXPECT_EQ(copied(), text + "more");
}

TEST_F(JitMap, IsCutAtTheLimit) {
  std::ofstream(source_) << std::string(100'000, 'x');
  most_bytes_ = 50'000;
  EXPECT_EQ(copy(), JitMapCopy::kCut);
  EXPECT_EQ(copied().size(), 50'000U);
}

TEST_F(JitMap, LeadsNowhereElse) {
  std::ofstream(folder_ + "/secret") << "secret";
  ASSERT_EQ(symlink((folder_ + "/secret").c_str(), source_.c_str()), 0);
  EXPECT_EQ(copy(), JitMapCopy::kNotAFile);
  unlink(source_.c_str());
  ASSERT_EQ(link((folder_ + "/secret").c_str(), source_.c_str()), 0);
  EXPECT_EQ(copy(), JitMapCopy::kNotOurs);
  EXPECT_TRUE(is_clean());
}

TEST_F(JitMap, DoesNotWaitForAWriter) {
  ASSERT_EQ(mkfifo(source_.c_str(), 0600), 0);
  EXPECT_EQ(copy(), JitMapCopy::kNotAFile);
  unlink(source_.c_str());
  std::filesystem::create_directory(source_);
  EXPECT_EQ(copy(), JitMapCopy::kNotAFile);
  EXPECT_TRUE(is_clean());
}

TEST_F(JitMap, OfAnotherUserIsLeftAlone) {
  if (geteuid() != 0) {
    GTEST_SKIP() << "only root can give a file away";
  }
  std::ofstream(source_) << "1000 10 f\n";
  ASSERT_EQ(chown(source_.c_str(), 65534, 65534), 0);
  EXPECT_EQ(copy(), JitMapCopy::kNotOurs);
  EXPECT_TRUE(is_clean());
  user_ = 65534;
  EXPECT_EQ(copy(), JitMapCopy::kDone);
}

TEST_F(JitMap, OfAnEarlierProcessIsStale) {
  std::ofstream(source_) << "1000 10 f\n";
  const timespec old[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, source_.c_str(), old, 0), 0);
  since_unix_ns_ = 2000 * std::uint64_t{1'000'000'000};
  EXPECT_EQ(copy(), JitMapCopy::kStale);
  EXPECT_TRUE(is_clean());
}

TEST_F(JitMap, ThatCannotBeWrittenLeavesNothing) {
  std::ofstream(source_) << "1000 10 f\n";
  std::filesystem::create_directory(recording_ + "/perf.map");
  EXPECT_EQ(copy(), JitMapCopy::kFailed);
  EXPECT_FALSE(std::filesystem::exists(recording_ + "/perf.map.tmp"));
}

TEST_F(JitMap, EveryTroubleHasItsWords) {
  for (const JitMapCopy trouble : {JitMapCopy::kCut, JitMapCopy::kNotAFile, JitMapCopy::kNotOurs,
                                   JitMapCopy::kStale, JitMapCopy::kFailed}) {
    EXPECT_FALSE(meaning_of(trouble).empty());
  }
  EXPECT_TRUE(meaning_of(JitMapCopy::kNone).empty());
  EXPECT_TRUE(meaning_of(JitMapCopy::kDone).empty());
  EXPECT_EQ(jit_map_path(4711).view(), "/tmp/perf-4711.map");
}

}  // namespace
}  // namespace seep::agent
