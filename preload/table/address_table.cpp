#include "preload/table/address_table.h"

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

// A free slot of any of the page's chunks; the newest has the most.
AddressTable::Slot AddressTable::claim(ChunkRef head, std::uint64_t granule) {
  for (ChunkRef chunk = head; chunk.exists(); chunk = chunk.chunk().next) {
    if (const Slot slot = claim_in_chunk(chunk, granule); slot.exists()) {
      return slot;
    }
  }
  return {};
}

unsigned AddressTable::count_blocks(ChunkRef head) {
  unsigned count = 0;
  for (ChunkRef chunk = head; chunk.exists(); chunk = chunk.chunk().next) {
    for (unsigned g = 0; g < chunk.groups(); ++g) {
      const SlotGroup group = chunk.group(g);
      for (unsigned i = 0; i < group.slots(); ++i) {
        count += group.word(i).load(std::memory_order_relaxed) != 0 ? 1U : 0U;
      }
    }
  }
  return count;
}

unsigned AddressTable::blocks_in_page_before(std::uintptr_t address) {
  const std::uintptr_t page = address >> kPageShift << kPageShift;
  if (page == 0) {
    return 0;
  }
  std::atomic<std::uint64_t>* head = head_of(page - 1);
  return head == nullptr ? 0 : count_blocks(ChunkRef(head->load(std::memory_order_acquire)));
}

// Puts a chunk in front of `seen`; when another thread was faster, returns what it put there.
ChunkRef AddressTable::add_chunk(std::uintptr_t address, std::atomic<std::uint64_t>& head,
                                 ChunkRef seen) {
  const unsigned present = !seen.exists() ? 0 : seen.chunk().slots_in_page;
  unsigned slots = !seen.exists() ? blocks_in_page_before(address) : present;
  slots = slots == 0 ? kFirstSlots : slots <= 4 ? slots : (slots + 3) / 4 * 4;
  if (present >= kMostSlots || slots > kMostSlots) {
    slots = kMostSlots;
  }
  const unsigned groups = (slots + SlotGroup::kSlots - 1) / SlotGroup::kSlots;
  const unsigned of_group = groups == 1 ? slots : SlotGroup::kSlots;
  auto* chunk = static_cast<PageChunk*>(chunks_.allocate(PageChunk::bytes_for(groups, of_group)));
  if (chunk == nullptr) {
    return {};
  }
  chunk->next = seen;
  chunk->slots_in_page = present + groups * of_group;
  const ChunkRef fresh(chunk, groups, of_group);
  fresh.group(0).close();
  Region* region = roots_[address >> kRegionShift].load(std::memory_order_acquire);
  const std::size_t group = ((address >> kPageShift) & (kPagesPerRegion - 1)) / kPagesPerGroup;
  region->touched[group / 64].fetch_or(std::uint64_t{1} << (group % 64), std::memory_order_release);
  std::uint64_t expected = seen.word();
  if (!head.compare_exchange_strong(expected, fresh.word(), std::memory_order_acq_rel,
                                    std::memory_order_acquire)) {
    return ChunkRef(expected);  // the fresh chunk is lost: at most 3.3 KB, once a thread and page
  }
  return fresh;
}

// Puts `block` in the slot of an entry at the same address, and returns the word that was there; 0
// when the entry is gone: the thread that moves the old block away has just forgotten it, and the
// slot may be another granule's by now.
std::uint64_t AddressTable::take_over(const Slot& taken, const Block& block, Block& old) {
  const std::uint64_t granule = granule_of(block.address);
  const std::uint32_t birth = taken.birth().load(std::memory_order_relaxed);
  std::uint64_t word = taken.word().load(std::memory_order_relaxed);
  if (word >> 56 != granule || site_of(word) == 0 ||
      !taken.word().compare_exchange_strong(word, granule << 56 | kTransit,
                                            std::memory_order_acquire, std::memory_order_relaxed)) {
    return 0;
  }
  old = describe(block.address, word, birth);
  fill(taken, block);
  if ((word & kSizeMask) == kSizeMask && block.size < kSizeMask) {
    drop_oversize(block.address);
  }
  return word;
}

Insert AddressTable::insert(const Block& block, Block& old) {
  if (block.address >> kAddressBits != 0) {
    return Insert::kOutOfRange;
  }
  if (make_region(block.address) == nullptr ||
      (block.size >= kSizeMask && !keep_oversize(block.address, block.size))) {
    return Insert::kNoMemory;
  }
  std::atomic<std::uint64_t>* head = head_of(block.address);
  const std::uint64_t granule = granule_of(block.address);
  ChunkRef chunk(head->load(std::memory_order_acquire));
  while (true) {
    if (const Slot taken = find(chunk, granule); taken.exists()) {
      const std::uint64_t before = take_over(taken, block, old);
      if (before != 0) {
        return (before & kTransit) != 0 ? Insert::kNew : Insert::kReplaced;
      }
      continue;
    }
    if (const Slot slot = claim(chunk, granule); slot.exists()) {
      fill(slot, block);
      return Insert::kNew;
    }
    chunk = add_chunk(block.address, *head, chunk);
    if (!chunk.exists()) {
      if (block.size >= kSizeMask) {
        drop_oversize(block.address);
      }
      return Insert::kNoMemory;
    }
  }
}

bool AddressTable::look_up(std::uintptr_t address, Block& block) {
  const Slot slot = find(address);
  if (slot.exists()) {
    block = describe(address, slot.word().load(std::memory_order_relaxed),
                     slot.birth().load(std::memory_order_relaxed));
  }
  return slot.exists();
}

bool AddressTable::begin_transit(std::uintptr_t address, Block& old) {
  const Slot slot = find(address);
  if (!slot.exists()) {
    return false;
  }
  const std::uint64_t word = slot.word().fetch_or(kTransit, std::memory_order_relaxed);
  old = describe(address, word, slot.birth().load(std::memory_order_relaxed));
  return true;
}

void AddressTable::cancel_transit(std::uintptr_t address) {
  if (const Slot slot = find(address); slot.exists()) {
    slot.word().fetch_and(~kTransit, std::memory_order_relaxed);
  }
}

void AddressTable::end_transit(std::uintptr_t address) {
  const Slot slot = find(address);
  if (!slot.exists()) {
    return;
  }
  std::uint64_t word = slot.word().load(std::memory_order_relaxed);
  if (word >> 56 != granule_of(address) || (word & kTransit) == 0 || site_of(word) == 0) {
    return;  // another thread has recorded, or is recording, a new block at this address
  }
  const bool oversize = (word & kSizeMask) == kSizeMask;
  // Claimed, so that the mark can be cleared before the word is.
  if (slot.word().compare_exchange_strong(word, granule_of(address) << 56 | kTransit,
                                          std::memory_order_acquire, std::memory_order_relaxed)) {
    if (oversize) {
      drop_oversize(address);
    }
    forget(slot);
  }
}

Block AddressTable::describe(std::uintptr_t address, std::uint64_t word,
                             std::uint32_t birth) const {
  std::uint64_t size = word & kSizeMask;
  if (size == kSizeMask) [[unlikely]] {
    for (const Oversize& entry : oversize_) {
      if (entry.address.load(std::memory_order_acquire) == address) {
        size = entry.size.load(std::memory_order_relaxed);
      }
    }
  }
  return {address, size, site_of(word), birth};
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
