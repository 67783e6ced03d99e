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
// move. A page that needs more gets another chunk in front, as large as what it has; a new page
// starts with as many slots as the page before it has blocks, since neighbours are alike. So most
// pages have one chunk with little room to spare, and what is new stands in the first.
// page_chunk.h has a chunk's layout. Sizes of 4 GiB and more are kept in oversize_.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/runtime/arena.h"
#include "preload/table/page_chunk.h"

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

  // Records a block in the way that most are: false, and nothing is done, where insert() must.
  bool try_insert(const Block& block);
  // Records a block; `site` is 1…kMaxSite. kReplaced: the address had an entry that nobody removed,
  // which `old` tells; an entry in transit is replaced silently, its block is being moved away.
  Insert insert(const Block& block, Block& old);

  // Forgets the block at `address`, which is the caller's; false when there was none.
  bool remove(std::uintptr_t address);

  // What is known of the block at `address`; false when there is none.
  bool look_up(std::uintptr_t address, Block& block);

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
  static constexpr unsigned kFirstSlots = 2;
  static constexpr unsigned kMostSlots = 256;
  static constexpr std::size_t kOversizeEntries = 256;

  static constexpr std::uint64_t kTransit = std::uint64_t{1} << 55;
  static constexpr std::uint64_t kSizeMask = 0xFFFFFFFF;

  struct Region {
    // One bit for each kPagesPerGroup heads that ever had a chunk: a walk leaves the rest
    // untouched, so that the kernel need not map it. fetch_or (release) in add_chunk, acquire in
    // walk.
    std::atomic<std::uint64_t> touched[kPagesPerRegion / kPagesPerGroup / 64];
    std::atomic<std::uint64_t> heads[kPagesPerRegion];  // release in add_chunk, acquire in readers
  };

  // Two registers wide: passed through memory, it would cost more than the look-up.
  struct Slot {
    std::uintptr_t group_begin = 0;
    std::uint32_t slots_of_group = 0;
    std::uint32_t index = 0;

    Slot() = default;
    Slot(SlotGroup group, unsigned slot)
        : group_begin(group.begin()), slots_of_group(group.slots()), index(slot) {}
    [[nodiscard]] bool exists() const { return group_begin != 0; }
    [[nodiscard]] SlotGroup group() const { return {group_begin, slots_of_group}; }
    [[nodiscard]] std::atomic<std::uint64_t>& word() const { return group().word(index); }
    [[nodiscard]] std::atomic<std::uint32_t>& birth() const { return group().birth(index); }
  };
  static_assert(sizeof(Slot) == 16);

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
  std::atomic<std::uint64_t>* head_of(std::uintptr_t address);
  Region* make_region(std::uintptr_t address);
  static Slot find_in_chunk(ChunkRef chunk, std::uint64_t granule);
  static Slot find(ChunkRef head, std::uint64_t granule);
  Slot find(std::uintptr_t address);
  static Slot claim_in_chunk(ChunkRef chunk, std::uint64_t granule);
  static Slot claim(ChunkRef head, std::uint64_t granule);
  static void forget(const Slot& slot);
  // Completes an entry whose slot is claimed. The release publishes it to walk and find.
  static void fill(const Slot& slot, const Block& block) {
    slot.birth().store(block.birth, std::memory_order_relaxed);
    slot.word().store(make_word(block), std::memory_order_release);
  }
  std::uint64_t take_over(const Slot& taken, const Block& block, Block& old);
  ChunkRef add_chunk(std::uintptr_t address, std::atomic<std::uint64_t>& head, ChunkRef seen);
  unsigned blocks_in_page_before(std::uintptr_t address);
  static unsigned count_blocks(ChunkRef head);
  Block describe(std::uintptr_t address, std::uint64_t word, std::uint32_t birth) const;
  bool keep_oversize(std::uintptr_t address, std::uint64_t size);
  void drop_oversize(std::uintptr_t address);
  template <typename Visit>
  void walk_region(std::size_t region, Visit& visit) const;
  template <typename Visit>
  void walk_group(std::uintptr_t page, const SlotGroup& group, Visit& visit) const;
  template <typename Visit>
  void walk_page(std::uintptr_t page, ChunkRef chunk, Visit& visit) const;

  std::atomic<Region*> roots_[kRegions] = {};  // release in head_of, acquire in readers
  // A bit for each region with a root, so that a walk need not look at all of them. fetch_or
  // (release) in make_region before the root is there, acquire in walk.
  std::atomic<std::uint64_t> regions_in_use_[kRegions / 64] = {};
  Oversize oversize_[kOversizeEntries] = {};
  runtime::Arena chunks_{std::size_t{1} << 20};
};

// What every event of the allocator runs through stands here, to be part of the hooks' code.

[[gnu::always_inline]] inline std::atomic<std::uint64_t>* AddressTable::head_of(
    std::uintptr_t address) {
  Region* region = roots_[address >> kRegionShift].load(std::memory_order_acquire);
  return region == nullptr ? nullptr
                           : &region->heads[(address >> kPageShift) & (kPagesPerRegion - 1)];
}

