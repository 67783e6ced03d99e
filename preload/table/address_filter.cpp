#include "preload/table/address_filter.h"

#include <bit>

#include "preload/runtime/arena.h"

namespace seep::table {
namespace {

// Threads that change one counter at the same time; more often than this in a row never happens by
// chance.
constexpr unsigned kMostAttempts = 64;
// A counter for each hundredth of the mean, about: so rarely does a release meet a block's counter.
constexpr unsigned kStretchesShift = 7;

}  // namespace

void AddressFilter::start(std::uint64_t mean_bytes) {
  const auto log2_of_mean = static_cast<unsigned>(std::bit_width(mean_bytes)) - 1;
  const unsigned wanted = log2_of_mean > kStretchesShift ? log2_of_mean - kStretchesShift : 0;
  shift_ = wanted < kLeastShift ? kLeastShift : wanted > kMostShift ? kMostShift : wanted;
}

// The counters of a region, mapped when its first block is added; null when there is no memory.
std::atomic<std::uint8_t>* AddressFilter::counters_of(std::uintptr_t address) {
  std::atomic<std::atomic<std::uint8_t>*>& root = roots_[region_of(address)];
  std::atomic<std::uint8_t>* counters = root.load(std::memory_order_acquire);
  if (counters != nullptr) {
    return counters;
  }
  const std::size_t bytes = std::size_t{1} << (kRegionShift - shift_);
  auto* fresh = static_cast<std::atomic<std::uint8_t>*>(runtime::map_pages(bytes));
  if (fresh == nullptr) {
    return nullptr;
  }
  if (root.compare_exchange_strong(counters, fresh, std::memory_order_acq_rel,
                                   std::memory_order_acquire)) {
    return fresh;
  }
  runtime::unmap_pages(fresh, bytes);
  return counters;
}

bool AddressFilter::add(std::uintptr_t address) {
  std::atomic<std::uint8_t>* counters = counters_of(address);
  if (counters == nullptr) {
    return false;
  }
  std::atomic<std::uint8_t>& counter = counters[index_of(address)];
  std::uint8_t count = counter.load(std::memory_order_relaxed);
  for (unsigned attempt = 0; attempt < kMostAttempts; ++attempt) {
    if (count == kStuck ||
        counter.compare_exchange_weak(count, static_cast<std::uint8_t>(count + 1),
                                      std::memory_order_relaxed)) {
      return true;
    }
  }
  counter.store(kStuck, std::memory_order_relaxed);
  return true;
}

void AddressFilter::remove(std::uintptr_t address) {
  std::atomic<std::uint8_t>* counters = roots_[region_of(address)].load(std::memory_order_acquire);
  if (counters == nullptr) {
    return;
  }
  std::atomic<std::uint8_t>& counter = counters[index_of(address)];
  std::uint8_t count = counter.load(std::memory_order_relaxed);
  for (unsigned attempt = 0; attempt < kMostAttempts; ++attempt) {
    if (count == kStuck || count == 0 ||
        counter.compare_exchange_weak(count, static_cast<std::uint8_t>(count - 1),
                                      std::memory_order_relaxed)) {
      return;
    }
  }
}

}  // namespace seep::table
