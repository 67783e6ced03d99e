// Finds the block that an address lies in, and remembers which blocks have been met; the same for
// objects of pools. Context: IN-FORK-CHILD. Nobody else changes the table of blocks meanwhile.
//
// The address table finds a block by its first byte. Here each page of the heap has two rows of
// bits, one a granule of 16 bytes: where blocks begin, and which of those are marked. The block
// that an address lies in is the one that begins last at or below it; its size decides. Where none
// begins below it in the page, `spans` tells the one that reaches into it from a page before. Sizes
// and sites stand in the order of addresses, so that the bits before a block tell its place.
//
//   regions_[address >> 30] -> Region { pages[page], places[page], spans[page] }   2.2 % of the
//   heap infos_[place + bits]                                                       8 bytes a block
//
// Objects begin at multiples of 8, so their granules are half as large.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "preload/scan/node_info.h"
#include "preload/scan/pages.h"
#include "preload/table/address_table.h"
#include "preload/table/pool_table.h"

namespace seep::scan {

inline constexpr unsigned kAddressBits = 47;

// At least one byte: a pointer to an empty block holds it. What a program says of its own objects
// may be any size: it ends with the addresses.
inline std::uint64_t bytes_of(const table::Block& block) {
  const std::uint64_t room = (std::uint64_t{1} << kAddressBits) - block.address;
  const std::uint64_t bytes = block.size < room ? block.size : room;
  return bytes == 0 ? 1 : bytes;
}

inline bool holds(const table::Block& block, std::uint64_t address) {
  return address - block.address < bytes_of(block);
}

template <typename Table, unsigned kGranuleShift>
class HeapIndex {
 public:
  explicit HeapIndex(Table& blocks) : blocks_(blocks) {}
  ~HeapIndex();
  HeapIndex(const HeapIndex&) = delete;
  HeapIndex& operator=(const HeapIndex&) = delete;

  // False when the kernel has no memory. To be called once, before all else.
  bool map();
  // Enters a block; in the order of their pages. False when the kernel has no memory. Of two at the
  // same place the first one stays.
  bool add(const table::Block& block);

  // Whether `address` can lie in a block at all: one comparison.
  [[nodiscard]] bool is_near(std::uint64_t address) const { return address - low_ < high_ - low_; }
  // Has the processor fetch what find_start(address) will read. Only where is_near().
  void prefetch(std::uint64_t address) const;
  // Some hundreds of instructions later: the first byte of the block that `address` may lie in, if
  // that is not marked yet, else 0. Has the processor fetch what is known of that block.
  [[nodiscard]] std::uintptr_t find_unmarked(std::uint64_t address) const;
  // The first byte of the only block that `address` may lie in; 0: in none. Only where is_near().
  [[nodiscard]] std::uintptr_t find_start(std::uint64_t address) const;
  // Whether `address` is the first byte of a block. Only where is_near().
  [[nodiscard]] bool begins_at(std::uintptr_t address) const;
  // The block that holds `address`; false when there is none.
  bool find(std::uint64_t address, table::Block& block) const;
  // What is known of the block that begins at `start`, and all that the table says of it; false
  // when there is none.
  [[nodiscard]] const NodeInfo& info_of(std::uintptr_t start) const {
    return infos_[place_of(start)];
  }
  bool look_up(std::uintptr_t start, table::Block& block) const {
    return blocks_.look_up(start, block);
  }
  // Its bytes, at least one.
  [[nodiscard]] std::uint64_t extent_of(std::uintptr_t start, const NodeInfo& info) const;

  // Marks, for the first byte of a block. mark() tells whether it was not marked before.
  [[nodiscard]] bool is_marked(std::uintptr_t start) const;
  bool mark(std::uintptr_t start);
  // Marks a block and what pages it covers from end to end: arenas are full of pointers into
  // themselves and each other, and is_settled() drops these by a bit that is in the cache.
  void settle(std::uintptr_t start, std::uint64_t bytes);
  // Whether `address` lies in a page that one marked block covers. Only where is_near().
  [[nodiscard]] bool is_settled(std::uint64_t address) const {
    const Region* region = region_of(address);
    return region != nullptr &&
           (region->settled[page_in_region(address) / 64] & bit_of_page(address)) != 0;
  }

