// Gives modules their ids and keeps one Load for each place of a module.
// Context: IN-HOOK (slow path), any thread. Lock-free and append-only: see modules.h, which is what
// other folders include.
#pragma once

#include <cstdint>
#include <string_view>

#include "preload/stack/modules.h"

namespace seep::stack {

// What /proc/self/maps and the program headers say about one mapped file.
struct MappedFile {
  std::string_view path;  // as the kernel writes it
  std::uint64_t inode;    // 0: not known
  std::uint64_t code_begin;
  const ElfImage& image;
};

// The Load for that file at that place, the same one for the same file. Null when the table of
// modules or the memory is full.
const Load* intern_load(const MappedFile& file);

}  // namespace seep::stack
