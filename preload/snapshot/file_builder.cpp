#include "preload/snapshot/file_builder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "format/checksum.h"
#include "preload/runtime/file.h"
#include "preload/runtime/syscall.h"

namespace seep::snapshot {
namespace {

constexpr std::size_t kFrontBytes =
    sizeof(format::FileHeader) + FileBuilder::kMostSections * sizeof(format::SectionEntry);
constexpr char kZeros[format::kSectionAlignment] = {};

}  // namespace

FileBuilder::FileBuilder(int fd, char* buffer) : fd_(fd), buffer_(buffer) {
  memset(buffer_, 0, kFrontBytes);
  used_ = kFrontBytes;
  position_ = kFrontBytes;
}

void FileBuilder::begin_section(format::SectionId id, std::uint32_t entry_bytes) {
  put_raw(kZeros, (format::kSectionAlignment - position_ % format::kSectionAlignment) %
                      format::kSectionAlignment);
  format::SectionEntry& section = sections_[section_count_];
  section = {};
  section.id = static_cast<std::uint32_t>(id);
  section.entry_bytes = entry_bytes;
  section.offset = position_;
  summed_ = used_;
  in_section_ = true;
}

void FileBuilder::put(const void* data, std::size_t bytes) {
  sections_[section_count_].bytes += bytes;
  put_raw(data, bytes);
}

void FileBuilder::end_section() {
  sum_up();
  in_section_ = false;
  ++section_count_;
}

// What stands in the buffer of the open section.
void FileBuilder::sum_up() {
  format::SectionEntry& section = sections_[section_count_];
  section.crc = format::crc32(buffer_ + summed_, used_ - summed_, section.crc);
  summed_ = used_;
}

void FileBuilder::put_raw(const void* data, std::size_t bytes) {
  const auto* from = static_cast<const char*>(data);
  position_ += bytes;
  while (bytes != 0) {
    const std::size_t room = kBufferBytes - used_;
    const std::size_t part = bytes < room ? bytes : room;
    memcpy(buffer_ + used_, from, part);
    used_ += part;
    from += part;
    bytes -= part;
    if (used_ == kBufferBytes) {
      flush();
    }
  }
}

void FileBuilder::flush() {
  if (in_section_) {
    sum_up();
  }
  const int error = runtime::write_all(fd_, buffer_, used_);
  error_ = error_ == 0 ? error : error_;
  used_ = 0;
  summed_ = 0;
}

int FileBuilder::finish() {
  const bool front_is_buffered = used_ == position_;
  if (!front_is_buffered) {
    flush();
    if (error_ == 0 && runtime::raw_syscall(__NR_lseek, fd_, 0, SEEK_SET) != 0) {
      error_ = -EIO;
    }
    used_ = kFrontBytes;
  }
  write_front();
  flush();
  return error_;
}

// At the beginning of the buffer.
void FileBuilder::write_front() {
  format::FileHeader header{};
  memcpy(header.magic, format::kMagic, sizeof(header.magic));
  header.version_major = format::kVersionMajor;
  header.version_minor = format::kVersionMinor;
  header.header_bytes = sizeof(header);
  header.section_count = section_count_;
  header.section_entry_bytes = sizeof(format::SectionEntry);
  header.file_bytes = position_;
  header.section_table_crc =
      format::crc32(sections_, section_count_ * sizeof(format::SectionEntry));
  header.header_crc = format::crc32(&header, sizeof(header));
  memcpy(buffer_, &header, sizeof(header));
  memcpy(buffer_ + sizeof(header), sections_, section_count_ * sizeof(format::SectionEntry));
}

}  // namespace seep::snapshot
