// A set of addresses: a bit for each 8 bytes of the address space, in pages that are made where one
// is set. Context: IN-FORK-CHILD. One owner.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/scan/pages.h"

namespace seep::scan {

class AddressSet {
 public:
  AddressSet() = default;
  ~AddressSet();
  AddressSet(const AddressSet&) = delete;
  AddressSet& operator=(const AddressSet&) = delete;

  // False when the kernel has no memory. To be called once, before all else.
  bool map() { return regions_.map(kRegions); }
  // Whether it was not in the set before. Addresses of one granule of 8 bytes are one. False where
  // it cannot be told: the address is none of a program, or there is no memory.
  bool add(std::uintptr_t address);

 private:
  static constexpr unsigned kRegionShift = 30;
  static constexpr unsigned kGranuleShift = 3;
  static constexpr unsigned kAddressBits = 47;
  static constexpr std::size_t kRegions = std::size_t{1} << (kAddressBits - kRegionShift);
  static constexpr std::size_t kRegionBytes = std::size_t{1} << (kRegionShift - kGranuleShift - 3);

  Pages<std::uint64_t*> regions_;
};

}  // namespace seep::scan
