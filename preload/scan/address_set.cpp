#include "preload/scan/address_set.h"

namespace seep::scan {

AddressSet::~AddressSet() {
  for (std::size_t i = 0; i < regions_.capacity(); ++i) {
    if (regions_[i] != nullptr) {
      runtime::unmap_pages(regions_[i], kRegionBytes);
    }
  }
}

bool AddressSet::add(std::uintptr_t address) {
  if (address >> kAddressBits != 0) {
    return false;
  }
  std::uint64_t*& region = regions_[address >> kRegionShift];
  if (region == nullptr) {
    region = static_cast<std::uint64_t*>(runtime::map_pages(kRegionBytes));
    if (region == nullptr) {
      return false;
    }
  }
  const std::uintptr_t granule =
      (address & ((std::uintptr_t{1} << kRegionShift) - 1)) >> kGranuleShift;
  const std::uint64_t bit = std::uint64_t{1} << (granule % 64);
  const bool is_new = (region[granule / 64] & bit) == 0;
  region[granule / 64] |= bit;
  return is_new;
}

}  // namespace seep::scan
