// What the program headers of a mapped ELF file say about its place, its unwind tables and its
// build-id. Section headers are not needed: they are not mapped, and may be missing.
// Context: IN-HOOK (slow path). Reads the file's memory through read_own_memory, so that another
// thread's dlclose cannot fault it. Plain values; nothing is kept.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/stack/cfi.h"

namespace seep::stack {

inline constexpr std::size_t kMaxBuildId = 64;

struct ElfImage {
  std::uint64_t bias;   // run-time address minus ELF virtual address
  std::uint64_t begin;  // first byte of the first segment, rounded down to its page
  std::uint64_t end;    // one past the last segment
  UnwindTables tables;
  std::uint8_t header_copy[kHeaderBytes];  // first bytes of .eh_frame_hdr, zero without one
  std::uint8_t build_id[kMaxBuildId];
  std::size_t build_id_bytes;  // 0: the file has none
};

// Room that read_elf_image works in; too large for the stack of a program.
struct ElfScratch {
  static constexpr std::size_t kPageBytes = 4096;
  static constexpr unsigned kMaxSegments = 16;

  std::uint8_t headers[kPageBytes];  // the start of the file
  std::uint8_t notes[kPageBytes];
  ByteRange segments[kMaxSegments];  // readable ones, run-time addresses
  unsigned segment_count;
  ByteRange code[kMaxSegments];  // executable ones, run-time addresses
  unsigned code_count;
};

// `base` is where offset 0 of the file is mapped. False when no 64-bit x86-64 ELF file is there.
bool read_elf_image(std::uint64_t base, ElfScratch& scratch, ElfImage& image);

}  // namespace seep::stack
