// Which heap blocks are alive: a lock-free map from address to (site, size, birth).
// Context: IN-HOOK. Any thread, also inside a signal handler that interrupted one of its calls.
// Memory is never given back; it is bounded by the densest use each heap page ever had.
//
// The table is an index by address, so neighbours in the heap are neighbours here and a walk runs
// in address order of pages:
//
//   address:  46……30 region (1 GiB) | 29……12 page | 11…4 granule | 3…0
//
//   roots_[region] -> Region { heads[page] } -> Chunk -> older Chunk -> …
//
// A page has no chunk until its first block. A chunk has a fixed number of slots; entries never
// move. A page that needs more gets another chunk in front, half as large as what it has; a new
// page starts with as many slots as the page before it has blocks, since neighbours are alike. So
// most pages have one chunk with little room to spare.
//
// A slot is a word and a birth, kept apart so that neither is padded:
//
//   word:  63……56 granule | 55 in transit | 54……32 site | 31……0 size in bytes
//
// 0 is a free slot. A word with site 0 is claimed: its birth is being written. Sizes of 4 GiB and
// more are kept in oversize_. Within a chunk a granule may only stand in its own group of
// kGroupSlots slots, which lies where the granule lies in the page: a look-up reads half a cache
// line a chunk. A chunk of kMostSlots has a slot for every granule, so the chain ends there.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/runtime/arena.h"

namespace seep::table {

// A live block. `birth` is in ticks of the recorder's clock.
struct Block {
  std::uintptr_t address = 0;
  std::uint64_t size = 0;
  std::uint32_t site = 0;
  std::uint32_t birth = 0;
};

enum class Insert { kNew, kReplaced, kNoMemory, kOutOfRange };

class AddressTable {
 public:
  static constexpr std::uint32_t kMaxSite = (1U << 23) - 1;

  constexpr AddressTable() = default;
  AddressTable(const AddressTable&) = delete;
  AddressTable& operator=(const AddressTable&) = delete;

  // Records a block; `site` is 1…kMaxSite. kReplaced: the address had an entry that nobody removed,
  // which `old` tells; an entry in transit is replaced silently, its block is being moved away.
  Insert insert(const Block& block, Block& old);

  // Forgets the block at `address`; false when there was none, else `old` tells what it was.
  bool remove(std::uintptr_t address, Block& old);

  // Marks the block as being moved by realloc: still alive to a walk, told apart from a new block
  // at the same address. False when there is none.
  bool begin_transit(std::uintptr_t address, Block& old);
  // realloc failed: the block is as before.
  void cancel_transit(std::uintptr_t address);
  // realloc moved it: forgets the old entry if nobody has recorded a new block there since.
  void end_transit(std::uintptr_t address);

  // Calls visit(const Block&) for every live block, pages in ascending order. Runs beside writers:
  // a block allocated or freed meanwhile may be seen or not.
  template <typename Visit>
  void walk(Visit&& visit) const;

 private:
  static constexpr unsigned kGranuleShift = 4;
  static constexpr unsigned kPageShift = 12;
  static constexpr unsigned kRegionShift = 30;
  static constexpr unsigned kAddressBits = 47;
  static constexpr std::size_t kRegions = std::size_t{1} << (kAddressBits - kRegionShift);
  static constexpr std::size_t kPagesPerRegion = std::size_t{1} << (kRegionShift - kPageShift);
  static constexpr std::size_t kPagesPerGroup = 512;  // one page of heads
  static constexpr unsigned kGroupSlots = 4;
  static constexpr unsigned kFirstSlots = 2;
  static constexpr unsigned kMostSlots = 256;
  static constexpr std::size_t kOversizeEntries = 256;

  static constexpr std::uint64_t kTransit = std::uint64_t{1} << 55;
  static constexpr std::uint64_t kSizeMask = 0xFFFFFFFF;

  struct Chunk {
    Chunk* next;  // the older chunk; written before the chunk is published
    std::uint32_t slots;
    std::uint32_t slots_in_page;  // with all older chunks
    // followed by std::atomic<std::uint64_t> words[slots] and std::atomic<std::uint32_t>
    // births[slots]

    [[nodiscard]] std::atomic<std::uint64_t>* words() const {
      return reinterpret_cast<std::atomic<std::uint64_t>*>(reinterpret_cast<std::uintptr_t>(this) +
                                                           sizeof(Chunk));
    }
    [[nodiscard]] std::atomic<std::uint32_t>* births() const {
      return reinterpret_cast<std::atomic<std::uint32_t>*>(words() + slots);
    }
  };

