// The file and its sums, whatever the size and whatever happens to the data meanwhile.
#include "preload/snapshot/file_builder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <vector>

#include "format/checksum.h"

namespace seep::snapshot {
namespace {

constexpr format::SectionId kFirst = format::SectionId::kNodes;
constexpr format::SectionId kSecond = format::SectionId::kSites;

class FileBuilding : public testing::Test {
 protected:
  FileBuilding() : fd_(memfd_create("snapshot", MFD_CLOEXEC)) {}
  ~FileBuilding() override { close(fd_); }

  [[nodiscard]] std::string file() const {
    std::string bytes(static_cast<std::size_t>(lseek(fd_, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return bytes;
  }

  static void fill(char* data, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) {
      data[i] = static_cast<char>(i * 31 + i / 256);
    }
  }

  static format::SectionEntry section(const std::string& file, std::size_t index) {
    format::SectionEntry entry;
    std::memcpy(&entry, file.data() + sizeof(format::FileHeader) + index * sizeof(entry),
                sizeof(entry));
    return entry;
  }

  static void expect_sum(const std::string& file, std::size_t index) {
    const format::SectionEntry entry = section(file, index);
    ASSERT_LE(entry.offset + entry.bytes, file.size());
    EXPECT_EQ(entry.crc, format::crc32(file.data() + entry.offset, entry.bytes)) << index;
  }

  int fd_;
  std::vector<char> buffer_ = std::vector<char>(FileBuilder::kBufferBytes);
};

TEST_F(FileBuilding, SumsUpSectionsOfEverySize) {
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{3}, FileBuilder::kBufferBytes - 600,
                                  3 * FileBuilder::kBufferBytes + 5}) {
    ASSERT_EQ(ftruncate(fd_, 0), 0);
    ASSERT_EQ(lseek(fd_, 0, SEEK_SET), 0);
    std::string data(bytes, '\0');
    fill(data.data(), bytes);
    FileBuilder builder(fd_, buffer_.data());
    for (const format::SectionId id : {kFirst, kSecond}) {
      builder.begin_section(id, 1);
      builder.put(data.data(), data.size() / 2);
      builder.put(data.data() + data.size() / 2, data.size() - data.size() / 2);
      builder.end_section();
    }
    ASSERT_EQ(builder.finish(), 0);
    const std::string written = file();
    EXPECT_EQ(written.size(), builder.bytes_written());
    for (const std::size_t index : {0, 1}) {
      const format::SectionEntry entry = section(written, index);
      EXPECT_EQ(written.substr(entry.offset, entry.bytes), data);
      expect_sum(written, index);
    }
  }
}

// The data lies in the file itself, so that writing the first part changes what follows: as when
// another thread fills a record while it is put.
TEST_F(FileBuilding, SumsUpWhatItWroteOfDataThatChanges) {
  constexpr std::size_t kBytes = FileBuilder::kBufferBytes + 4096;
  ASSERT_EQ(ftruncate(fd_, 2 * kBytes), 0);
  void* mapped = mmap(nullptr, 2 * kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  auto* data = static_cast<char*>(mapped);
  fill(data, 2 * kBytes);
  FileBuilder builder(fd_, buffer_.data());
  builder.begin_section(kFirst, 1);
  builder.put(data, kBytes);
  builder.put("end", 3);
  builder.end_section();
  ASSERT_EQ(builder.finish(), 0);
  expect_sum(file(), 0);
  munmap(mapped, 2 * kBytes);
}

}  // namespace
}  // namespace seep::snapshot
