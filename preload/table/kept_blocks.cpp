#include "preload/table/kept_blocks.h"

namespace seep::table {

template <typename Table>
bool KeptBlocks::is_alive(const Entry& entry, Table& blocks) {
  Block block;
  const std::uintptr_t address = entry.address.load(std::memory_order_relaxed);
  return address != 0 && blocks.look_up(address, block) &&
         identity_of(block) == entry.site_and_birth.load(std::memory_order_relaxed);
}

template <typename Table>
bool KeptBlocks::add(const Block& block, Table& blocks) {
  any_.store(true, std::memory_order_relaxed);
  const std::size_t place = (block.address >> 4) * 0x9E3779B97F4A7C15ULL >> 44;
  for (unsigned i = 0; i < kPlacesToTry; ++i) {
    Entry* entry = entries_.reach((place + i) % kEntries);
    if (entry == nullptr) {
      return false;
    }
    std::uintptr_t found = entry->address.load(std::memory_order_relaxed);
    const bool is_free = found == 0 || found == block.address || !is_alive(*entry, blocks);
    if (is_free &&
        entry->address.compare_exchange_strong(found, block.address, std::memory_order_relaxed)) {
      entry->site_and_birth.store(identity_of(block), std::memory_order_relaxed);
      return true;
    }
  }
  return false;
}

template bool KeptBlocks::add(const Block&, AddressTable&);
template bool KeptBlocks::add(const Block&, PoolTable&);
template bool KeptBlocks::is_alive(const Entry&, AddressTable&);
template bool KeptBlocks::is_alive(const Entry&, PoolTable&);

}  // namespace seep::table
