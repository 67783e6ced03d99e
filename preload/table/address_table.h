// Which heap blocks are alive: a lock-free map from address to (site, size, birth).
// Context: IN-HOOK. Any thread, also inside a signal handler that interrupted one of its calls.
// Memory is never given back; it is bounded by the densest use each heap page ever had.
//
// The table is an index by address, so neighbours in the heap are neighbours here and a walk runs
// in address order of pages:
//
//   address:  46……30 region (1 GiB) | 29……12 page | 11…4 granule | 3…0
//
//   roots_[region] -> Region { heads[page] } -> chunk -> next chunk -> …
//
// A page has no chunk until its first block; page_chunk.h has their layout. A chunk has a fixed
// number of slots; entries never move. A page that needs more gets another chunk in front, as large
// as what it has, so what is new stands in the first; a new page starts with as many slots as the
// pages before it have blocks, since neighbours are alike. From kDenseFrom slots on it is a dense
// one, where the allocator allows: what that cannot hold is in others behind it. Sizes of 4 GiB and
// more are kept in oversize_.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "preload/runtime/arena.h"
#include "preload/table/page_chunk.h"

namespace seep::table {

enum class Insert { kNew, kReplaced, kNoMemory, kOutOfRange };

class AddressTable {
 public:
  static constexpr std::uint32_t kMaxSite = (1U << 23) - 1;

  constexpr AddressTable() = default;
  AddressTable(const AddressTable&) = delete;
  AddressTable& operator=(const AddressTable&) = delete;

  // Pages with many blocks may be dense: any two blocks that live at the same time begin 32 bytes
  // apart or more, as those of libc's allocator do, but for those with Block::may_be_near. Before
  // any other thread uses the table, and before the first block is in it.
  void allow_dense_pages(bool allowed) { allows_dense_pages_ = allowed; }
  // The blocks of a page are about as large as its first one, as in allocators that give each page
  // a size: it gets room for all of them at once. When allow_dense_pages may be called. What is
  // given as sizes stands `size_shift` bits above their bytes.
  void expect_equal_blocks(bool expected, unsigned size_shift = 0) {
    expects_equal_blocks_ = expected;
    size_shift_ = size_shift;
  }

  // Records a block in the way that most are: false, and nothing is done, where insert() must.
  bool try_insert(const Block& block);
  // Records a block; `site` is 1…kMaxSite. kReplaced: the address had an entry that nobody removed,
  // which `old` tells; an entry in transit is replaced silently, its block is being moved away.
  Insert insert(const Block& block, Block& old);

  // Forgets the block at `address`, which is the caller's, in the way that most are: false, and
  // nothing is done, where remove() must.
  bool try_remove(std::uintptr_t address);
  // The same for any block; false when there was none.
  bool remove(std::uintptr_t address);

  // What is known of the block at `address`; false when there is none.
  bool look_up(std::uintptr_t address, Block& block);

  // Marks the block as being moved by realloc: still alive to a walk, told apart from a new block
  // at the same address. False when there is none.
  bool begin_transit(std::uintptr_t address, Block& old);
  // realloc failed: the block is as before.
  void cancel_transit(std::uintptr_t address);
  // realloc moved it: forgets the entry that begin_transit told as `old`, if it is still there.
  // What another thread has recorded at the place since, or moves away in its turn, is left alone.
  void end_transit(const Block& old);

  // Has the table stand on few page table entries, as far as it is full: a fork copies each.
  void use_huge_pages() { chunks_.use_huge_pages(); }

  // Whether there ever was a block.
  [[nodiscard]] bool was_used() const;

  // Calls visit(const Block&) for every live block, pages in ascending order; or, where it takes
  // that, visit(const Block&, bool in_transit). Runs beside writers: a block allocated or freed
  // meanwhile may be seen or not.
  template <typename Visit>
  void walk(Visit&& visit) const;
  // The same for those that begin in [begin, end).
  template <typename Visit>
  void walk_range(std::uintptr_t begin, std::uintptr_t end, Visit&& visit) const;

  // How many pieces of 2 MB, of the GiB that `address` lies in, ever had a block: 512 at most.
  [[nodiscard]] unsigned pieces_used(std::uintptr_t address) const;
  // Whether a block was ever recorded in the page of `address`.
  bool had_block_near(std::uintptr_t address) { return newest_chunk(address).exists(); }

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

