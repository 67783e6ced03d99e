#include "preload/table/address_table.h"

namespace seep::table {

std::atomic<AddressTable::Chunk*>* AddressTable::head_of(std::uintptr_t address, bool create) {
  std::atomic<Region*>& root = roots_[address >> kRegionShift];
  Region* region = root.load(std::memory_order_acquire);
  if (region == nullptr) [[unlikely]] {
    if (!create) {
      return nullptr;
    }
    auto* fresh = static_cast<Region*>(runtime::map_pages(sizeof(Region)));
    if (fresh == nullptr) {
      return nullptr;
    }
    if (root.compare_exchange_strong(region, fresh, std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
      region = fresh;
    } else {
      runtime::unmap_pages(fresh, sizeof(Region));
    }
  }
  return &region->heads[(address >> kPageShift) & (kPagesPerRegion - 1)];
}

// The slot of a granule in one chunk, and, if asked for, the first free slot of its group.
AddressTable::Slot AddressTable::find_in_chunk(const Chunk& chunk, std::uint64_t granule,
                                               Slot* free_slot) {
  const unsigned begin = group_begin(chunk, granule);
  for (unsigned i = begin; i < begin + group_size(chunk); ++i) {
    std::atomic<std::uint64_t>& word = chunk.words()[i];
    const std::uint64_t value = word.load(std::memory_order_acquire);
    if (value >> 56 == granule && site_of(value) != 0) {
      return {&word, &chunk.births()[i]};
    }
    if (value == 0 && free_slot != nullptr && free_slot->word == nullptr) {
      *free_slot = {&word, &chunk.births()[i]};
    }
  }
  return {};
}

AddressTable::Slot AddressTable::find(const Chunk* head, std::uint64_t granule, Slot* free_slot) {
  for (const Chunk* chunk = head; chunk != nullptr; chunk = chunk->next) {
    const Slot slot = find_in_chunk(*chunk, granule, free_slot);
    if (slot.word != nullptr) {
      return slot;
    }
  }
  return {};
}

unsigned AddressTable::count_blocks(const Chunk* head) {
  unsigned count = 0;
  for (const Chunk* chunk = head; chunk != nullptr; chunk = chunk->next) {
    for (unsigned i = 0; i < chunk->slots; ++i) {
      count += chunk->words()[i].load(std::memory_order_relaxed) != 0 ? 1U : 0U;
    }
  }
  return count;
}

unsigned AddressTable::blocks_in_page_before(std::uintptr_t address) {
  const std::uintptr_t page = address >> kPageShift << kPageShift;
  if (page == 0) {
    return 0;
  }
  std::atomic<Chunk*>* head = head_of(page - 1, false);
  return head == nullptr ? 0 : count_blocks(head->load(std::memory_order_acquire));
}

// Puts a chunk in front of `seen`; when another thread was faster, returns what it put there.
AddressTable::Chunk* AddressTable::add_chunk(std::uintptr_t address, std::atomic<Chunk*>& head,
                                             Chunk* seen) {
  const unsigned present = seen == nullptr ? 0 : seen->slots_in_page;
  unsigned slots = seen == nullptr ? blocks_in_page_before(address) : present / 2;
  if (slots > kFirstSlots) {
    slots = (slots + kGroupSlots - 1) / kGroupSlots * kGroupSlots;
  } else {
    slots = kFirstSlots;
  }
  if (present >= kMostSlots || slots > kMostSlots) {
    slots = kMostSlots;
  }
  const std::size_t bytes = sizeof(Chunk) + slots * (sizeof(std::uint64_t) + sizeof(std::uint32_t));
  auto* chunk = static_cast<Chunk*>(chunks_.allocate(bytes));
  if (chunk == nullptr) {
    return nullptr;
  }
  chunk->next = seen;
  chunk->slots = slots;
  chunk->slots_in_page = present + slots;
  Region* region = roots_[address >> kRegionShift].load(std::memory_order_acquire);
  const std::size_t group = ((address >> kPageShift) & (kPagesPerRegion - 1)) / kPagesPerGroup;
  region->touched[group / 64].fetch_or(std::uint64_t{1} << (group % 64), std::memory_order_release);
  if (!head.compare_exchange_strong(seen, chunk, std::memory_order_acq_rel,
                                    std::memory_order_acquire)) {
    return seen;  // the fresh chunk is lost: a few hundred bytes, at most once a thread and page
  }
  return chunk;
}

// Puts `block` in the slot of an entry at the same address, and returns the word that was there; 0
// when the entry is gone: the thread that moves the old block away has just forgotten it, and the
// slot may be another granule's by now.
std::uint64_t AddressTable::take_over(const Slot& taken, const Block& block, Block& old) {
  const std::uint64_t granule = granule_of(block.address);
  const std::uint32_t birth = taken.birth->load(std::memory_order_relaxed);
  std::uint64_t word = taken.word->load(std::memory_order_relaxed);
  if (word >> 56 != granule || site_of(word) == 0 ||
      !taken.word->compare_exchange_strong(word, granule << 56 | kTransit,
                                           std::memory_order_acquire, std::memory_order_relaxed)) {
    return 0;
  }
  old = describe(block.address, word, birth);
  taken.birth->store(block.birth, std::memory_order_relaxed);
  taken.word->store(make_word(block), std::memory_order_release);
  if ((word & kSizeMask) == kSizeMask && block.size < kSizeMask) {
    drop_oversize(block.address);
  }
  return word;
}

Insert AddressTable::insert(const Block& block, Block& old) {
  if (block.address >> kAddressBits != 0) {
    return Insert::kOutOfRange;
  }
  std::atomic<Chunk*>* head = head_of(block.address, true);
  if (head == nullptr) {
    return Insert::kNoMemory;
  }
  if (block.size >= kSizeMask && !keep_oversize(block.address, block.size)) {
    return Insert::kNoMemory;
  }
  const std::uint64_t granule = granule_of(block.address);
  Chunk* chunk = head->load(std::memory_order_acquire);
  while (true) {
    Slot free_slot;
    const Slot taken = find(chunk, granule, &free_slot);
    if (taken.word != nullptr) {
      const std::uint64_t before = take_over(taken, block, old);
      if (before != 0) {
        return (before & kTransit) != 0 ? Insert::kNew : Insert::kReplaced;
      }
      continue;
    }
    std::uint64_t expected = 0;
    if (free_slot.word == nullptr) {
      chunk = add_chunk(block.address, *head, chunk);
      if (chunk == nullptr) {
        return Insert::kNoMemory;
      }
    } else if (free_slot.word->compare_exchange_strong(expected, granule << 56 | kTransit,
                                                       std::memory_order_acquire,
                                                       std::memory_order_relaxed)) {
      free_slot.birth->store(block.birth, std::memory_order_relaxed);
      free_slot.word->store(make_word(block), std::memory_order_release);
      return Insert::kNew;
    }
  }
}

bool AddressTable::remove(std::uintptr_t address, Block& old) {
  if (address >> kAddressBits != 0) {
    return false;
  }
  std::atomic<Chunk*>* head = head_of(address, false);
  if (head == nullptr) {
    return false;
  }
  const Slot slot = find(head->load(std::memory_order_acquire), granule_of(address), nullptr);
  if (slot.word == nullptr) {
    return false;
  }
  std::uint64_t word = slot.word->load(std::memory_order_relaxed);
  old = describe(address, word, slot.birth->load(std::memory_order_relaxed));
  if (old.size >= kSizeMask) {
    drop_oversize(address);
  }
  // Only the owner of a block frees it; a program that frees twice at once loses this race cleanly.
  return site_of(word) != 0 && slot.word->compare_exchange_strong(
                                   word, 0, std::memory_order_release, std::memory_order_relaxed);
}

bool AddressTable::begin_transit(std::uintptr_t address, Block& old) {
  std::atomic<Chunk*>* head = address >> kAddressBits == 0 ? head_of(address, false) : nullptr;
  if (head == nullptr) {
    return false;
  }
  const Slot slot = find(head->load(std::memory_order_acquire), granule_of(address), nullptr);
  if (slot.word == nullptr) {
    return false;
  }
  const std::uint64_t word = slot.word->fetch_or(kTransit, std::memory_order_relaxed);
  old = describe(address, word, slot.birth->load(std::memory_order_relaxed));
  return true;
}

void AddressTable::cancel_transit(std::uintptr_t address) {
  const Slot slot =
      find(head_of(address, false)->load(std::memory_order_acquire), granule_of(address), nullptr);
  if (slot.word != nullptr) {
    slot.word->fetch_and(~kTransit, std::memory_order_relaxed);
  }
}

void AddressTable::end_transit(std::uintptr_t address) {
  const Slot slot =
      find(head_of(address, false)->load(std::memory_order_acquire), granule_of(address), nullptr);
  if (slot.word == nullptr) {
    return;
  }
  std::uint64_t word = slot.word->load(std::memory_order_relaxed);
  if ((word & kTransit) == 0 || site_of(word) == 0) {
    return;  // another thread has recorded, or is recording, a new block at this address
  }
  if ((word & kSizeMask) == kSizeMask) {
    drop_oversize(address);
  }
  slot.word->compare_exchange_strong(word, 0, std::memory_order_release, std::memory_order_relaxed);
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
