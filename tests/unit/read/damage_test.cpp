// Damaged and hostile files: every one ends in an error that says where, and never in a crash.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "analyzer/read/container.h"
#include "analyzer/read/read_bytes.h"
#include "format/checksum.h"
#include "tests/support/snapshot_builder.h"

namespace seep::read {
namespace {

using format::SectionId;
using test::SnapshotBuilder;

SnapshotBuilder small_snapshot() {
  SnapshotBuilder builder;
  const auto server = builder.add_module("/usr/bin/server", "\xab\xcd");
  builder.add_site({.stack = {{server, 0x30}, {server, 0x20}},
                    .live_blocks = 3,
                    .live_bytes = 30,
                    .ages = {{0, 1, 10}, {2, 2, 20}}});
  builder.add_site({.stack = {{server, 0x40}, {server, 0x20}}, .live_blocks = 1, .live_bytes = 1});
  return builder;
}

Result<model::Snapshot> read(const std::string& bytes) {
  return read_bytes(Bytes(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

// The name of the part that holds the byte at `offset`; empty between sections.
std::string part_at(const std::string& file, std::size_t offset) {
  if (offset < sizeof(format::FileHeader)) {
    return "header";
  }
  for (std::uint32_t id = 1; id <= static_cast<std::uint32_t>(SectionId::kLosses); ++id) {
    const auto entry = test::find_section(file, static_cast<SectionId>(id));
    if (offset >= entry.offset && offset < entry.offset + entry.bytes) {
      return section_name(id);
    }
  }
  const auto first = test::find_section(file, SectionId::kProcess);
  return offset < first.offset ? "table" : "";
}

TEST(Damage, EveryFlippedByteIsFoundAndItsSectionNamed) {
  const std::string whole = small_snapshot().bytes();
  ASSERT_TRUE(read(whole)) << read(whole).error().message();
  for (const unsigned flip : {0x01U, 0x80U, 0xFFU}) {
    for (std::size_t offset = 0; offset < whole.size(); ++offset) {
      std::string damaged = whole;
      damaged[offset] = static_cast<char>(static_cast<unsigned char>(damaged[offset]) ^ flip);
      const auto snapshot = read(damaged);
      const std::string part = part_at(whole, offset);
      ASSERT_EQ(snapshot.ok(), part.empty()) << "byte " << offset << " of " << part;
      if (!snapshot) {
        ASSERT_EQ(snapshot.error().section, part) << "byte " << offset;
        ASSERT_TRUE(snapshot.error().offset) << "byte " << offset;
        ASSERT_EQ(snapshot.error().kind, ErrorKind::kBadInput);
        ASSERT_FALSE(snapshot.error().advice.empty()) << "byte " << offset;
      }
    }
  }
}

TEST(Damage, EveryCutLengthIsCalledCut) {
  const std::string whole = small_snapshot().bytes();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto snapshot = read(whole.substr(0, length));
    ASSERT_FALSE(snapshot) << length;
    ASSERT_EQ(snapshot.error().what.find("the file is cut: "), 0U) << snapshot.error().what;
  }
}

TEST(Damage, BytesAfterTheEndAreNoted) {
  const auto snapshot = read(small_snapshot().bytes() + "tail");
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().what, "4 bytes follow the end of the snapshot");
}

TEST(Damage, AVersionByteThatDoesNotMatchItsChecksumMayBeEither) {
  std::string damaged = small_snapshot().bytes();
  damaged[offsetof(format::FileHeader, version_major)] = 2;
  const auto snapshot = read(damaged);
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().what, "written by a newer seep, or damaged: version 2." +
                                       std::to_string(format::kVersionMinor) +
                                       ", this one reads 1.x");
}

// --- Files whose checksums are right, but whose content is not.

class HostileContent : public testing::Test {
 protected:
  std::string& bytes_of(SectionId id) { return section(id).bytes; }
  test::SectionBytes& section(SectionId id) {
    return sections_.at(static_cast<std::size_t>(id) - 1);
  }