  // For blocks that objects lie in: whether `start` may be the first byte of one that was noted.
  void note_arena(std::uintptr_t start) {
    region_of(start)->arenas[page_in_region(start) / 64] |= bit_of_page(start);
  }
  [[nodiscard]] bool may_be_arena(std::uintptr_t start) const {
    return (region_of(start)->arenas[page_in_region(start) / 64] & bit_of_page(start)) != 0;
  }

  // Calls visit(first byte) for each block that is marked (or not), ascending, until it returns
  // false.
  template <typename Visit>
  void visit_blocks(bool marked, Visit&& visit) const;

  // The address behind the block that reaches into the page of `address` from one before, or the
  // beginning of that page. `address` is the first byte of a page.
  [[nodiscard]] std::uintptr_t end_of_span(std::uintptr_t address) const;
  // Calls visit(begin, end) for each piece of [begin, end) that no block covers.
  template <typename Visit>
  void visit_uncovered(std::uintptr_t begin, std::uintptr_t end, Visit&& visit) const;
  // Calls visit(first byte, bytes) for each that begins in [begin, end), ascending.
  template <typename Visit>
  void visit_within(std::uintptr_t begin, std::uintptr_t end, Visit&& visit) const;
  // Where all of them lie: between these two. Equal: there is none.
  [[nodiscard]] std::uintptr_t low() const { return low_; }
  [[nodiscard]] std::uintptr_t high() const { return high_; }

 private:
  static constexpr unsigned kRegionShift = 30;
  static constexpr unsigned kPageShift = 12;
  static constexpr std::size_t kRegions = std::size_t{1} << (kAddressBits - kRegionShift);
  static constexpr std::size_t kPagesPerRegion = std::size_t{1} << (kRegionShift - kPageShift);
  static constexpr std::size_t kGroupPages = 64;
  // Larger blocks stand in a list: their pages would be many, and they are few.
  static constexpr std::uint64_t kLargeBytes = std::uint64_t{64} << 20;
  static constexpr std::size_t kMostLarge = 4096;
  static constexpr unsigned kPiecesOfLargeHeap = 32;  // 64 MB: its pages take one of 2 MB here
  static constexpr unsigned kGranules = 1U << (kPageShift - kGranuleShift);
  static constexpr unsigned kWords = kGranules / 64;

  struct alignas(64) HeapPage {
    std::uint64_t starts[kWords];
    std::uint64_t marked[kWords];
  };
  struct Region {
    HeapPage pages[kPagesPerRegion];
    std::uint32_t places[kPagesPerRegion][kWords];  // in infos_, of the first of 64 granules
    std::uintptr_t spans[kPagesPerRegion];
    std::uint64_t touched[kPagesPerRegion / kGroupPages / 64];  // groups of pages with blocks
    std::uint64_t settled[kPagesPerRegion / 64];                // pages that a marked block covers
    std::uint64_t arenas[kPagesPerRegion / 64];                 // pages that an arena begins in
  };
  struct Large {
    std::uintptr_t begin;
    std::uintptr_t end;
  };

  static std::size_t page_in_region(std::uint64_t address) {
    return address >> kPageShift & (kPagesPerRegion - 1);
  }
  static std::uint64_t bit_of_page(std::uint64_t address) {
    return std::uint64_t{1} << (page_in_region(address) % 64);
  }
  static unsigned granule_of(std::uint64_t address) {
    return static_cast<unsigned>(address >> kGranuleShift) & (kGranules - 1);
  }
  Region* make_region(std::uint64_t address);
  [[nodiscard]] Region* region_of(std::uint64_t address) const {
    return regions_[address >> kRegionShift];
  }
  bool add_info(Region& region, const table::Block& block);
  bool add_span(const table::Block& block);
  [[nodiscard]] std::uintptr_t find_large(std::uint64_t address) const;
  // Calls visit(address, is marked) for each start in the page until it says false; then false.
  template <typename Visit>
  static bool visit_starts(const HeapPage& page, std::uintptr_t page_begin, Visit&& visit);
  static std::uintptr_t last_start(const HeapPage& page, std::uint64_t address);
  [[nodiscard]] std::size_t place_of(std::uintptr_t start) const;

