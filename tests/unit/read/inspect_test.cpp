#include "analyzer/read/inspect.h"

#include <gtest/gtest.h>

#include <cstddef>

#include "tests/support/snapshot_builder.h"
#include "tests/support/temporary_directory.h"

namespace seep::read {
namespace {

using format::SectionId;

class Inspect : public testing::Test {
 protected:
  Result<FileInfo> inspect_bytes(const std::string& bytes) {
    return inspect(directory_.write("snapshot-000001.seep", bytes));
  }

  std::string whole_ = [] {
    test::SnapshotBuilder builder;
    builder.add_site({.live_blocks = 3, .live_bytes = 30});
    builder.add_site({.live_blocks = 1, .live_bytes = 10});
    return builder.bytes();
  }();
  test::TemporaryDirectory directory_;
};

TEST_F(Inspect, ListsTheSectionsOfAWholeFile) {
  const auto info = inspect_bytes(whole_);
  ASSERT_TRUE(info) << info.error().message();
  EXPECT_TRUE(info->intact());
  EXPECT_EQ(info->file, directory_.file("snapshot-000001.seep"));
  EXPECT_EQ(info->version_major, format::kVersionMajor);
  EXPECT_EQ(info->version_minor, format::kVersionMinor);
  EXPECT_EQ(info->file_bytes, whole_.size());
  EXPECT_EQ(info->expected_bytes, whole_.size());
  ASSERT_EQ(info->sections.size(), 8U);
  const SectionInfo& sites = info->sections[4];
  EXPECT_EQ(sites.name, "sites");
  EXPECT_EQ(sites.offset, test::find_section(whole_, SectionId::kSites).offset);
  EXPECT_EQ(sites.bytes, 128U);
  EXPECT_EQ(sites.entry_bytes, 64U);
  EXPECT_EQ(sites.entries, 2U);
  EXPECT_TRUE(sites.crc_ok);
}

TEST_F(Inspect, GoesOnAfterADamagedSection) {
  whole_[test::find_section(whole_, SectionId::kNodes).offset] = 'x';
  const auto info = inspect_bytes(whole_);
  ASSERT_TRUE(info);
  ASSERT_EQ(info->problems.size(), 1U);
  EXPECT_EQ(info->problems[0].section, "nodes");
  EXPECT_EQ(info->problems[0].file, info->file);
  ASSERT_EQ(info->sections.size(), 8U);
  for (const SectionInfo& section : info->sections) {
    EXPECT_EQ(section.crc_ok, section.name != "nodes") << section.name;
  }
}

TEST_F(Inspect, ListsWhatIsLeftOfACutFile) {
  whole_.resize(test::find_section(whole_, SectionId::kSites).offset + 8);
  const auto info = inspect_bytes(whole_);
  ASSERT_TRUE(info);
  EXPECT_GT(info->expected_bytes, info->file_bytes);
  ASSERT_EQ(info->sections.size(), 8U);
  EXPECT_TRUE(info->sections[3].crc_ok);
  EXPECT_FALSE(info->sections[4].crc_ok);
  EXPECT_EQ(info->problems.front().section, "header");
}

TEST_F(Inspect, ListsTheSectionsBehindADamagedHeader) {
  whole_[offsetof(format::FileHeader, reserved)] = 1;
  const auto info = inspect_bytes(whole_);
  ASSERT_TRUE(info);
  ASSERT_EQ(info->problems.size(), 1U);
  EXPECT_EQ(info->problems[0].what, "checksum does not match");
  EXPECT_EQ(info->sections.size(), 8U);
}

TEST_F(Inspect, ContentThatTheReaderRefusesIsAProblem) {
  auto sections = test::SnapshotBuilder().sections();
  sections.pop_back();
  const auto info = inspect_bytes(test::encode_file(sections));
  ASSERT_TRUE(info);
  ASSERT_EQ(info->problems.size(), 1U);
  EXPECT_EQ(info->problems[0].section, "losses");
  EXPECT_EQ(info->problems[0].what, "is missing");
}

TEST_F(Inspect, ADamagedSectionOfALaterVersionIsAProblem) {
  auto sections = test::SnapshotBuilder().sections();
  sections.push_back({77, 1, "later"});
  std::string file = test::encode_file(sections);
  file[file.size() - 8] = 'L';
  const auto info = inspect_bytes(file);
  ASSERT_TRUE(info);
  ASSERT_EQ(info->problems.size(), 1U);
  EXPECT_EQ(info->problems[0].section, "unknown");
  EXPECT_EQ(info->sections.back().id, 77U);
}

TEST_F(Inspect, EveryFlippedByteLeavesAListing) {
  for (std::size_t offset = sizeof(format::kMagic); offset < whole_.size(); ++offset) {
    std::string damaged = whole_;
    damaged[offset] = static_cast<char>(~damaged[offset]);
    const auto info = inspect_bytes(damaged);
    ASSERT_TRUE(info) << offset;
    ASSERT_LE(info->sections.size(), whole_.size() / sizeof(format::SectionEntry)) << offset;
  }
}

TEST_F(Inspect, RefusesWhatHasNoHeader) {
  const auto cut = inspect_bytes(whole_.substr(0, 20));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().file, directory_.file("snapshot-000001.seep"));
  const auto foreign = inspect_bytes(std::string(100, 'x'));
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().what, "is not a seep snapshot");
}

}  // namespace
}  // namespace seep::read
