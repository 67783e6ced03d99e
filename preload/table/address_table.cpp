#include "preload/table/address_table.h"

#include <bit>
#include <iterator>

namespace seep::table {

// The region of an address; null when the kernel has no memory.
AddressTable::Region* AddressTable::make_region(std::uintptr_t address) {
  std::atomic<Region*>& root = roots_[address >> kRegionShift];
  Region* region = root.load(std::memory_order_acquire);
  if (region != nullptr) {
    return region;
  }
  const std::size_t index = address >> kRegionShift;
  regions_in_use_[index / 64].fetch_or(std::uint64_t{1} << (index % 64), std::memory_order_release);
  auto* fresh = static_cast<Region*>(runtime::map_pages(sizeof(Region)));
  if (fresh == nullptr || root.compare_exchange_strong(region, fresh, std::memory_order_acq_rel,
                                                       std::memory_order_acquire)) {
    return fresh;
  }
  runtime::unmap_pages(fresh, sizeof(Region));
  return region;
}

inline AddressTable::Slot AddressTable::find_in_chunk(ChunkRef chunk, std::uint64_t granule) {
  if (!chunk.is_dense()) {
    return find_in_group(chunk.group_of(granule), granule);
  }
  std::atomic<std::uint64_t>& word = chunk.dense_word(granule);
  const std::uint64_t seen = word.load(std::memory_order_acquire);
  return DenseWord::is_of(seen, granule)
             ? Slot{&word, seen, {0, 0}, static_cast<unsigned>(granule / 2)}
             : Slot{};
}

// The slot of a granule in this chunk or one behind it.
[[gnu::noinline]] AddressTable::Slot AddressTable::find(ChunkRef chunk, std::uint64_t granule) {
  for (; chunk.exists(); chunk = chunk.next()) {
    if (const Slot slot = find_in_chunk(chunk, granule); slot.exists()) {
      return slot;
    }
  }
  return {};
}

bool AddressTable::is_in(ChunkRef chunk, std::uint64_t granule) {
  for (; chunk.exists(); chunk = chunk.next()) {
    if (find_in_chunk(chunk, granule).exists()) {
      return true;
    }
  }
  return false;
}

// The slot that a block must take over: its address has an entry, or, in a dense chunk, one too
// near to it: a block whose release nobody saw, or that is being moved away.
AddressTable::Slot AddressTable::find_taken(ChunkRef chunk, const Block& block) {
  const std::uint64_t granule = granule_of(block.address);
  if (const Slot slot = find(chunk, granule); slot.exists() || !chunk.is_dense()) {
    return slot;
  }
  const Slot near = find_in_chunk(chunk, granule ^ 1);
  return DenseWord::can_hold(block) ? near : Slot{};
}

// Puts a block, whose address has no entry, in a free slot of any chunk; the newest has the most.
bool AddressTable::put(ChunkRef chunk, const Block& block) {
  const std::uint64_t granule = granule_of(block.address);
  for (; chunk.exists(); chunk = chunk.next()) {
    if (chunk.is_dense()) {
      std::uint64_t expected = 0;
      if (DenseWord::can_hold(block) && chunk.dense_word(granule).compare_exchange_strong(
                                            expected, DenseWord::of(granule, block),
                                            std::memory_order_acq_rel, std::memory_order_relaxed)) {
        return true;
      }
    } else if (const Slot slot = claim(chunk.group_of(granule), granule); slot.exists()) {
      fill(slot, granule, block);
      return true;
    }
  }
  return false;
}

unsigned AddressTable::count_blocks(ChunkRef chunk) {
  unsigned count = 0;
  const auto add = [&count](const std::atomic<std::uint64_t>& word) {
    count += word.load(std::memory_order_relaxed) != 0 ? 1U : 0U;
  };
  for (; chunk.exists(); chunk = chunk.next()) {
    for (unsigned i = 0; chunk.is_dense() && i < PageChunk::kDenseSlots; ++i) {
      add(chunk.dense_word(std::uint64_t{2} * i));
    }
    for (unsigned g = 0; g < chunk.groups(); ++g) {
      for (unsigned i = 0; i < chunk.slots_of_group(); ++i) {
        add(chunk.group(g).word(i));
      }
    }
  }
  return count;
}

// Of the two pages before it, the one with more: the other may be about to be filled.
unsigned AddressTable::blocks_in_pages_before(std::uintptr_t address) {
  unsigned most = 0;
  for (std::uintptr_t page = address >> kPageShift, i = 1; i <= 2 && i <= page; ++i) {
    const unsigned blocks = count_blocks(newest_chunk((page - i) << kPageShift));
    most = blocks > most ? blocks : most;
  }
  return most;
}

unsigned AddressTable::blocks_expected_in_page(const Block& first) {
  constexpr std::uint64_t kPageBytes = std::uint64_t{1} << kPageShift;
  constexpr std::uint64_t kLeast = std::uint64_t{1} << kGranuleShift;
  const unsigned before = blocks_in_pages_before(first.address);
  const std::uint64_t size = first.size >> size_shift_;
  const auto equal = static_cast<unsigned>(
      expects_equal_blocks_ ? kPageBytes / (size < kLeast ? kLeast : size) : 0);
  return before < equal ? equal : before;
}

// A chunk for a page that has `present` slots; none without memory.
ChunkRef AddressTable::make_chunk(unsigned slots, unsigned present, bool dense) {
  const unsigned groups = (slots + SlotGroup::kSlots - 1) / SlotGroup::kSlots;
  const unsigned of_group = groups == 1 ? slots : SlotGroup::kSlots;
  auto* chunk = static_cast<PageChunk*>(
      chunks_.allocate(dense ? PageChunk::kDenseBytes : PageChunk::sparse_bytes(groups, of_group)));
  if (chunk == nullptr) {
    return {};
  }
  chunk->slots_in_page = present + (dense ? PageChunk::kDenseSlots : groups * of_group);
  if (dense) {
    return ChunkRef::dense(chunk);
  }
  const ChunkRef fresh = ChunkRef::sparse(chunk, groups, of_group);
  fresh.group(0).close();
  return fresh;
}

// Gives the page of `block`, whose first chunk is `seen`, another one: in front, or behind a dense
// one. Returns the first; it may be what another thread put there.
ChunkRef AddressTable::add_chunk(const Block& block, std::atomic<std::uint64_t>& head,
                                 ChunkRef seen) {
  const std::uintptr_t address = block.address;
  const bool behind = seen.is_dense();
  const ChunkRef before = behind ? seen.next() : seen;
  const unsigned present = before.exists() ? before.chunk().slots_in_page : 0;
  const unsigned wanted = seen.exists() ? present : blocks_expected_in_page(block);
  // Not in a program so old, or with so many sites, that what is new does not fit.
  const bool dense = wanted >= kDenseFrom && !behind && allows_dense_pages_ &&
                     DenseWord::can_hold({address, 0, block.site, block.birth, block.may_be_near});
  unsigned slots = wanted == 0 ? kFirstSlots : wanted <= 4 ? wanted : (wanted + 3) / 4 * 4;
  if (present >= kMostSlots || slots > kMostSlots) {
    slots = kMostSlots;
  }
  ChunkRef fresh = make_chunk(slots, present, dense);
  if (!fresh.exists()) {
    return {};
  }
  if (before.exists()) {
    fresh.chunk().next.store(before.word(), std::memory_order_relaxed);
    fresh = fresh.with_next();
  }
  Region* region = roots_[address >> kRegionShift].load(std::memory_order_acquire);
  const std::size_t group = ((address >> kPageShift) & (kPagesPerRegion - 1)) / kPagesPerGroup;
  region->touched[group / 64].fetch_or(std::uint64_t{1} << (group % 64), std::memory_order_release);
  // The chunk is lost where another thread is faster: at most 3.3 KB, once a thread and page.
  std::uint64_t expected = before.word();
  if (!behind) {
    const bool done = head.compare_exchange_strong(
        expected, fresh.word(), std::memory_order_acq_rel, std::memory_order_acquire);
    return done ? fresh : ChunkRef(expected);
  }
  seen.chunk().next.compare_exchange_strong(expected, fresh.word(), std::memory_order_acq_rel,
                                            std::memory_order_relaxed);
  return ChunkRef(head.fetch_or(ChunkRef().with_next().word(), std::memory_order_acq_rel))
      .with_next();
}

// Puts `block`, which the chunk can hold, in the place of the entry that was found there; false
// when that is gone: the thread that moves the old block away has just forgotten it, and the slot
// may be another block's by now.
bool AddressTable::take_over(const Slot& taken, const Block& block) {
  const std::uint64_t granule = granule_of(block.address);
  const std::uint64_t next =
      taken.is_dense() ? DenseWord::of(granule, block) : SparseWord::claimed(granule);
  std::uint64_t expected = taken.seen;
  if (!taken.word->compare_exchange_strong(expected, next, std::memory_order_acq_rel,
                                           std::memory_order_relaxed)) {
    return false;
  }
  if (!taken.is_dense()) {
    fill(taken, granule, block);
  }
  return true;
}

// Adds `block` where its address has no entry that it could stand in; false without memory.
bool AddressTable::add(const Block& block) {
  std::atomic<std::uint64_t>* head = head_of(block.address);
  ChunkRef chunk(head->load(std::memory_order_acquire));
  while (!put(chunk, block)) {
    chunk = add_chunk(block, *head, chunk);
    if (!chunk.exists()) {
      return false;
    }
  }
  return true;
}

Insert AddressTable::insert(const Block& block, Block& old) {
  if (block.address >> kAddressBits != 0) {
    return Insert::kOutOfRange;
  }
  const bool oversize = block.size >= SparseWord::kSizeMask;
  if (make_region(block.address) == nullptr ||
      (oversize && !keep_oversize(block.address, block.size))) {
    return Insert::kNoMemory;
  }
  Slot taken = find_taken(newest_chunk(block.address), block);
  while (taken.exists() && (!taken.is_dense() || DenseWord::can_hold(block))) {
    old = describe(block.address, taken, taken.seen);
    if (take_over(taken, block)) {
      if (old.size >= SparseWord::kSizeMask && !oversize) {
        drop_oversize(block.address);
      }
      return outcome(taken);
    }
    taken = find_taken(newest_chunk(block.address), block);
  }
  if (!add(block)) {
    if (oversize) {
      drop_oversize(block.address);
    }
    return Insert::kNoMemory;
  }
  if (taken.exists()) {  // last: a block that is resized where it stands never drops out of sight
    old = describe(block.address, taken, taken.seen);
    std::uint64_t expected = taken.seen;
    taken.word->compare_exchange_strong(expected, 0, std::memory_order_release,
                                        std::memory_order_relaxed);
  }
  return outcome(taken);
}

bool AddressTable::remove(std::uintptr_t address) {
  const Slot slot = find(address);
  if (!slot.exists()) {
    return false;
  }
  if (slot.is_dense()) {
    slot.word->store(0, std::memory_order_release);
    return true;
  }
  if (SparseWord::size(slot.seen) == SparseWord::kSizeMask) {
    drop_oversize(address);
  }
  forget(slot);
  return true;
}

bool AddressTable::was_used() const {
  for (const std::atomic<std::uint64_t>& word : regions_in_use_) {
    if (word.load(std::memory_order_acquire) != 0) {
      return true;
    }
  }
  return false;
}

unsigned AddressTable::pieces_used(std::uintptr_t address) const {
  const Region* region = roots_[address >> kRegionShift].load(std::memory_order_acquire);
  unsigned pieces = 0;
  for (std::size_t i = 0; region != nullptr && i < std::size(region->touched); ++i) {
    pieces +=
        static_cast<unsigned>(std::popcount(region->touched[i].load(std::memory_order_acquire)));
  }
  return pieces;
}

bool AddressTable::look_up(std::uintptr_t address, Block& block) {
  const Slot slot = find(address);
  if (slot.exists()) {
    block = describe(address, slot, slot.seen);
  }
  return slot.exists();
}

bool AddressTable::begin_transit(std::uintptr_t address, Block& old) {
  const Slot slot = find(address);
  if (!slot.exists()) {
    return false;
  }
  old = describe(address, slot, slot.word->fetch_or(kTransit, std::memory_order_relaxed));
  return true;
}

void AddressTable::cancel_transit(std::uintptr_t address) {
  if (const Slot slot = find(address); slot.exists()) {
    slot.word->fetch_and(~kTransit, std::memory_order_relaxed);
  }
}

void AddressTable::end_transit(const Block& old) {
  const std::uint64_t granule = granule_of(old.address);
  const Slot slot = find(old.address);
  if (!slot.exists()) {
    return;
  }
  if (slot.is_dense()) {
    std::uint64_t word = kTransit | DenseWord::of(granule, old);
    slot.word->compare_exchange_strong(word, 0, std::memory_order_release,
                                       std::memory_order_relaxed);
    return;
  }
  std::uint64_t word = kTransit | SparseWord::of(granule, old);
  // Claimed, so that the mark can be cleared before the word is.
  if (slot.word->compare_exchange_strong(word, SparseWord::claimed(granule),
                                         std::memory_order_acquire, std::memory_order_relaxed)) {
    if (old.size >= SparseWord::kSizeMask) {
      drop_oversize(old.address);
    }
    forget(slot);
  }
}

std::uint64_t AddressTable::size_of_oversize(std::uintptr_t address) const {
  for (const Oversize& entry : oversize_) {
    if (entry.address.load(std::memory_order_acquire) == address) {
      return entry.size.load(std::memory_order_relaxed);
    }
  }
  return SparseWord::kSizeMask;
}

bool AddressTable::keep_oversize(std::uintptr_t address, std::uint64_t size) {
  for (Oversize& entry : oversize_) {
    std::uintptr_t owner = entry.address.load(std::memory_order_relaxed);
    if (owner == address || (owner == 0 && entry.address.compare_exchange_strong(
                                               owner, address, std::memory_order_acq_rel))) {
      entry.size.store(size, std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

void AddressTable::drop_oversize(std::uintptr_t address) {
  for (Oversize& entry : oversize_) {
    std::uintptr_t owner = address;
    entry.address.compare_exchange_strong(owner, 0, std::memory_order_release,
                                          std::memory_order_relaxed);
  }
}

}  // namespace seep::table
