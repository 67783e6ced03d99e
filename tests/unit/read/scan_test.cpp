// Files of scans: their sections, hostile ones, and how they join a recording.
#include <gtest/gtest.h>

#include <cstring>

#include "analyzer/read/read_bytes.h"
#include "analyzer/read/read_recording.h"
#include "tests/support/snapshot_builder.h"
#include "tests/support/temporary_directory.h"

namespace seep::read {
namespace {

using format::LinkKind;
using format::LinkRecord;
using format::ScanProblem;
using format::ScanTime;
using format::SectionId;
using test::SnapshotBuilder;

constexpr std::uint64_t kMost = ~std::uint64_t{0};

std::uint32_t number(LinkKind kind) {
  return static_cast<std::uint32_t>(kind);
}

// Two sites at 0x30 and 0x40 of module 1.
SnapshotBuilder with_sites() {
  SnapshotBuilder builder;
  const auto server = builder.add_module("/usr/bin/server", "\xab\xcd");
  builder.add_site({.stack = {{server, 0x30}, {server, 0x20}},
                    .live_blocks = 4,
                    .live_bytes = 400,
                    .oldest_ms = 900});
  builder.add_site({.stack = {{server, 0x40}, {server, 0x20}}, .live_blocks = 5, .live_bytes = 50});
  return builder;
}

SnapshotBuilder with_scan() {
  SnapshotBuilder builder = with_sites();
  builder.scanned(ScanTime::kExit);
  builder.scan->threads = 3;
  builder.scan->pause_ns = 1000;
  builder.unreachable = {{0, 0, 2, 200, 1, 100}, {1, 0, 0, 0, 5, 50}};
  builder.chains = {
      {0,
       3,
       4,
       {{number(LinkKind::kGlobal), 0, 1, 0, 0x4020}, {number(LinkKind::kBlock), 1, 0, 0, 8}}},
      {1, 5, 5, {{number(LinkKind::kBlock), 0, 0, 0, 0}}}};
  return builder;
}

Result<model::Snapshot> read(const std::string& bytes) {
  return read_bytes(Bytes(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

TEST(ReadScan, GivesEverySection) {
  const auto snapshot = read(with_scan().at(9, 2.5).bytes());
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  ASSERT_TRUE(snapshot->scan.has_value());
  const model::Scan& scan = *snapshot->scan;
  EXPECT_TRUE(scan.complete);
  EXPECT_EQ(scan.when, ScanTime::kExit);
  EXPECT_EQ(scan.threads, 3U);
  EXPECT_EQ(scan.pause_ns, 1000U);
  EXPECT_DOUBLE_EQ(scan.time_s, 2.5);
  ASSERT_EQ(scan.unreachable.size(), 2U);
  EXPECT_EQ(scan.unreachable[0].blocks(), 3U);
  EXPECT_EQ(scan.unreachable[0].bytes(), 300U);
  EXPECT_EQ(scan.unreachable[0].direct_blocks, 2U);
  EXPECT_EQ(scan.unreachable[0].live_blocks, 4U);
  EXPECT_EQ(scan.unreachable[0].oldest_ms, 900U);
  EXPECT_EQ(scan.unreachable[1].indirect_bytes, 50U);
  ASSERT_EQ(scan.chains.size(), 2U);
  EXPECT_EQ(scan.chains[0].links_count, 2U);
  EXPECT_EQ(scan.chains[1].links_begin, 2U);
  ASSERT_EQ(scan.links.size(), 3U);
  EXPECT_EQ(scan.links[0].offset, 0x4020U);
  EXPECT_EQ(scan.links[1].kind, LinkKind::kBlock);
  EXPECT_EQ(scan.links[1].site, 1U);
}

TEST(ReadScan, GivesWhatIsKeptAndNoMoreThanLives) {
  SnapshotBuilder builder = with_scan();
  builder.kept = {{0, 0, 3, 300}, {1, 0, kMost, kMost}};
  const auto snapshot = read(builder.bytes());
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  const std::vector<model::Kept>& kept = snapshot->scan->kept;
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].blocks, 3U);
  EXPECT_EQ(kept[0].bytes, 300U);
  EXPECT_EQ(kept[1].blocks, 5U);
  EXPECT_EQ(kept[1].bytes, 50U);
}

TEST(ReadScan, ASnapshotHasNone) {
  const auto snapshot = read(with_sites().bytes());
  ASSERT_TRUE(snapshot);
  EXPECT_FALSE(snapshot->scan.has_value());
}

TEST(ReadScan, WhatIsUnreachableIsUnknownWhereRootsWereMissed) {
  SnapshotBuilder builder = with_scan();
  const auto unreachable = builder.unreachable;
  builder.scanned(ScanTime::kRequest, ScanProblem::kNoRegisters);
  const auto snapshot = read(builder.bytes());
  ASSERT_TRUE(snapshot);
  EXPECT_FALSE(snapshot->scan->complete);
  EXPECT_EQ(snapshot->scan->problem, ScanProblem::kNoRegisters);
  EXPECT_TRUE(snapshot->scan->unreachable.empty());
  EXPECT_FALSE(snapshot->scan->chains.empty()) << "who holds what is known all the same";
}

// "global $jobs", "Job::$log"
SnapshotBuilder with_words() {
  SnapshotBuilder builder = with_scan();
  builder.holder_texts = "global $jobsJob::$log";
  builder.chains.push_back({1,
                            5,
                            5,
                            {{number(LinkKind::kScriptGlobal), 12, 0, 0, 0},
                             {number(LinkKind::kScriptValue), 9, 0, 0, 12}}});
  return builder;
}

TEST(ReadScan, LinksOfAScriptHaveTheirWords) {
  const auto snapshot = read(with_words().bytes());
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  const std::vector<model::Link>& links = snapshot->scan->links;
  ASSERT_EQ(links.size(), 5U);
  EXPECT_EQ(links[3].kind, LinkKind::kScriptGlobal);
  EXPECT_EQ(links[3].text, "global $jobs");
  EXPECT_EQ(links[3].site, 0U);
  EXPECT_EQ(links[4].text, "Job::$log");
}

// --- Hostile files: each ends in an error that names the section.

void expect_refused(const SnapshotBuilder& builder, const char* section, const char* what) {
  const auto snapshot = read(builder.bytes());
  ASSERT_FALSE(snapshot) << what;
  EXPECT_EQ(snapshot.error().section, section);
  EXPECT_NE(snapshot.error().what.find(what), std::string::npos) << snapshot.error().what;
  EXPECT_TRUE(snapshot.error().offset.has_value());
}

TEST(DamagedScan, SitesOutsideTheFileAreRefused) {
  SnapshotBuilder builder = with_scan();
  builder.unreachable = {{2, 0, 1, 1, 0, 0}};
  expect_refused(builder, "unreachable", "site 2");
  builder = with_scan();
  builder.unreachable = {{1, 0, 1, 1, 0, 0}, {0, 0, 1, 1, 0, 0}};
  expect_refused(builder, "unreachable", "site 0, from 2 to 2 expected");
  builder = with_scan();
  builder.kept = {{2, 0, 1, 1}};
  expect_refused(builder, "kept", "site 2");
  builder.kept = {{1, 0, 1, 1}, {0, 0, 1, 1}};
  expect_refused(builder, "kept", "site 0, from 2 to 2 expected");
  builder = with_scan();
  builder.chains[0].site = 2;
  expect_refused(builder, "chains", "site 2 of 2");
  builder = with_scan();
  builder.chains[0].links[1].site = 7;
  expect_refused(builder, "links", "site 7 of 2");
  builder = with_scan();
  builder.chains[0].links[0].module = 2;
  expect_refused(builder, "links", "module 2 of 2");
}

TEST(DamagedScan, SumsThatWrapAroundAreRefused) {
  SnapshotBuilder builder = with_scan();
  builder.unreachable = {{0, 0, kMost, 1, 1, 1}};
  expect_refused(builder, "unreachable", "more unreachable blocks");
  builder.unreachable = {{0, 0, 1, kMost, 1, 1}};
  expect_refused(builder, "unreachable", "more unreachable blocks");
}

TEST(DamagedScan, UnknownValuesAreRefused) {
  SnapshotBuilder builder = with_scan();
  builder.scan->when = 3;
  expect_refused(builder, "scan", "unknown time of a scan 3");
  builder = with_scan();
  builder.scan->complete = 2;
  expect_refused(builder, "scan", "unknown completeness 2");
  builder = with_scan();
  builder.scan->problem = 99;
  expect_refused(builder, "scan", "unknown problem 99");
  builder = with_scan();
  builder.chains[0].links[0].kind = 10;
  expect_refused(builder, "links", "unknown kind of link 10");
}

TEST(DamagedScan, WordsOutsideOfTheirSectionAreRefused) {
  SnapshotBuilder builder = with_words();
  builder.chains[2].links[1].site = 10;
  expect_refused(builder, "links", "10 bytes is outside the holder texts section");
  builder = with_words();
  builder.chains[2].links[1].offset = kMost;
  expect_refused(builder, "links", "outside the holder texts section");
  builder = with_words();
  builder.holder_texts.clear();
  expect_refused(builder, "links", "outside the holder texts section");
}

TEST(DamagedScan, WordsFarLongerThanTheFileAreRefused) {
  SnapshotBuilder builder = with_words();
  builder.holder_texts = std::string(1000, 'x');
  builder.chains[2].links.assign(2000, {number(LinkKind::kScriptGlobal), 1000, 0, 0, 0});
  expect_refused(builder, "links", "longer than the file");
}

TEST(DamagedScan, MoreBlocksThanWereFollowedAreRefused) {
  SnapshotBuilder builder = with_scan();
  builder.chains[0].blocks = 5;
  expect_refused(builder, "chains", "5 of 4 blocks");
  builder = with_scan();
  builder.chains[0].blocks = 0;
  builder.chains[0].sampled_blocks = 0;
  expect_refused(builder, "chains", "0 of 0 blocks");
}

// The file with one record of a section changed.
template <typename Record, typename Change>
std::string changed(SectionId id, Change change) {
  auto sections = with_scan().sections();
  for (test::SectionBytes& section : sections) {
    if (section.id == static_cast<std::uint32_t>(id)) {
      Record record;
      std::memcpy(&record, section.bytes.data(), sizeof(record));
      change(record);
      std::memcpy(section.bytes.data(), &record, sizeof(record));
    }
  }
  return test::encode_file(sections);
}

TEST(DamagedScan, LinksOutsideTheSectionAreRefused) {
  using format::ChainRecord;
  const auto refused = [](auto change) {
    const auto snapshot = read(changed<ChainRecord>(SectionId::kChains, change));
    return !snapshot && snapshot.error().section == "chains" &&
           snapshot.error().what.starts_with("links ");
  };
  EXPECT_TRUE(refused([](ChainRecord& chain) { chain.links_count = 4; }));
  EXPECT_TRUE(refused([](ChainRecord& chain) { chain.links_count = 0; }));
  EXPECT_TRUE(refused([](ChainRecord& chain) { chain.links_begin = 3; }));
  EXPECT_TRUE(refused([](ChainRecord& chain) { chain.links_begin = 0xFFFFFFFF; }));
  EXPECT_TRUE(refused([](ChainRecord& chain) {
    chain.links_begin = 2;
    chain.links_count = 0xFFFFFFFF;
  }));
}

TEST(DamagedScan, TwoScansInOneFileAreRefused) {
  auto sections = with_scan().sections();
  for (test::SectionBytes& section : sections) {
    if (section.id == static_cast<std::uint32_t>(SectionId::kScan)) {
      section.bytes += section.bytes;
    }
  }
  const auto snapshot = read(test::encode_file(sections));
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().what, "2 records, one expected");
}

// --- Recordings

class ScanOfRecording : public testing::Test {
 protected:
  Result<std::vector<model::Recording>> read_all(const std::vector<std::string>& paths) {
    return read_recordings(paths, {});
  }
  model::Recording read() {
    auto recordings = read_all({path_});
    if (!recordings || recordings->size() != 1) {
      ADD_FAILURE() << (recordings ? "not one recording" : recordings.error().message());
      return {};
    }
    return std::move(recordings->front());
  }