  Table& blocks_;
  Pages<Region*> regions_;
  Pages<std::uint32_t> regions_in_use_;  // ascending
  Pages<Large> large_;                   // ascending
  NodeInfos infos_;
  std::uint64_t low_ = UINT64_MAX;
  std::uint64_t high_ = UINT64_MAX;  // equal: nothing is near
};

using BlockIndex = HeapIndex<table::AddressTable, 4>;
using ObjectIndex = HeapIndex<table::PoolTable, 3>;

// What each word of the heap may run through stands here.

template <typename Table, unsigned kGranuleShift>
inline void HeapIndex<Table, kGranuleShift>::prefetch(std::uint64_t address) const {
  if (const Region* region = region_of(address); region != nullptr) {
    __builtin_prefetch(&region->pages[page_in_region(address)]);
    __builtin_prefetch(&region->places[page_in_region(address)]);
  }
}

// The processors that seep runs on need not have an instruction for it.
inline unsigned count_bits(std::uint64_t bits) {
  bits -= bits >> 1 & 0x5555555555555555ULL;
  bits = (bits & 0x3333333333333333ULL) + (bits >> 2 & 0x3333333333333333ULL);
  bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0FULL;
  return static_cast<unsigned>(bits * 0x0101010101010101ULL >> 56);
}

template <typename Table, unsigned kGranuleShift>
inline std::size_t HeapIndex<Table, kGranuleShift>::place_of(std::uintptr_t start) const {
  const Region* region = region_of(start);
  const std::size_t p = page_in_region(start);
  const unsigned granule = granule_of(start);
  const std::uint64_t before = (std::uint64_t{1} << (granule % 64)) - 1;
  return region->places[p][granule / 64] +
         count_bits(region->pages[p].starts[granule / 64] & before);
}

template <typename Table, unsigned kGranuleShift>
inline std::uint64_t HeapIndex<Table, kGranuleShift>::extent_of(std::uintptr_t start,
                                                                const NodeInfo& info) const {
  const std::uint64_t size = info.size();
  table::Block block;
  if (size == NodeInfo::kUnknownSize && blocks_.look_up(start, block)) [[unlikely]] {
    return bytes_of(block);
  }
  return size == 0 ? 1 : size;
}

// The block that begins last at or below `address` in its page; 0: none.
template <typename Table, unsigned kGranuleShift>
inline std::uintptr_t HeapIndex<Table, kGranuleShift>::last_start(const HeapPage& page,
                                                                  std::uint64_t address) {
  const unsigned granule = granule_of(address);
  unsigned w = granule / 64;
  std::uint64_t bits = page.starts[w] & (~std::uint64_t{0} >> (63 - granule % 64));
  while (bits == 0 && w > 0) {
    bits = page.starts[--w];
  }
  if (bits == 0) {
    return 0;
  }
  const unsigned found = w * 64 + 63 - static_cast<unsigned>(std::countl_zero(bits));
  return (address & ~(runtime::kPageBytes - 1)) | std::uintptr_t{found} << kGranuleShift;
}

template <typename Table, unsigned kGranuleShift>
inline std::uintptr_t HeapIndex<Table, kGranuleShift>::find_start(std::uint64_t address) const {
  if (const Region* region = region_of(address); region != nullptr) {
    const std::size_t p = page_in_region(address);
    if (const std::uintptr_t start = last_start(region->pages[p], address); start != 0) {
      return start;
    }
    if (region->spans[p] != 0) {
      return region->spans[p];
    }
  }
  return large_.size() == 0 ? 0 : find_large(address);
}

template <typename Table, unsigned kGranuleShift>
inline bool HeapIndex<Table, kGranuleShift>::is_marked(std::uintptr_t start) const {
  const HeapPage& page = region_of(start)->pages[page_in_region(start)];
  const unsigned granule = granule_of(start);
  return (page.marked[granule / 64] >> (granule % 64) & 1) != 0;
}

template <typename Table, unsigned kGranuleShift>
inline bool HeapIndex<Table, kGranuleShift>::begins_at(std::uintptr_t address) const {
  const Region* region = region_of(address);
  const unsigned granule = granule_of(address);
  return region != nullptr && address % (1U << kGranuleShift) == 0 &&
         (region->pages[page_in_region(address)].starts[granule / 64] >> (granule % 64) & 1) != 0;
}

template <typename Table, unsigned kGranuleShift>
inline std::uintptr_t HeapIndex<Table, kGranuleShift>::find_unmarked(std::uint64_t address) const {
  const std::uintptr_t start = find_start(address);
  if (start == 0 || is_marked(start)) {
    return 0;
  }
  __builtin_prefetch(&info_of(start));
  return start;
}

template <typename Table, unsigned kGranuleShift>
template <typename Visit>
void HeapIndex<Table, kGranuleShift>::visit_blocks(bool marked, Visit&& visit) const {
  for (const std::size_t r : regions_in_use_) {
    const Region* region = regions_[r];
    for (std::size_t p = 0; p < kPagesPerRegion; ++p) {
      const std::size_t group = p / kGroupPages;
      if (p % kGroupPages == 0 && (region->touched[group / 64] >> (group % 64) & 1) == 0) {
        p += kGroupPages - 1;
        continue;
      }
      const HeapPage& page = region->pages[p];
      const std::uintptr_t page_begin = r << kRegionShift | p << kPageShift;
      const bool go_on = visit_starts(page, page_begin, [&](std::uintptr_t start, bool is_marked) {
        return is_marked != marked || visit(start);
      });
      if (!go_on) {
        return;
      }
    }
  }
}

template <typename Table, unsigned kGranuleShift>
template <typename Visit>
bool HeapIndex<Table, kGranuleShift>::visit_starts(const HeapPage& page, std::uintptr_t page_begin,
                                                   Visit&& visit) {
  for (unsigned w = 0; w < kWords; ++w) {
    for (std::uint64_t bits = page.starts[w]; bits != 0; bits &= bits - 1) {
      const auto bit = static_cast<unsigned>(std::countr_zero(bits));
      const bool is_marked = (page.marked[w] >> bit & 1) != 0;
      if (!visit(page_begin | std::uintptr_t{w * 64 + bit} << kGranuleShift, is_marked)) {
        return false;
      }
    }
  }
  return true;
}

template <typename Table, unsigned kGranuleShift>
template <typename Visit>
void HeapIndex<Table, kGranuleShift>::visit_within(std::uintptr_t begin, std::uintptr_t end,
                                                   Visit&& visit) const {
  begin = begin > low_ ? begin : low_;
  end = end < high_ ? end : high_;
  for (std::uintptr_t at = begin; at < end; at = (at | (runtime::kPageBytes - 1)) + 1) {
    const Region* region = region_of(at);
    if (region == nullptr) {
      continue;
    }
    const std::uintptr_t page_begin = at & ~(runtime::kPageBytes - 1);
    visit_starts(region->pages[page_in_region(at)], page_begin, [&](std::uintptr_t start, bool) {
      if (start >= begin && start < end) {
        visit(start, extent_of(start, info_of(start)));
      }
      return true;
    });
  }
}

template <typename Table, unsigned kGranuleShift>
template <typename Visit>
void HeapIndex<Table, kGranuleShift>::visit_uncovered(std::uintptr_t begin, std::uintptr_t end,
                                                      Visit&& visit) const {
  if (end <= low_ || begin >= high_) {
    visit(begin, end);
    return;
  }
  std::uintptr_t from = begin;
  for (std::uintptr_t at = begin; at < end; at = (at | (runtime::kPageBytes - 1)) + 1) {
    const std::uintptr_t page_begin = at & ~(runtime::kPageBytes - 1);
    if (const std::uintptr_t covered = end_of_span(page_begin); covered > from) {
      if (from < page_begin) {
        visit(from, page_begin);
      }
      from = covered;
    }
    const Region* region = region_of(page_begin);
    if (region == nullptr) {
      continue;
    }
    const HeapPage& page = region->pages[page_in_region(page_begin)];
    visit_starts(page, page_begin, [&](std::uintptr_t start, bool /*is_marked*/) {
      if (start >= end) {
        return false;
      }
      if (from < start) {
        visit(from, start);
      }
      const std::uint64_t bytes = extent_of(start, info_of(start));
      const std::uintptr_t block_end = (start + bytes + 7) & ~std::uintptr_t{7};
      from = block_end > from ? block_end : from;
      return true;
    });
  }
  if (from < end) {
    visit(from, end);
  }
}

}  // namespace seep::scan