  // A dense chunk takes 34 bytes a block then, and 8 when it is full; sparse ones take 14 to 22.
  // Most pages of the programs measured have 32 to 64 blocks; from 34 on, php took 6 % more time.
  static constexpr unsigned kDenseFrom = 31;

  struct Region {
    // One bit for each kPagesPerGroup heads that ever had a chunk: a walk leaves the rest
    // untouched, so that the kernel need not map it. fetch_or (release) in add_chunk, acquire in
    // walk.
    std::atomic<std::uint64_t> touched[kPagesPerRegion / kPagesPerGroup / 64];
    std::atomic<std::uint64_t> heads[kPagesPerRegion];  // release in add_chunk, acquire in readers
  };

  struct Slot {
    std::atomic<std::uint64_t>* word = nullptr;  // null: there is none
    std::uint64_t seen = 0;                      // the word, as it was found
    SlotGroup group{0, 0};                       // begins at 0 in a dense chunk
    unsigned index = 0;

    [[nodiscard]] bool exists() const { return word != nullptr; }
    [[nodiscard]] bool is_dense() const { return group.begin() == 0; }
  };

  struct Oversize {
    std::atomic<std::uintptr_t> address;  // claimed by keep_oversize, freed by drop_oversize
    std::atomic<std::uint64_t> size;
  };

  static std::uint64_t granule_of(std::uintptr_t address) {
    return (address >> kGranuleShift) & 0xFF;
  }
  std::atomic<std::uint64_t>* head_of(std::uintptr_t address);
  Region* make_region(std::uintptr_t address);
  ChunkRef newest_chunk(std::uintptr_t address);
  static Slot find_in_group(SlotGroup group, std::uint64_t granule);
  static Slot find_in_chunk(ChunkRef chunk, std::uint64_t granule);
  static Slot find(ChunkRef chunk, std::uint64_t granule);
  static bool is_in(ChunkRef chunk, std::uint64_t granule);
  Slot find(std::uintptr_t address) { return find(newest_chunk(address), granule_of(address)); }
  static Slot find_taken(ChunkRef chunk, const Block& block);
  static Slot claim(SlotGroup group, std::uint64_t granule);
  static void fill(const Slot& claimed, std::uint64_t granule, const Block& block);
  static bool try_insert_sparse(ChunkRef chunk, std::uint64_t granule, const Block& block);
  static bool put(ChunkRef chunk, const Block& block);
  static void forget(const Slot& slot);
  static bool take_over(const Slot& taken, const Block& block);
  static Insert outcome(const Slot& replaced) {
    return replaced.exists() && (replaced.seen & kTransit) == 0 ? Insert::kReplaced : Insert::kNew;
  }
  bool add(const Block& block);
  ChunkRef make_chunk(unsigned slots, unsigned present, bool dense);
  ChunkRef add_chunk(const Block& block, std::atomic<std::uint64_t>& head, ChunkRef seen);
  unsigned blocks_in_pages_before(std::uintptr_t address);
  unsigned blocks_expected_in_page(const Block& first);
  static unsigned count_blocks(ChunkRef chunk);
  // The block in a slot whose word is `word`; its page is that of `address`.
  Block describe(std::uintptr_t address, const Slot& slot, std::uint64_t word) const;
  std::uint64_t size_of_oversize(std::uintptr_t address) const;
  bool keep_oversize(std::uintptr_t address, std::uint64_t size);
  void drop_oversize(std::uintptr_t address);
  template <typename Visit>
  void walk_region(std::size_t region, Visit& visit) const;
  template <typename Visit>
  void walk_page(std::uintptr_t page, ChunkRef chunk, Visit& visit) const;