  test::TemporaryDirectory directory_;
  const std::string path_ = directory_.file("server.4711");
};

TEST_F(ScanOfRecording, DoesNotJoinTheSeries) {
  with_sites().at(1, 0.5).write_into(path_);
  with_sites().at(2, 1.0).write_into(path_);
  with_scan().at(3, 1.1).write_into(path_);
  const model::Recording recording = read();
  EXPECT_TRUE(recording.skipped.empty());
  EXPECT_EQ(recording.moments.size(), 2U);
  ASSERT_EQ(recording.sites.size(), 2U);
  EXPECT_EQ(recording.sites[0].at.size(), 2U);
  ASSERT_EQ(recording.scans.size(), 1U);
  EXPECT_EQ(recording.scans[0].unreachable.size(), 2U);
  EXPECT_EQ(recording.scans[0].file, path_ + "/scan-000003.seep");
}

TEST_F(ScanOfRecording, OfTheSequenceNumberOfASnapshotIsReadBesideIt) {
  const std::string snapshot = with_sites().at(2, 1.0).write_into(path_);
  const std::string scan = with_scan().at(2, 1.0).write_into(path_);
  const auto recordings = read_all({scan, snapshot});
  ASSERT_TRUE(recordings) << recordings.error().message();
  ASSERT_EQ(recordings->size(), 1U);
  EXPECT_EQ(recordings->front().moments.size(), 1U);
  EXPECT_EQ(recordings->front().scans.size(), 1U);
}

TEST_F(ScanOfRecording, AloneStandsInForASnapshot) {
  const std::string scan = with_scan().at(2, 1.0).write_into(path_);
  for (const std::string& path : {scan, path_}) {
    const auto recordings = read_all({path});
    ASSERT_TRUE(recordings) << recordings.error().message();
    EXPECT_EQ(recordings->front().moments.size(), 1U);
    EXPECT_EQ(recordings->front().moments[0].live_blocks, 9U);
    EXPECT_EQ(recordings->front().scans.size(), 1U);
  }
}

TEST_F(ScanOfRecording, BringsSitesThatWereMadeAfterTheLastSnapshot) {
  with_sites().at(1, 0.5).write_into(path_);
  SnapshotBuilder later = with_scan();
  const auto plugin = later.add_module("/usr/lib/plugin.so");
  later.add_site({.stack = {{plugin, 0x50}}, .live_blocks = 1, .live_bytes = 7});
  later.unreachable.push_back({2, 0, 1, 7, 0, 0});
  later.at(2, 1.0).write_into(path_);
  const model::Recording recording = read();
  ASSERT_EQ(recording.sites.size(), 3U);
  EXPECT_EQ(recording.stacks.nodes.at(recording.sites[2].node).offset, 0x50U);
  ASSERT_EQ(recording.sites[2].at.size(), 1U);
  EXPECT_EQ(recording.sites[2].at[0].live_bytes, 0U);
  ASSERT_EQ(recording.scans[0].unreachable.size(), 3U);
  EXPECT_EQ(recording.scans[0].unreachable[2].site, 2U);
}

// The order of sites, nodes and modules differs: they are found by what they are.
TEST_F(ScanOfRecording, WithOtherNumbersIsMatchedByItsStacks) {
  with_sites().at(1, 0.5).write_into(path_);
  SnapshotBuilder other;
  const auto plugin = other.add_module("/usr/lib/plugin.so");
  const auto server = other.add_module("/usr/bin/server", "\xab\xcd");
  other.add_site({.stack = {{server, 0x40}, {server, 0x20}}, .live_blocks = 5, .live_bytes = 50});
  other.add_site({.stack = {{plugin, 0x50}}, .live_blocks = 1, .live_bytes = 7});
  other.scanned(ScanTime::kExit);
  other.unreachable = {{0, 0, 5, 50, 0, 0}, {1, 0, 1, 7, 0, 0}};
  other.chains = {
      {0,
       1,
       1,
       {{number(LinkKind::kGlobal), 0, server, 0, 0x10}, {number(LinkKind::kBlock), 1, 0, 0, 0}}}};
  other.at(2, 1.0).write_into(path_);
  const model::Recording recording = read();
  ASSERT_EQ(recording.sites.size(), 3U);
  const model::Scan& scan = recording.scans.at(0);
  ASSERT_EQ(scan.unreachable.size(), 2U);
  EXPECT_EQ(scan.unreachable[0].site, 1U);
  EXPECT_EQ(scan.unreachable[0].direct_blocks, 5U);
  EXPECT_EQ(scan.unreachable[1].site, 2U);
  EXPECT_EQ(scan.chains.at(0).site, 1U);
  EXPECT_EQ(scan.links.at(1).site, 2U);
  EXPECT_EQ(recording.stacks.modules.at(scan.links.at(0).module).path, "/usr/bin/server");
  EXPECT_EQ(recording.stacks.nodes.at(recording.sites[2].node).offset, 0x50U);
}

TEST_F(ScanOfRecording, OfAnotherImageIsLeftOut) {
  with_sites().at(1, 0.5).write_into(path_);
  SnapshotBuilder other = with_scan();
  other.process.image = 2;
  other.at(2, 1.0).write_into(path_);
  const model::Recording recording = read();
  EXPECT_TRUE(recording.scans.empty());
  ASSERT_EQ(recording.skipped.size(), 1U);
  EXPECT_NE(recording.skipped[0].find("scan-000002.seep"), std::string::npos);
}

TEST_F(ScanOfRecording, DamagedIsLeftOutAndTheRestIsRead) {
  with_sites().at(1, 0.5).write_into(path_);
  std::string bytes = with_scan().at(2, 1.0).bytes();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  bytes.resize(bytes.size() - 9);
  test::write_file(path_ + "/scan-000002.seep", bytes);
  const model::Recording recording = read();
  EXPECT_TRUE(recording.scans.empty());
  EXPECT_EQ(recording.skipped.size(), 1U);
}

}  // namespace
}  // namespace seep::read
