// The part of roots.h that is about the allocator's own memory, which is no root: lists of free
// chunks point into the live blocks before them, and free chunks hold what was in them last.
//
// libc's allocator: the main arena lies in libc's data and its memory comes from brk; other arenas
// lie at the beginning of heaps of their own, at multiples of 64 MB; a large block is a mapping, of
// which nothing is ever free. Of other allocators nothing is known: between the first and the last
// page of a mapping in which there ever was a block, all is taken for theirs.
#include "preload/scan/roots.h"

namespace seep::scan {
namespace {

constexpr std::uintptr_t kArenaAlignment = std::uintptr_t{64} << 20;

// struct malloc_state, from glibc 2.27 on: what stands before and behind its bins.
constexpr std::size_t kBinWords = 254;
constexpr std::size_t kBeforeBins = 112;
constexpr std::size_t kBehindBins = 64;
constexpr unsigned kFewestEmptyBins = 64;

// At the beginning of each heap of an arena.
struct ArenaHeap {
  std::uintptr_t arena;
  std::uintptr_t before;  // the heap before this one of the same arena
  std::uint64_t bytes;
};

std::uint64_t word_at(std::uintptr_t address) {
  return *reinterpret_cast<const std::uint64_t*>(address);
}

// An empty bin is a list whose head points to itself, as if it were a chunk.
bool is_empty_bin(std::uintptr_t at) {
  return word_at(at) == at - 16 && word_at(at + 8) == at - 16;
}

bool is_arena_heap(const ArenaHeap& heap, std::uintptr_t at, std::uintptr_t end) {
  const std::uintptr_t arena_heap = heap.arena & ~(kArenaAlignment - 1);
  const bool is_first = heap.before == 0 && arena_heap == at;
  const bool is_next = heap.before != 0 && heap.before % kArenaAlignment == 0;
  return heap.arena - arena_heap < 256 && (is_first || is_next) && heap.bytes != 0 &&
         heap.bytes % runtime::kPageBytes == 0 && heap.bytes <= kArenaAlignment &&
         at + heap.bytes <= end;
}

}  // namespace

// The last bin is never used, and most others are empty: that is how the bins are found.
bool RootFinder::exclude_main_arena(std::uintptr_t begin, std::uintptr_t end) {
  std::uintptr_t last = 0;
  std::uintptr_t first = 0;
  unsigned empty = 0;
  memory_.visit_written(begin, end, [&](std::uintptr_t from, std::uintptr_t to) {
    const std::uintptr_t stop = to < end - 16 ? to : end - 16;
    for (std::uintptr_t at = from; at < stop; at += 8) {
      const bool fits = first == 0 || at - first < kBinWords * 8;
      if (fits && is_readable(at, at + 16) && is_empty_bin(at)) {
        first = first == 0 ? at : first;
        last = at;
        ++empty;
      }
    }
  });
  if (empty < kFewestEmptyBins) {
    return true;
  }
  const std::uintptr_t bins = last - (kBinWords - 2) * 8;
  return areas_.list(AreaMap::kExcluded)
      .exclude(bins - kBeforeBins, bins + kBinWords * 8 + kBehindBins);
}

bool RootFinder::add_allocator() {
  if (!question_.knows_all_blocks) {
    return true;
  }
  for (const Mapping& mapping : memory_.mappings()) {
    const bool is_heap = mapping.kind == MappingKind::kHeap;
    if (!mapping.readable || (!is_heap && mapping.kind != MappingKind::kAnonymous)) {
      continue;
    }
    const bool done = !question_.libc_allocator ? add_pages_with_blocks(mapping)
                      : is_heap
                          ? areas_.list(AreaMap::kAllocator).exclude(mapping.begin, mapping.end)
                          : add_arenas(mapping);
    if (!done) {
      return false;
    }
  }
  return true;
}

bool RootFinder::add_arenas(const Mapping& mapping) {
  std::uintptr_t at = (mapping.begin + kArenaAlignment - 1) & ~(kArenaAlignment - 1);
  for (; at < mapping.end; at += kArenaAlignment) {
    const ArenaHeap heap{word_at(at), word_at(at + 8), word_at(at + 16)};
    if (is_arena_heap(heap, at, mapping.end) &&
        !areas_.list(AreaMap::kAllocator).exclude(at, at + heap.bytes)) {
      return false;
    }
  }
  return true;
}

bool RootFinder::add_pages_with_blocks(const Mapping& mapping) {
  std::uintptr_t first = 0;
  std::uintptr_t last = 0;
  for (std::uintptr_t page = mapping.begin; page < mapping.end; page += runtime::kPageBytes) {
    if (question_.blocks->had_block_near(page)) {
      first = first == 0 ? page : first;
      last = page;
    }
  }
  return first == 0 || areas_.list(AreaMap::kAllocator).exclude(first, last + runtime::kPageBytes);
}

}  // namespace seep::scan