  std::atomic<Region*> roots_[kRegions] = {};  // release in make_region, acquire in readers
  // A bit for each region with a root, so that a walk need not look at all of them. fetch_or
  // (release) in make_region before the root is there, acquire in walk.
  std::atomic<std::uint64_t> regions_in_use_[kRegions / 64] = {};
  Oversize oversize_[kOversizeEntries] = {};
  bool allows_dense_pages_ = false;    // written before there are other threads
  bool expects_equal_blocks_ = false;  // the same
  unsigned size_shift_ = 0;            // the same
  runtime::Arena chunks_{std::size_t{1} << 20, runtime::kHugePageBytes};
};

// What every event of the allocator runs through stands here, to be part of the hooks' code.

[[gnu::always_inline]] inline std::atomic<std::uint64_t>* AddressTable::head_of(
    std::uintptr_t address) {
  Region* region = roots_[address >> kRegionShift].load(std::memory_order_acquire);
  return region == nullptr ? nullptr
                           : &region->heads[(address >> kPageShift) & (kPagesPerRegion - 1)];
}

// The first chunk of the address's page: the one that blocks are added to, if it can hold them.
[[gnu::always_inline]] inline ChunkRef AddressTable::newest_chunk(std::uintptr_t address) {
  std::atomic<std::uint64_t>* head = address >> kAddressBits == 0 ? head_of(address) : nullptr;
  return head == nullptr ? ChunkRef() : ChunkRef(head->load(std::memory_order_acquire));
}

[[gnu::always_inline]] inline AddressTable::Slot AddressTable::find_in_group(
    SlotGroup group, std::uint64_t granule) {
  for (unsigned marked = group.marked(granule); marked != 0; marked &= marked - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(marked));
    const std::uint64_t word = group.word(index).load(std::memory_order_acquire);
    if (SparseWord::granule(word) == granule && SparseWord::site(word) != 0) [[likely]] {
      return {&group.word(index), word, group, index};
    }
  }
  return {};
}

// A free slot, claimed. One without a mark may be claimed already, or not free yet: its word tells.
[[gnu::always_inline]] inline AddressTable::Slot AddressTable::claim(SlotGroup group,
                                                                     std::uint64_t granule) {
  for (unsigned free = group.unmarked(); free != 0; free &= free - 1) {
    const auto index = static_cast<unsigned>(std::countr_zero(free));
    std::uint64_t expected = 0;
    if (group.word(index).compare_exchange_strong(expected, SparseWord::claimed(granule),
                                                  std::memory_order_acquire,
                                                  std::memory_order_relaxed)) [[likely]] {
      group.set_mark(index, granule);
      return {&group.word(index), 0, group, index};
    }
  }
  return {};
}

// The release publishes the entry to walk and find.
[[gnu::always_inline]] inline void AddressTable::fill(const Slot& claimed, std::uint64_t granule,
                                                      const Block& block) {
  claimed.group.birth(claimed.index).store(block.birth, std::memory_order_relaxed);
  claimed.word->store(SparseWord::of(granule, block), std::memory_order_release);
}

// The mark first: once the word is 0 the slot may be another block's.
[[gnu::always_inline]] inline void AddressTable::forget(const Slot& slot) {
  slot.group.clear_mark(slot.index);
  slot.word->store(0, std::memory_order_release);
}

[[gnu::always_inline]] inline bool AddressTable::try_insert_sparse(ChunkRef chunk,
                                                                   std::uint64_t granule,
                                                                   const Block& block) {
  if (block.size >= SparseWord::kSizeMask) [[unlikely]] {
    return false;
  }
  const SlotGroup group = chunk.group_of(granule);
  if (find_in_group(group, granule).exists() || (chunk.has_next() && is_in(chunk.next(), granule)))
      [[unlikely]] {
    return false;
  }
  const Slot slot = claim(group, granule);
  if (!slot.exists()) [[unlikely]] {
    return false;
  }
  fill(slot, granule, block);
  return true;
}

[[gnu::always_inline]] inline bool AddressTable::try_insert(const Block& block) {
  const ChunkRef chunk = newest_chunk(block.address);
  const std::uint64_t granule = granule_of(block.address);
  if (!chunk.is_dense()) {
    return chunk.exists() && try_insert_sparse(chunk, granule, block);
  }
  if (chunk.has_next() && is_in(chunk.next(), granule)) [[unlikely]] {
    return false;
  }
  std::atomic<std::uint64_t>& word = chunk.dense_word(granule);
  if (!DenseWord::can_hold(block) || word.load(std::memory_order_relaxed) != 0) [[unlikely]] {
    return false;
  }
  // A store is enough: no other block can be alive here. The release publishes it to walk and find.
  word.store(DenseWord::of(granule, block), std::memory_order_release);
  return true;
}

