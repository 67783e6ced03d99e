// Line tables of CPython's code objects: which line an instruction is of.
// Context: IN-HOOK. Pure: bytes in, line out; reads what the source gives, and at most
// kMostTableBytes of it. No table makes it loop or read elsewhere.
//
// Each entry covers the instructions that follow those of the entry before it:
//
//   lnotab (up to 3.9)      | bytes of code: u8 | line: s8 |   the line holds from behind the bytes
//   ranges (3.10)           | bytes of code: u8 | line: s8 |   for these bytes; -128: no line
//   locations (from 3.11)   | 1 kind:4 length-1:3 | varint … |  length in code units of 2 bytes
//
// The first is described in CPython's Objects/lnotab_notes.txt, the second in PEP 626, the third in
// Objects/locations.md (now InternalDocs/code_objects.md).
#pragma once

#include <cstddef>
#include <cstdint>

namespace seep::script {

enum class LineTableKind : std::uint8_t { kLnotab, kRanges, kLocations };

// Gives the table's bytes in order.
class TableBytes {
 public:
  // Copies up to `capacity` bytes that stand at `at` of the table into `to`; how many, 0 where none
  // can be read.
  using Read = std::size_t (*)(void* context, std::size_t at, std::uint8_t* to,
                               std::size_t capacity);
  TableBytes(Read read, void* context) : read_(read), context_(context) {}

  // False at the end, after kMostTableBytes, and where nothing can be read.
  bool take(std::uint8_t& byte);
  // The same, and the byte is not taken.
  bool peek(std::uint8_t& byte);

 private:
  bool refill();

  Read read_;
  void* context_;
  std::size_t at_ = 0;  // of the table: where the next piece begins
  std::uint8_t piece_[128];
  std::size_t used_ = 0;
  std::size_t filled_ = 0;
};

// A function of 100,000 lines has less.
inline constexpr std::size_t kMostTableBytes = std::size_t{1} << 20;

// The line of the instruction at byte `address` of the code, whose first line is `first_line`;
// `first_line` for a negative address: the function is just being entered. 0: no line.
std::uint32_t line_of(LineTableKind kind, TableBytes& bytes, std::uint32_t first_line,
                      std::int64_t address);

}  // namespace seep::script
