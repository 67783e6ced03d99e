#include "preload/snapshot/cgroup.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace seep::snapshot {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMb = std::uint64_t{1} << 20;

// A folder with the files that the kernel would show.
class Cgroup : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) /
            ("seep-cgroup-" +
             std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << "\n";
  }
  [[nodiscard]] std::uint64_t limit(const std::string& memberships) const {
    return memory_limit({root_.native(), memberships});
  }
  [[nodiscard]] std::uint64_t headroom(const std::string& memberships) const {
    return memory_headroom({root_.native(), memberships});
  }

 private:
  fs::path root_;
};

TEST_F(Cgroup, TheTightestOfAllAboveIsTheLimitOfVersion2) {
  write("a/b/c/memory.max", std::to_string(900 * kMb));
  write("a/b/memory.max", std::to_string(300 * kMb));
  write("a/memory.max", "max");
  EXPECT_EQ(limit("0::/a/b/c\n"), 300 * kMb);
  EXPECT_EQ(limit("0::/a\n"), 0U);
}

TEST_F(Cgroup, TheTightestOfAllAboveIsTheLimitOfVersion1) {
  write("memory/a/b/memory.limit_in_bytes", "9223372036854771712");
  write("memory/a/memory.limit_in_bytes", std::to_string(64 * kMb));
  EXPECT_EQ(limit("5:cpu:/x\n4:memory:/a/b\n0::/\n"), 64 * kMb);
  EXPECT_EQ(limit("4:memory:/other\n"), 0U);
}

TEST_F(Cgroup, InAContainerItsOwnGroupsAreMountedAsTheRoot) {
  write("memory.max", std::to_string(128 * kMb));
  EXPECT_EQ(limit("0::/\n"), 128 * kMb);
  write("memory/memory.limit_in_bytes", std::to_string(100 * kMb));
  EXPECT_EQ(limit("4:memory:/docker/0123\n"), 100 * kMb);
  EXPECT_EQ(limit(""), 100 * kMb) << "without /proc";
}

TEST_F(Cgroup, ALimitIsReadAgainEachTime) {
  write("a/memory.max", "max");
  EXPECT_EQ(limit("0::/a\n"), 0U);
  write("a/memory.max", std::to_string(kMb));
  EXPECT_EQ(limit("0::/a\n"), kMb);
}

TEST_F(Cgroup, TheLeastThatALimitLeavesIsTheHeadroom) {
  write("a/memory.max", std::to_string(500 * kMb));
  write("a/memory.current", std::to_string(480 * kMb));
  write("a/memory.stat", "anon 1\ninactive_file " + std::to_string(5 * kMb));
  write("a/b/memory.max", std::to_string(100 * kMb));
  write("a/b/memory.current", std::to_string(10 * kMb));
  EXPECT_EQ(headroom("0::/a/b\n"), 25 * kMb);
  EXPECT_EQ(headroom("0::/c\n"), UINT64_MAX);
}

}  // namespace
}  // namespace seep::snapshot