  struct Region {
    // One bit for each kPagesPerGroup heads that ever had a chunk: a walk leaves the rest
    // untouched, so that the kernel need not map it. fetch_or (release) in add_chunk, acquire in
    // walk.
    std::atomic<std::uint64_t> touched[kPagesPerRegion / kPagesPerGroup / 64];
    std::atomic<Chunk*> heads[kPagesPerRegion];  // release in add_chunk, acquire in readers
  };

  struct Slot {
    std::atomic<std::uint64_t>* word = nullptr;
    std::atomic<std::uint32_t>* birth = nullptr;
  };

  struct Oversize {
    std::atomic<std::uintptr_t> address;  // claimed by keep_oversize, freed by drop_oversize
    std::atomic<std::uint64_t> size;
  };

  static std::uint64_t granule_of(std::uintptr_t address) {
    return (address >> kGranuleShift) & 0xFF;
  }
  static std::uint64_t make_word(const Block& block) {
    const std::uint64_t size = block.size < kSizeMask ? block.size : kSizeMask;
    return granule_of(block.address) << 56 | std::uint64_t{block.site} << 32 | size;
  }
  static std::uint32_t site_of(std::uint64_t word) {
    return static_cast<std::uint32_t>(word >> 32) & kMaxSite;
  }
  // The group of slots that a granule may stand in, and how many they are.
  static unsigned group_begin(const Chunk& chunk, std::uint64_t granule) {
    return chunk.slots <= kGroupSlots
               ? 0
               : static_cast<unsigned>(granule * (chunk.slots / kGroupSlots) >> 8) * kGroupSlots;
  }
  static unsigned group_size(const Chunk& chunk) {
    return chunk.slots < kGroupSlots ? chunk.slots : kGroupSlots;
  }

  std::atomic<Chunk*>* head_of(std::uintptr_t address, bool create);
  static Slot find_in_chunk(const Chunk& chunk, std::uint64_t granule, Slot* free_slot);
  static Slot find(const Chunk* head, std::uint64_t granule, Slot* free_slot);
  std::uint64_t take_over(const Slot& taken, const Block& block, Block& old);
  Chunk* add_chunk(std::uintptr_t address, std::atomic<Chunk*>& head, Chunk* seen);
  unsigned blocks_in_page_before(std::uintptr_t address);
  static unsigned count_blocks(const Chunk* head);
  Block describe(std::uintptr_t address, std::uint64_t word, std::uint32_t birth) const;
  bool keep_oversize(std::uintptr_t address, std::uint64_t size);
  void drop_oversize(std::uintptr_t address);
  template <typename Visit>
  void walk_page(std::uintptr_t page, const Chunk* chunk, Visit& visit) const;

  std::atomic<Region*> roots_[kRegions] = {};  // release in head_of, acquire in readers
  Oversize oversize_[kOversizeEntries] = {};
  runtime::Arena chunks_{std::size_t{1} << 20};
};

template <typename Visit>
void AddressTable::walk_page(std::uintptr_t page, const Chunk* chunk, Visit& visit) const {
  for (; chunk != nullptr; chunk = chunk->next) {
    for (unsigned i = 0; i < chunk->slots; ++i) {
      const std::uint64_t word = chunk->words()[i].load(std::memory_order_acquire);
      if (site_of(word) == 0) {
        continue;
      }
      const std::uintptr_t address = page | (word >> 56) << kGranuleShift;
      visit(describe(address, word, chunk->births()[i].load(std::memory_order_relaxed)));
    }
  }
}

template <typename Visit>
void AddressTable::walk(Visit&& visit) const {
  for (std::size_t r = 0; r < kRegions; ++r) {
    const Region* region = roots_[r].load(std::memory_order_acquire);
    if (region == nullptr) {
      continue;
    }
    for (std::size_t group = 0; group < kPagesPerRegion / kPagesPerGroup; ++group) {
      const std::uint64_t touched = region->touched[group / 64].load(std::memory_order_acquire);
      if ((touched >> (group % 64) & 1) == 0) {
        continue;
      }
      for (std::size_t p = group * kPagesPerGroup; p < (group + 1) * kPagesPerGroup; ++p) {
        walk_page(r << kRegionShift | p << kPageShift,
                  region->heads[p].load(std::memory_order_acquire), visit);
      }
    }
  }
}

}  // namespace seep::table
