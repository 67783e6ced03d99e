// Reads /proc/self/maps line by line.
// Context: IN-HOOK (slow path), IN-AGENT. Raw system calls and a buffer of the caller's; a reader
// belongs to one thread. The list is no snapshot: mappings may change between reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace seep::stack {

// One mapping.
struct MapsLine {
  std::uint64_t begin;
  std::uint64_t end;
  std::uint64_t offset;  // in the file
  std::uint64_t inode;   // 0: no file
  bool readable;
  bool writable;
  bool shared;
  bool executable;
  std::string_view path;  // as the kernel writes it; empty for anonymous memory
};

// Takes one line apart, without its newline. False when it is none.
bool parse_maps_line(std::string_view text, MapsLine& line);

// Longer than any line: a path of 4,096 bytes, each newline of it escaped by four.
inline constexpr std::size_t kMapsBufferBytes = std::size_t{32} * 1024;

class MapsReader {
 public:
  // `buffer` has kMapsBufferBytes and is the reader's while it lives.
  explicit MapsReader(char* buffer);
  ~MapsReader();
  MapsReader(const MapsReader&) = delete;
  MapsReader& operator=(const MapsReader&) = delete;

  // The next mapping, ascending; its path is good until the next call. False at the end.
  bool next(MapsLine& line);
  // True when the end came by an error instead.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  bool next_text(std::string_view& text);
  void fill();

  int fd_;
  char* buffer_;
  std::size_t begin_ = 0;  // of the text not yet given out
  std::size_t end_ = 0;
  bool at_end_ = false;
  bool failed_ = false;
};

}  // namespace seep::stack
