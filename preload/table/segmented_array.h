// An array that grows without moving: segments are mapped when first touched and stay.
// Context: IN-HOOK. Lock-free; entries start zeroed; a reference stays good for the life of the
// process.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/runtime/arena.h"

namespace seep::table {

template <typename Entry, unsigned kSegmentBits, std::size_t kSegments>
class SegmentedArray {
 public:
  static constexpr std::size_t kSegmentEntries = std::size_t{1} << kSegmentBits;
  static constexpr std::size_t kCapacity = kSegmentEntries * kSegments;

  // The entry, or null when it is beyond the capacity or the kernel has no memory.
  Entry* reach(std::size_t index) {
    if (index >= kCapacity) {
      return nullptr;
    }
    std::atomic<Entry*>& slot = segments_[index >> kSegmentBits];
    Entry* segment = slot.load(std::memory_order_acquire);
    if (segment == nullptr) [[unlikely]] {
      segment = map_segment(slot);
      if (segment == nullptr) {
        return nullptr;
      }
    }
    return segment + (index & (kSegmentEntries - 1));
  }

  // The entry; only for an index that reach() returned an entry for before.
  Entry& at(std::size_t index) const {
    return segments_[index >> kSegmentBits].load(
        std::memory_order_acquire)[index & (kSegmentEntries - 1)];
  }

  // The entry, or null when nobody has reached its segment.
  const Entry* find(std::size_t index) const {
    if (index >= kCapacity) {
      return nullptr;
    }
    const Entry* segment = segments_[index >> kSegmentBits].load(std::memory_order_acquire);
    return segment == nullptr ? nullptr : segment + (index & (kSegmentEntries - 1));
  }

 private:
  static Entry* map_segment(std::atomic<Entry*>& slot) {
    constexpr std::size_t kBytes = kSegmentEntries * sizeof(Entry);
    auto* fresh = static_cast<Entry*>(runtime::map_pages(kBytes));
    if (fresh == nullptr) {
      return nullptr;
    }
    Entry* expected = nullptr;
    if (slot.compare_exchange_strong(expected, fresh, std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
      return fresh;
    }
    runtime::unmap_pages(fresh, kBytes);
    return expected;
  }

  std::atomic<Entry*> segments_[kSegments] =
      {};  // release in map_segment, acquire in reach/at/find
};

}  // namespace seep::table