// A store is enough: the block is the caller's until the real release, so nobody else may change
// the slot that holds it; a thread that frees what another one frees as well is beyond help.
[[gnu::always_inline]] inline bool AddressTable::try_remove(std::uintptr_t address) {
  const ChunkRef chunk = newest_chunk(address);
  const std::uint64_t granule = granule_of(address);
  if (chunk.is_dense()) [[likely]] {
    std::atomic<std::uint64_t>& word = chunk.dense_word(granule);
    if (!DenseWord::is_of(word.load(std::memory_order_relaxed), granule)) [[unlikely]] {
      return false;
    }
    word.store(0, std::memory_order_release);
    return true;
  }
  if (!chunk.exists()) [[unlikely]] {
    return false;
  }
  const Slot slot = find_in_group(chunk.group_of(granule), granule);
  if (!slot.exists() || SparseWord::size(slot.seen) == SparseWord::kSizeMask) [[unlikely]] {
    return false;
  }
  forget(slot);
  return true;
}

inline Block AddressTable::describe(std::uintptr_t address, const Slot& slot,
                                    std::uint64_t word) const {
  const std::uintptr_t page = address >> kPageShift << kPageShift;
  if (slot.is_dense()) {
    const std::uintptr_t granule = std::uintptr_t{2} * slot.index + (word >> 62 & 1);
    return {page | granule << kGranuleShift, DenseWord::size(word), DenseWord::site(word),
            DenseWord::birth(word)};
  }
  const std::uintptr_t place = page | SparseWord::granule(word) << kGranuleShift;
  const std::uint64_t size = SparseWord::size(word);
  return {place, size == SparseWord::kSizeMask ? size_of_oversize(place) : size,
          SparseWord::site(word), slot.group.birth(slot.index).load(std::memory_order_relaxed)};
}

template <typename Visit>
void AddressTable::walk_page(std::uintptr_t page, ChunkRef chunk, Visit& visit) const {
  const auto visit_slot = [&](const Slot& slot) {
    const Block block = slot.seen == 0 ? Block() : describe(page, slot, slot.seen);
    if (block.site == 0) {
      return;
    }
    if constexpr (std::is_invocable_v<Visit&, const Block&, bool>) {
      visit(block, (slot.seen & kTransit) != 0);
    } else {
      visit(block);
    }
  };
  for (; chunk.exists(); chunk = chunk.next()) {
    for (unsigned i = 0; chunk.is_dense() && i < PageChunk::kDenseSlots; ++i) {
      std::atomic<std::uint64_t>& word = chunk.dense_word(std::uint64_t{2} * i);
      visit_slot({&word, word.load(std::memory_order_acquire), {0, 0}, i});
    }
    for (unsigned g = 0; g < chunk.groups(); ++g) {
      const SlotGroup group = chunk.group(g);
      for (unsigned i = 0; i < group.slots(); ++i) {
        visit_slot({&group.word(i), group.word(i).load(std::memory_order_acquire), group, i});
      }
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

// In steps of a page, or of a whole group of pages that no block was ever in.
template <typename Visit>
void AddressTable::walk_range(std::uintptr_t begin, std::uintptr_t end, Visit&& visit) const {
  constexpr std::uintptr_t kPage = std::uintptr_t{1} << kPageShift;
  constexpr std::uintptr_t kGroup = kPagesPerGroup * kPage;
  constexpr std::uintptr_t kEnd = std::uintptr_t{1} << kAddressBits;
  const auto visit_inside = [&](const Block& block) {
    if (block.address >= begin && block.address < end) {
      visit(block);
    }
  };
  const std::uintptr_t last = end < kEnd ? end : kEnd;
  for (std::uintptr_t page = begin & ~(kPage - 1); page < last;) {
    const Region* region = roots_[page >> kRegionShift].load(std::memory_order_acquire);
    const std::size_t index = (page >> kPageShift) & (kPagesPerRegion - 1);
    const std::size_t group = index / kPagesPerGroup;
    if (region == nullptr ||
        (region->touched[group / 64].load(std::memory_order_acquire) >> (group % 64) & 1) == 0) {
      page = (page & ~(kGroup - 1)) + kGroup;
      continue;
    }
    walk_page(page, ChunkRef(region->heads[index].load(std::memory_order_acquire)), visit_inside);
    page += kPage;
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
