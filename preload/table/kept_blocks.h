// Blocks that the program wants to be left alone, or objects of pools: they are no losses, and hold
// what they point to.
// Context: IN-HOOK, any thread. Lock-free; an entry stands until its block is gone and another one
// needs its place.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/table/address_table.h"
#include "preload/table/pool_table.h"
#include "preload/table/segmented_array.h"

namespace seep::table {

class KeptBlocks {
 public:
  constexpr KeptBlocks() = default;
  KeptBlocks(const KeptBlocks&) = delete;
  KeptBlocks& operator=(const KeptBlocks&) = delete;

  // Keeps a block that stands in `blocks`, of either kind but always the same; false when there is
  // no room near its place.
  template <typename Table>
  bool add(const Block& block, Table& blocks);

  // Calls visit(address) for each that is still alive. Nobody may change anything meanwhile.
  template <typename Table, typename Visit>
  void visit(Table& blocks, Visit&& visit) const {
    for (std::size_t i = 0; any_.load(std::memory_order_relaxed) && i < kEntries; ++i) {
      const Entry* entry = entries_.find(i);
      if (entry == nullptr) {
        i |= kSegmentEntries - 1;  // nobody has reached this segment
      } else if (is_alive(*entry, blocks)) {
        visit(entry->address.load(std::memory_order_relaxed));
      }
    }
  }

 private:
  static constexpr unsigned kSegmentBits = 8;
  static constexpr std::size_t kSegmentEntries = std::size_t{1} << kSegmentBits;
  static constexpr std::size_t kSegments = 4096;
  static constexpr std::size_t kEntries = kSegmentEntries * kSegments;
  static constexpr unsigned kPlacesToTry = 128;

  // Tells the block from a later one at the same address.
  struct Entry {
    std::atomic<std::uintptr_t> address;  // 0: free. Relaxed: a scan reads it in a copy
    std::atomic<std::uint64_t> site_and_birth;
  };

  static std::uint64_t identity_of(const Block& block) {
    return std::uint64_t{block.site} << 32 | block.birth;
  }
  template <typename Table>
  static bool is_alive(const Entry& entry, Table& blocks);

  std::atomic<bool> any_{false};  // relaxed: as above
  SegmentedArray<Entry, kSegmentBits, kSegments> entries_;
};

}  // namespace seep::table
