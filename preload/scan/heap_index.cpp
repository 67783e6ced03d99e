#include "preload/scan/heap_index.h"

#include <bit>

namespace seep::scan {

template <typename Table, unsigned kGranuleShift>
HeapIndex<Table, kGranuleShift>::~HeapIndex() {
  for (const std::uint32_t r : regions_in_use_) {
    runtime::unmap_pages(regions_[r], sizeof(Region));
  }
}

template <typename Table, unsigned kGranuleShift>
bool HeapIndex<Table, kGranuleShift>::map() {
  return regions_.map(kRegions) && regions_in_use_.map(kRegions) && large_.map(kMostLarge) &&
         infos_.map();
}

template <typename Table, unsigned kGranuleShift>
typename HeapIndex<Table, kGranuleShift>::Region* HeapIndex<Table, kGranuleShift>::make_region(
    std::uint64_t address) {
  Region*& region = regions_[address >> kRegionShift];
  if (region == nullptr) {
    region = static_cast<Region*>(runtime::map_pages(sizeof(Region)));
    if (region != nullptr) {
      regions_in_use_.add(static_cast<std::uint32_t>(address >> kRegionShift));
      if (blocks_.pieces_used(address) >= kPiecesOfLargeHeap) {
        runtime::prefer_huge_pages(region->pages, sizeof(region->pages) + sizeof(region->places));
      }
    }
  }
  return region;
}

template <typename Table, unsigned kGranuleShift>
bool HeapIndex<Table, kGranuleShift>::add(const table::Block& block) {
  Region* region = make_region(block.address);
  if (region == nullptr) {
    return false;
  }
  const std::size_t p = page_in_region(block.address);
  if (!add_info(*region, block)) {
    return false;
  }
  const std::size_t group = p / kGroupPages;
  region->touched[group / 64] |= std::uint64_t{1} << (group % 64);
  const std::uint64_t end = block.address + bytes_of(block);
  low_ = block.address < low_ ? block.address : low_;
  high_ = high_ == UINT64_MAX || end > high_ ? end : high_;
  return (block.address >> kPageShift) == ((end - 1) >> kPageShift) || add_span(block);
}

template <typename Table, unsigned kGranuleShift>
bool HeapIndex<Table, kGranuleShift>::add_info(Region& region, const table::Block& block) {
  const std::size_t p = page_in_region(block.address);
  HeapPage& page = region.pages[p];
  const unsigned granule = granule_of(block.address);
  const std::uint64_t bit = std::uint64_t{1} << (granule % 64);
  if ((page.starts[granule / 64] & bit) != 0) {
    return true;
  }
  std::uint64_t any = 0;
  for (const std::uint64_t starts : page.starts) {
    any |= starts;
  }
  for (unsigned w = 0; any == 0 && w < kWords; ++w) {
    region.places[p][w] = static_cast<std::uint32_t>(infos_.size());
  }
  if (!infos_.insert(place_of(block.address), NodeInfo(block))) {
    return false;
  }
  page.starts[granule / 64] |= bit;
  for (unsigned w = granule / 64 + 1; w < kWords; ++w) {
    ++region.places[p][w];
  }
  return true;
}

template <typename Table, unsigned kGranuleShift>
bool HeapIndex<Table, kGranuleShift>::add_span(const table::Block& block) {
  const std::uintptr_t end = block.address + bytes_of(block);
  if (bytes_of(block) >= kLargeBytes && large_.add({block.address, end})) {
    return true;
  }
  const std::uintptr_t first = (block.address >> kPageShift) + 1;
  for (std::uintptr_t page = first; page <= (end - 1) >> kPageShift; ++page) {
    Region* region = make_region(page << kPageShift);
    if (region == nullptr) {
      return false;
    }
    region->spans[page_in_region(page << kPageShift)] = block.address;
  }
  return true;
}

template <typename Table, unsigned kGranuleShift>
std::uintptr_t HeapIndex<Table, kGranuleShift>::find_large(std::uint64_t address) const {
  std::size_t low = 0;
  std::size_t high = large_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (large_[middle].end <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < large_.size() && large_[low].begin <= address ? large_[low].begin : 0;
}

template <typename Table, unsigned kGranuleShift>
bool HeapIndex<Table, kGranuleShift>::find(std::uint64_t address, table::Block& block) const {
  const std::uintptr_t start = is_near(address) ? find_start(address) : 0;
  return start != 0 && blocks_.look_up(start, block) && holds(block, address);
}

template <typename Table, unsigned kGranuleShift>
bool HeapIndex<Table, kGranuleShift>::mark(std::uintptr_t start) {
  std::uint64_t& word =
      region_of(start)->pages[page_in_region(start)].marked[granule_of(start) / 64];
  const std::uint64_t bit = std::uint64_t{1} << (granule_of(start) % 64);
  const bool fresh = (word & bit) == 0;
  word |= bit;
  return fresh;
}

template <typename Table, unsigned kGranuleShift>
void HeapIndex<Table, kGranuleShift>::settle(std::uintptr_t start, std::uint64_t bytes) {
  mark(start);
  const std::uintptr_t first = (start + runtime::kPageBytes - 1) >> kPageShift;
  const std::uintptr_t behind = (start + bytes) >> kPageShift;
  for (std::uintptr_t page = first; page < behind; ++page) {
    Region* region = region_of(page << kPageShift);
    if (region == nullptr) {  // of the few largest blocks, which have no pages here
      return;
    }
    region->settled[page_in_region(page << kPageShift) / 64] |= bit_of_page(page << kPageShift);
  }
}

template <typename Table, unsigned kGranuleShift>
std::uintptr_t HeapIndex<Table, kGranuleShift>::end_of_span(std::uintptr_t address) const {
  std::uintptr_t start = 0;
  if (const Region* region = region_of(address); region != nullptr) {
    start = region->spans[page_in_region(address)];
  }
  if (start == 0 && large_.size() != 0) {
    start = find_large(address);
  }
  if (start == 0 || start >= address) {
    return address;
  }
  const std::uint64_t bytes = extent_of(start, info_of(start));
  const std::uintptr_t end = (start + bytes + 7) & ~std::uintptr_t{7};
  return end > address ? end : address;
}

template class HeapIndex<table::AddressTable, 4>;
template class HeapIndex<table::PoolTable, 3>;

}  // namespace seep::scan