[[gnu::always_inline]] inline AddressTable::Slot AddressTable::find_in_chunk(
    ChunkRef chunk, std::uint64_t granule) {
  const SlotGroup group = chunk.group_of(granule);
  for (unsigned marked = group.marked(granule); marked != 0; marked &= marked - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(marked));
    const std::uint64_t word = group.word(index).load(std::memory_order_acquire);
    if (word >> 56 == granule && site_of(word) != 0) [[likely]] {
      return {group, index};
    }
  }
  return {};
}

[[gnu::always_inline]] inline AddressTable::Slot AddressTable::find(ChunkRef head,
                                                                    std::uint64_t granule) {
  for (ChunkRef chunk = head; chunk.exists(); chunk = chunk.chunk().next) {
    if (const Slot slot = find_in_chunk(chunk, granule); slot.exists()) {
      return slot;
    }
  }
  return {};
}

[[gnu::always_inline]] inline AddressTable::Slot AddressTable::find(std::uintptr_t address) {
  std::atomic<std::uint64_t>* head = address >> kAddressBits == 0 ? head_of(address) : nullptr;
  return head == nullptr
             ? Slot{}
             : find(ChunkRef(head->load(std::memory_order_acquire)), granule_of(address));
}

// A free slot, claimed. One without a mark may be claimed already, or not free yet: its word tells.
[[gnu::always_inline]] inline AddressTable::Slot AddressTable::claim_in_chunk(
    ChunkRef chunk, std::uint64_t granule) {
  const SlotGroup group = chunk.group_of(granule);
  for (unsigned free = group.unmarked(); free != 0; free &= free - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(free));
    std::uint64_t expected = 0;
    if (group.word(index).compare_exchange_strong(expected, granule << 56 | kTransit,
                                                  std::memory_order_acquire,
                                                  std::memory_order_relaxed)) [[likely]] {
      group.set_mark(index, granule);
      return {group, index};
    }
  }
  return {};
}

// The mark first: once the word is 0 the slot may be another block's.
[[gnu::always_inline]] inline void AddressTable::forget(const Slot& slot) {
  slot.group().clear_mark(slot.index);
  slot.word().store(0, std::memory_order_release);
}

[[gnu::always_inline]] inline bool AddressTable::try_insert(const Block& block) {
  if (block.address >> kAddressBits != 0 || block.size >= kSizeMask) [[unlikely]] {
    return false;
  }
  const std::uint64_t granule = granule_of(block.address);
  std::atomic<std::uint64_t>* head = head_of(block.address);
  const ChunkRef chunk(head == nullptr ? 0 : head->load(std::memory_order_acquire));
  if (!chunk.exists() || find(chunk, granule).exists()) [[unlikely]] {
    return false;
  }
  const Slot slot = claim_in_chunk(chunk, granule);
  if (!slot.exists()) [[unlikely]] {
    return false;
  }
  fill(slot, block);
  return true;
}

// A store is enough: the block is the caller's until the real release, so nobody else may change
// the slot that holds it; a thread that frees what another one frees as well is beyond help.
[[gnu::always_inline]] inline bool AddressTable::remove(std::uintptr_t address) {
  const Slot slot = find(address);
  if (!slot.exists()) [[unlikely]] {
    return false;
  }
  if ((slot.word().load(std::memory_order_relaxed) & kSizeMask) == kSizeMask) [[unlikely]] {
    drop_oversize(address);
  }
  forget(slot);
  return true;
}

template <typename Visit>
void AddressTable::walk_group(std::uintptr_t page, const SlotGroup& group, Visit& visit) const {
  for (unsigned i = 0; i < group.slots(); ++i) {
    const std::uint64_t word = group.word(i).load(std::memory_order_acquire);
    if (site_of(word) != 0) {
      visit(describe(page | (word >> 56) << kGranuleShift, word,
                     group.birth(i).load(std::memory_order_relaxed)));
    }
  }
}

template <typename Visit>
void AddressTable::walk_page(std::uintptr_t page, ChunkRef chunk, Visit& visit) const {
  for (; chunk.exists(); chunk = chunk.chunk().next) {
    for (unsigned g = 0; g < chunk.groups(); ++g) {
      walk_group(page, chunk.group(g), visit);
    }
  }
}

template <typename Visit>
void AddressTable::walk(Visit&& visit) const {
  for (std::size_t word = 0; word < kRegions / 64; ++word) {
    std::uint64_t bits = regions_in_use_[word].load(std::memory_order_acquire);
    for (; bits != 0; bits &= bits - 1) {
      walk_region(word * 64 + static_cast<std::size_t>(std::countr_zero(bits)), visit);
    }
  }
}

template <typename Visit>
void AddressTable::walk_region(std::size_t r, Visit& visit) const {
  const Region* region = roots_[r].load(std::memory_order_acquire);
  if (region == nullptr) {
    return;
  }
  for (std::size_t group = 0; group < kPagesPerRegion / kPagesPerGroup; ++group) {
    const std::uint64_t touched = region->touched[group / 64].load(std::memory_order_acquire);
    if ((touched >> (group % 64) & 1) == 0) {
      continue;
    }
    for (std::size_t p = group * kPagesPerGroup; p < (group + 1) * kPagesPerGroup; ++p) {
      walk_page(r << kRegionShift | p << kPageShift,
                ChunkRef(region->heads[p].load(std::memory_order_acquire)), visit);
    }
  }
}

}  // namespace seep::table
