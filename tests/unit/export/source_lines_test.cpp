// Which files are read for their lines, and which are not.
#include "analyzer/export/source_lines.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/support/temporary_directory.h"

namespace seep::exporters {
namespace {

class SourceLinesTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
    return directory.write(name, text);
  }

  static std::map<std::string, SourceLines::Lines> read(const std::string& file, unsigned line) {
    SourceLines sources("");
    sources.want(file, line);
    return sources.read();
  }

  test::TemporaryDirectory directory;
};

TEST_F(SourceLinesTest, GivesTheLinesAroundEachThatIsWanted) {
  std::string text;
  for (int i = 1; i <= 30; ++i) {
    text += "line " + std::to_string(i) + "\r\n";
  }
  const std::string file = write("a.cpp", text);
  const SourceLines::Lines lines = read(file, 10).at(file);
  EXPECT_EQ(lines.begin()->first, 10 - SourceLines::kLinesAround);
  EXPECT_EQ(lines.rbegin()->first, 10 + SourceLines::kLinesAround);
  EXPECT_EQ(lines.at(10), "line 10");
}

TEST_F(SourceLinesTest, EndsWithTheFile) {
  const std::string file = write("a.c", "one\ntwo");
  const SourceLines::Lines lines = read(file, 2).at(file);
  EXPECT_EQ(lines.size(), 2);
  EXPECT_EQ(lines.at(2), "two");
  EXPECT_TRUE(read(file, 100).empty());
}

TEST_F(SourceLinesTest, ReadsNoFileThatIsNoSourceByItsName) {
  EXPECT_TRUE(read(write("id_rsa", "secret\n"), 1).empty());
  EXPECT_TRUE(read(write("shadow.txt", "secret\n"), 1).empty());
  EXPECT_TRUE(read(write(".c", "secret\n"), 1).empty());
  EXPECT_TRUE(read("relative.c", 1).empty());
}

TEST_F(SourceLinesTest, ReadsNoPipeNoBinaryAndNoHugeFile) {
  const std::string pipe = directory.file("pipe.c");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(read(pipe, 1).empty());
  EXPECT_TRUE(read(write("b.c", std::string("a\0b\n", 4)), 1).empty());
  const std::string huge = write("h.c", "a\n");
  std::filesystem::resize_file(huge, SourceLines::kMostFileBytes + 1);
  EXPECT_TRUE(read(huge, 1).empty());
}

TEST_F(SourceLinesTest, CutsLongLines) {
  const std::string file = write("min.js", std::string(100'000, 'x'));
  EXPECT_EQ(read(file, 1).at(file).at(1).size(), SourceLines::kMostLineBytes);
}

TEST_F(SourceLinesTest, TakesFilesBelowTheSysroot) {
  const std::string file = write("a.c", "one\n");
  SourceLines sources(std::filesystem::path(file).parent_path());
  sources.want("/a.c", 1);
  EXPECT_EQ(sources.read().at("/a.c").at(1), "one");
}

}  // namespace
}  // namespace seep::exporters