  // Overwrites the record at `index` after `change` has seen it.
  template <typename Record, typename Change>
  void change(SectionId id, std::size_t index, Change change) {
    Record record;
    char* place = bytes_of(id).data() + index * sizeof(record);
    ASSERT_LE((index + 1) * sizeof(record), bytes_of(id).size());
    std::memcpy(&record, place, sizeof(record));
    change(record);
    std::memcpy(place, &record, sizeof(record));
  }

  void expect_error(const std::string& section, const std::string& what) {
    const auto snapshot = read(test::encode_file(sections_));
    ASSERT_FALSE(snapshot) << "read, but expected: " << what;
    EXPECT_EQ(snapshot.error().section, section);
    EXPECT_EQ(snapshot.error().what, what);
    EXPECT_EQ(snapshot.error().kind, ErrorKind::kBadInput);
  }

  std::vector<test::SectionBytes> sections_ = small_snapshot().sections();
};

TEST_F(HostileContent, AMissingSectionIsNamed) {
  const std::vector<test::SectionBytes> all = sections_;
  for (std::size_t i = 0; i < all.size(); ++i) {
    sections_ = all;
    sections_.erase(sections_.begin() + static_cast<std::ptrdiff_t>(i));
    expect_error(section_name(all[i].id), "is missing");
  }
}

TEST_F(HostileContent, ASectionThatComesTwiceIsNamed) {
  const std::vector<test::SectionBytes> all = sections_;
  for (const test::SectionBytes& section : all) {
    sections_ = all;
    sections_.push_back(section);
    expect_error(section_name(section.id), "comes twice");
  }
}

TEST_F(HostileContent, EntriesShorterThanTheRecordAreRefused) {
  section(SectionId::kSites).entry_bytes = 32;
  expect_error("sites", "entries of 32 bytes in 128, at least 64 expected");
}

TEST_F(HostileContent, APartOfAnEntryIsRefused) {
  bytes_of(SectionId::kNodes).pop_back();
  expect_error("nodes", "entries of 16 bytes in 63, at least 16 expected");
}

TEST_F(HostileContent, EntriesOfNoBytesAreRefused) {
  section(SectionId::kLosses).entry_bytes = 0;
  expect_error("losses", "entries of 0 bytes");
}

TEST_F(HostileContent, MoreThanOneProcessIsRefused) {
  bytes_of(SectionId::kProcess) += bytes_of(SectionId::kProcess);
  expect_error("process", "2 records, one expected");
}

TEST_F(HostileContent, NoAccountingIsRefused) {
  bytes_of(SectionId::kAccounting).clear();
  expect_error("accounting", "0 records, one expected");
}

TEST_F(HostileContent, UnknownEnumValuesAreRefused) {
  change<format::ProcessRecord>(SectionId::kProcess, 0, [](auto& record) { record.end = 4; });
  expect_error("process", "unknown end 4");
  change<format::ProcessRecord>(SectionId::kProcess, 0, [](auto& record) { record.mode = 2; });
  expect_error("process", "unknown mode 2");
  change<format::ProcessRecord>(SectionId::kProcess, 0, [](auto& record) { record.trigger = 11; });
  expect_error("process", "unknown trigger 11");
  sections_ = small_snapshot().sections();
  change<format::SiteRecord>(SectionId::kSites, 1, [](auto& record) { record.kind = 4; });
  expect_error("sites", "site 1 is of unknown kind 4");
}

TEST_F(HostileContent, ATextOutsideTheStringsIsRefused) {
  const auto size = static_cast<std::uint32_t>(bytes_of(SectionId::kStrings).size());
  change<format::ProcessRecord>(SectionId::kProcess, 0, [&](auto& record) {
    record.host = {size - 1, 2};
  });
  expect_error("process", "a text at " + std::to_string(size - 1) +
                              " of 2 bytes is outside the strings section");
  sections_ = small_snapshot().sections();
  change<format::ModuleRecord>(SectionId::kModules, 1, [](auto& record) {
    record.build_id = {0xFFFFFFFF, 0xFFFFFFFF};
  });
  expect_error("modules",
               "a text at 4294967295 of 4294967295 bytes is outside the strings section");
}

TEST_F(HostileContent, TextsSharedByVeryManyRecordsAreRefused) {
  bytes_of(SectionId::kStrings).resize(100'000, 'x');
  format::ModuleRecord module{};
  module.path = {0, 100'000};
  std::string& modules = bytes_of(SectionId::kModules);
  for (int i = 0; i < 1000; ++i) {
    modules.append(reinterpret_cast<const char*>(&module), sizeof(module));
  }
  expect_error("modules", "its texts together are far longer than the file");
}

TEST_F(HostileContent, ACommandOfVeryManyEmptyArgumentsIsRefused) {
  bytes_of(SectionId::kStrings).resize(100'000, '\0');
  change<format::ProcessRecord>(SectionId::kProcess, 0, [](auto& record) {
    record.command = {1000, 90'000};
  });
  expect_error("process", "too many arguments");
}

TEST_F(HostileContent, NoModulesOrTooManyAreRefused) {
  bytes_of(SectionId::kModules).resize(65'537 * sizeof(format::ModuleRecord), '\0');
  expect_error("modules", "65537 modules, 1 to 65535 expected");
  bytes_of(SectionId::kModules).clear();
  expect_error("modules", "0 modules, 1 to 65535 expected");
}

TEST_F(HostileContent, NodesWithoutARootAreRefused) {
  bytes_of(SectionId::kNodes).clear();
  expect_error("nodes", "0 nodes, at least the root expected");
}

TEST_F(HostileContent, AParentThatIsNotBeforeItsChildIsRefused) {
  for (const std::uint32_t parent : {2U, 3U, 0xFFFFFFFFU}) {
    change<format::NodeRecord>(SectionId::kNodes, 2, [&](auto& record) { record.parent = parent; });
    expect_error("nodes",
                 "node 2 has the parent " + std::to_string(parent) + ", a smaller number expected");
  }
}

TEST_F(HostileContent, AFrameInAModuleThatDoesNotExistIsRefused) {
  change<format::NodeRecord>(SectionId::kNodes, 1,
                             [](auto& record) { record.frame = std::uint64_t{65534} << 48; });
  expect_error("nodes", "node 1 is in module 65534 of 2");
}

TEST_F(HostileContent, ASiteAtANodeThatDoesNotExistIsRefused) {
  change<format::SiteRecord>(SectionId::kSites, 1, [](auto& record) { record.node = 4; });
  expect_error("sites", "site 1 is at node 4 of 4");
}

TEST_F(HostileContent, AgesOfASiteThatDoesNotExistAreRefused) {
  change<format::AgeRecord>(SectionId::kAges, 1, [](auto& record) { record.site = 2; });
  expect_error("ages", "ages of site 2 of 2");
}

TEST_F(HostileContent, AnAgeClassThatDoesNotExistIsRefused) {
  change<format::AgeRecord>(SectionId::kAges, 1,
                            [](auto& record) { record.age_class = format::kAgeClasses; });
  expect_error("ages", "age class 32 of 32");
}

TEST_F(HostileContent, AgesOutOfOrderAreRefused) {
  change<format::AgeRecord>(SectionId::kAges, 1, [](auto& record) { record.age_class = 0; });
  expect_error("ages", "ages are not in ascending order");
  change<format::AgeRecord>(SectionId::kAges, 0, [](auto& record) { record.site = 1; });
  expect_error("ages", "ages are not in ascending order");
}

// --- Frames of files with right checksums, but wrong numbers.

void reseal(std::string& file) {
  format::FileHeader header;
  std::memcpy(&header, file.data(), sizeof(header));
  header.header_crc = 0;
  header.header_crc = format::crc32(&header, sizeof(header));
  std::memcpy(file.data(), &header, sizeof(header));
}

template <typename Field>
void set_field(std::string& file, std::size_t offset, Field value) {
  std::memcpy(file.data() + offset, &value, sizeof(value));
  reseal(file);
}

TEST(HostileFrame, ATableBeyondTheEndIsRefused) {
  std::string file = small_snapshot().bytes();
  set_field<std::uint32_t>(file, offsetof(format::FileHeader, section_count), 0xFFFFFFFF);
  const auto snapshot = read(file);
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().message(),
            "seep: section table: 4294967295 sections do not fit into the file (at 0x40): "
            "the file is damaged; copy it again, or leave it out");
}

TEST(HostileFrame, ShortTableEntriesAreRefused) {
  std::string file = small_snapshot().bytes();
  set_field<std::uint32_t>(file, offsetof(format::FileHeader, section_entry_bytes), 8);
  const auto snapshot = read(file);
  ASSERT_FALSE(snapshot);
  EXPECT_EQ(snapshot.error().what, "section table entries of 8 bytes, at least 32 expected");
}

TEST(HostileFrame, ASectionBeyondTheEndIsRefused) {
  const std::string whole = small_snapshot().bytes();
  for (const std::uint64_t offset : {whole.size(), ~std::size_t{0} - 8, ~std::size_t{0}}) {
    std::string file = whole;
    const std::size_t field = sizeof(format::FileHeader) + offsetof(format::SectionEntry, offset);
    std::memcpy(file.data() + field, &offset, sizeof(offset));
    const std::uint32_t crc =
        format::crc32(file.data() + sizeof(format::FileHeader), 8 * sizeof(format::SectionEntry));
    set_field(file, offsetof(format::FileHeader, section_table_crc), crc);
    const auto snapshot = read(file);
    ASSERT_FALSE(snapshot);
    EXPECT_EQ(snapshot.error().section, "process");
    EXPECT_EQ(snapshot.error().what, std::to_string(sizeof(format::ProcessRecord)) +
                                         " bytes reach beyond the end of the file");
  }
}

// --- The same with frames of scripts.

class HostileScripts : public testing::Test {
 protected:
  HostileScripts() {
    SnapshotBuilder builder;
    const auto php = builder.add_module("/usr/bin/php", "\x01");
    const test::Frame run = builder.add_script_frame("Pool::run", "/srv/pool.php", 9);
    builder.add_site({.stack = {run, {php, 0x20}}, .live_blocks = 1, .live_bytes = 1});
    sections_ = builder.sections();
  }

  test::SectionBytes& section(SectionId id) {
    const auto found =
        std::find_if(sections_.begin(), sections_.end(), [id](const test::SectionBytes& section) {
          return section.id == static_cast<std::uint32_t>(id);
        });
    return *found;
  }
  format::ScriptFrameRecord& record() {
    return *reinterpret_cast<format::ScriptFrameRecord*>(
        section(SectionId::kScriptFrames).bytes.data());
  }
  [[nodiscard]] std::string complaint() const {
    const auto snapshot = read(test::encode_file(sections_));
    return snapshot ? "" : snapshot.error().section + ": " + snapshot.error().what;
  }

  std::vector<test::SectionBytes> sections_;
};

TEST_F(HostileScripts, AreReadWhereTheyAreSound) {
  EXPECT_EQ(complaint(), "");
}

TEST_F(HostileScripts, ANodeBeyondTheLastFrameIsAnError) {
  section(SectionId::kScriptFrames).bytes.clear();
  EXPECT_EQ(complaint(), "nodes: node 2 is script frame 0 of 0");
  sections_.pop_back();
  EXPECT_EQ(complaint(), "nodes: node 2 is script frame 0 of 0");
}

TEST_F(HostileScripts, ATextOutsideOfTheStringsIsAnError) {
  record().file.offset = 1U << 30;
  EXPECT_EQ(complaint(),
            "script frames: a text at 1073741824 of 13 bytes is outside the strings section");
}

TEST_F(HostileScripts, TextsThatManyRecordsShareDoNotFillMemory) {
  std::string& bytes = section(SectionId::kScriptFrames).bytes;
  section(SectionId::kStrings).bytes.append(4000, 'x');
  record().function = {0, 4000};
  const std::string one = bytes;
  for (unsigned i = 0; i < 2000; ++i) {
    bytes += one;
  }
  EXPECT_EQ(complaint(), "script frames: its texts together are far longer than the file");
}

TEST_F(HostileScripts, ARecordThatIsCutIsAnError) {
  section(SectionId::kScriptFrames).bytes.pop_back();
  EXPECT_NE(complaint(), "");
}

}  // namespace
}  // namespace seep::read
