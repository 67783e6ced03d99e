// Whether a block may be among the sampled ones: a small look at each release, so that one of the
// many that are not costs no look-up in the address table.
// Context: IN-HOOK. Any thread, also inside a signal handler that interrupted one of its calls.
// Lock-free, every loop is bounded; memory is never given back.
//
// Counters of a byte, indexed by address: each stands for a fixed stretch of address space and
// counts the sampled blocks that begin in it. The stretch is chosen for about one release in a
// hundred to meet a counter that is not zero. Nothing is hashed, so there is nothing to rebuild as
// the heap grows: a region of it brings counters of its own.
//
//   address:  46……30 region (1 GiB) | 29……shift counter | shift-1…0
//
//   roots_[region] -> counters[2^(30-shift)]
//
// With the default mean, 512 KiB, a counter covers 4 KiB: neighbours share a cache line for 256 KiB
// of heap, and a heap of 1 GiB has counters of 256 KiB in all.
//
// No false negative: a counter is at least the number of blocks added to it and not yet removed, or
// it is kStuck. For it is changed by compare-and-exchange only: add() raises it by one or sets it
// to kStuck, remove() lowers it by one for a block that was added, and a counter that is kStuck
// stays so. Too many collisions of threads leave it too high, never too low. Who releases a block
// got its address from who allocated it, and what made that safe orders add() before may_hold(); so
// relaxed order is enough for the counters.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace seep::table {

class AddressFilter {
 public:
  constexpr AddressFilter() = default;
  AddressFilter(const AddressFilter&) = delete;
  AddressFilter& operator=(const AddressFilter&) = delete;

  // AT-INIT, before the first add: blocks will lie about `mean_bytes` apart.
  void start(std::uint64_t mean_bytes);

  // Before the block is put into the address table. False: no memory, and the block must not be
  // recorded, since its release would not be seen.
  bool add(std::uintptr_t address);

  // False: no block at this address was added, or it was removed again.
  [[nodiscard]] bool may_hold(std::uintptr_t address) const {
    const std::atomic<std::uint8_t>* counters =
        roots_[region_of(address)].load(std::memory_order_acquire);
    return counters != nullptr && counters[index_of(address)].load(std::memory_order_relaxed) != 0;
  }

  // Once for each add, after the block was taken out of the address table.
  void remove(std::uintptr_t address);

 private:
  static constexpr unsigned kAddressBits = 47;
  static constexpr unsigned kRegionShift = 30;
  static constexpr std::size_t kRegions = std::size_t{1} << (kAddressBits - kRegionShift);
  static constexpr unsigned kLeastShift = 6;
  static constexpr unsigned kMostShift = 12;
  static constexpr std::uint8_t kStuck = 255;

  static std::size_t region_of(std::uintptr_t address) {
    return (address >> kRegionShift) & (kRegions - 1);
  }
  [[nodiscard]] std::size_t index_of(std::uintptr_t address) const {
    return (address & ((std::uintptr_t{1} << kRegionShift) - 1)) >> shift_;
  }
  std::atomic<std::uint8_t>* counters_of(std::uintptr_t address);

  std::atomic<std::atomic<std::uint8_t>*> roots_[kRegions] = {};  // release in counters_of, acquire
                                                                  // in readers
  unsigned shift_ = kMostShift;
};

}  // namespace seep::table
