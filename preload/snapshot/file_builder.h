// Writes one snapshot file section by section, with checksums, through a buffer of its own.
// Context: IN-AGENT, and the walker: raw system calls only, no thread-local storage.
#pragma once

#include <cstddef>
#include <cstdint>

#include "format/snapshot_format.h"

namespace seep::snapshot {

class FileBuilder {
 public:
  static constexpr std::size_t kBufferBytes = std::size_t{256} << 10;
  static constexpr std::uint32_t kMostSections = 16;

  // `buffer` has kBufferBytes. The file begins empty; room for the header is left.
  FileBuilder(int fd, char* buffer);

  void begin_section(format::SectionId id, std::uint32_t entry_bytes);
  // Copies first and sums up the copy: `data` may change meanwhile, as a node does that another
  // thread is filling.
  void put(const void* data, std::size_t bytes);
  void end_section();
  // Writes what is left, the header and the section table: at once where it all fits the buffer. 0,
  // or the first error of all writes (-errno).
  int finish();

  [[nodiscard]] std::uint64_t bytes_written() const { return position_; }

 private:
  void put_raw(const void* data, std::size_t bytes);
  void sum_up();
  void flush();
  void write_front();

  int fd_;
  int error_ = 0;
  char* buffer_;
  std::size_t used_ = 0;
  std::size_t summed_ = 0;  // of the buffer, within the open section
  bool in_section_ = false;
  std::uint64_t position_ = 0;  // in the file, buffered bytes included
  std::uint32_t section_count_ = 0;
  format::SectionEntry sections_[kMostSections] = {};
};

}  // namespace seep::snapshot
