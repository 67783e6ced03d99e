// What is mapped in this copy of the process, and which of its pages the program has written.
// Context: IN-FORK-CHILD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "preload/runtime/arena.h"
#include "preload/scan/pages.h"

namespace seep::scan {

enum class MappingKind : std::uint8_t {
  kAnonymous,     // private, or written by the program: a copy of nobody's file
  kHeap,          // "[heap]": what brk made
  kFile,          // private, of a file: pages that were never written are those of the file
  kSharedMemory,  // shared with other processes, of no file on a disk
  kNothing,       // never read: shared files, devices, the kernel's own, our own
};

struct Mapping {
  std::uintptr_t begin;
  std::uintptr_t end;
  MappingKind kind;
  bool readable;
  bool main_stack;
};

class MemoryMap {
 public:
  MemoryMap() = default;
  ~MemoryMap();
  MemoryMap(const MemoryMap&) = delete;
  MemoryMap& operator=(const MemoryMap&) = delete;

  // Reads /proc/self/maps; false when it cannot be read or is too long.
  bool read();
  [[nodiscard]] const Pages<Mapping>& mappings() const { return mappings_; }
  // The mapping that holds `address`, or null.
  [[nodiscard]] const Mapping* find(std::uintptr_t address) const;

  // Calls visit(begin, end) for the pieces of [begin, end) that can be read and may hold what the
  // program stored: of private memory the pages that were ever written, of shared memory those that
  // are there. Other pages hold zeros, or what a file held.
  template <typename Visit>
  void visit_written(std::uintptr_t begin, std::uintptr_t end, Visit&& visit);
  // The same for a block of the heap: short ones are given as they are, unless they lie where
  // something cannot be read.
  template <typename Visit>
  void visit_block(std::uintptr_t begin, std::uintptr_t end, Visit&& visit) {
    if (end - begin < kShortBytes && !is_near_hole(begin, end)) [[likely]] {
      visit(begin, end);
    } else {
      visit_written(begin, end, visit);
    }
  }
  // Which unreadable mappings can lie in the heap: those between its first and last block.
  void note_holes(std::uintptr_t low, std::uintptr_t high);

 private:
  static constexpr std::size_t kMostMappings = std::size_t{1} << 18;
  static constexpr std::size_t kShortBytes = std::size_t{128} << 10;
  static constexpr std::size_t kPagesPerLook = 512;

  struct OwnMemory {  // of runtime/arena.h, ascending
    runtime::MemoryRange* begin;
    runtime::MemoryRange* end;
  };
  bool add(Mapping mapping, const OwnMemory& own);
  [[nodiscard]] bool is_near_hole(std::uintptr_t begin, std::uintptr_t end);
  [[nodiscard]] std::size_t first_ending_after(std::uintptr_t address) const;
  // Fills written_ for pages from `begin` on; how many of them are known. 0: nothing is.
  std::size_t look_at_pages(const Mapping& mapping, std::uintptr_t begin, std::uintptr_t end);
  // The part of [at, stop) that one look answers for: all of it when nothing is known. Where it
  // ends.
  template <typename Visit>
  std::uintptr_t visit_looked_at(const Mapping& mapping, std::uintptr_t at, std::uintptr_t stop,
                                 Visit& visit);
  std::size_t look_at_private(const Mapping& mapping, std::uintptr_t begin, std::size_t pages);
  std::size_t look_at_shared(std::uintptr_t begin, std::size_t pages);

  Pages<Mapping> mappings_;         // ascending
  Pages<Mapping> holes_;            // ascending
  std::uintptr_t clear_begin_ = 0;  // between two holes
  std::uintptr_t clear_end_ = 0;
  int page_map_ = -1;
  bool written_[kPagesPerLook] = {};
  std::uint64_t page_words_[kPagesPerLook] = {};
};

template <typename Visit>
void MemoryMap::visit_written(std::uintptr_t begin, std::uintptr_t end, Visit&& visit) {
  for (std::size_t m = first_ending_after(begin); m < mappings_.size() && mappings_[m].begin < end;
       ++m) {
    const Mapping& mapping = mappings_[m];
    if (!mapping.readable || mapping.kind == MappingKind::kNothing) {
      continue;
    }
    std::uintptr_t at = begin > mapping.begin ? begin : mapping.begin;
    const std::uintptr_t stop = end < mapping.end ? end : mapping.end;
    while (at < stop) {
      at = visit_looked_at(mapping, at, stop, visit);
    }
  }
}

template <typename Visit>
std::uintptr_t MemoryMap::visit_looked_at(const Mapping& mapping, std::uintptr_t at,
                                          std::uintptr_t stop, Visit& visit) {
  const std::size_t known = look_at_pages(mapping, at, stop);
  if (known == 0) {
    visit(at, stop);
    return stop;
  }
  for (std::size_t page = 0; page < known; ++page) {
    const std::uintptr_t page_end = (at | (runtime::kPageBytes - 1)) + 1;
    if (written_[page]) {
      visit(at, page_end < stop ? page_end : stop);
    }
    at = page_end;
  }
  return at;
}

}  // namespace seep::scan
