#include "preload/table/range_table.h"

#include <string.h>

#include "preload/runtime/arena.h"

namespace seep::table {

// A signal handler above a change of its own thread's would wait for itself. Walks block signals.
bool RangeTable::lock(std::uintptr_t self) {
  for (unsigned spin = 0; spin < kMostSpins; ++spin) {
    std::uintptr_t holder = 0;
    if (holder_.compare_exchange_weak(holder, self, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
      return true;
    }
    if (holder == self) {
      return false;
    }
    __builtin_ia32_pause();
  }
  return false;
}

bool RangeTable::reserve(std::size_t count) {
  if (count <= capacity_) {
    return true;
  }
  const std::size_t capacity = capacity_ == 0 ? 256 : capacity_ * 2;
  auto* larger = static_cast<Range*>(runtime::map_pages(capacity * sizeof(Range)));
  if (larger == nullptr) {
    return false;
  }
  if (ranges_ != nullptr) {
    memcpy(larger, ranges_, count_ * sizeof(Range));
    runtime::unmap_pages(ranges_, capacity_ * sizeof(Range));
  }
  ranges_ = larger;
  capacity_ = capacity;
  return true;
}

std::size_t RangeTable::first_ending_after(std::uintptr_t address) const {
  std::size_t low = 0;
  std::size_t high = count_;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (ranges_[middle].end <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void RangeTable::open_gap(std::size_t at) {
  memmove(ranges_ + at + 1, ranges_ + at, (count_ - at) * sizeof(Range));
  ++count_;
}

void RangeTable::close_gap(std::size_t at, std::size_t entries) {
  memmove(ranges_ + at, ranges_ + at + entries, (count_ - at - entries) * sizeof(Range));
  count_ -= entries;
}

// Needs room for one more entry: a hole in the middle of a range leaves two.
bool RangeTable::cut(std::uintptr_t begin, std::uintptr_t end, std::uint32_t& split_site) {
  if (!reserve(count_ + 2)) {
    return false;
  }
  std::size_t at = first_ending_after(begin);
  if (at < count_ && ranges_[at].begin < begin && ranges_[at].end > end) {
    open_gap(at);
    ranges_[at].end = begin;
    ranges_[at + 1].begin = end;
    split_site = ranges_[at].site;
    return true;
  }
  if (at < count_ && ranges_[at].begin < begin) {
    ranges_[at].end = begin;
    ++at;
  }
  std::size_t covered = 0;
  while (at + covered < count_ && ranges_[at + covered].end <= end) {
    ++covered;
  }
  close_gap(at, covered);
  if (at < count_ && ranges_[at].begin < end) {
    ranges_[at].begin = end;
  }
  return true;
}

bool RangeTable::insert(const Range& range, std::uint32_t& split_site) {
  if (!lock()) {
    return false;
  }
  const bool done = cut(range.begin, range.end, split_site);
  if (done) {
    const std::size_t at = first_ending_after(range.begin);
    open_gap(at);
    ranges_[at] = range;
  }
  unlock();
  return done;
}

bool RangeTable::remove(std::uintptr_t begin, std::uintptr_t end, std::uint32_t& split_site) {
  if (!lock()) {
    return false;
  }
  const bool done = cut(begin, end, split_site);
  unlock();
  return done;
}

bool RangeTable::find(std::uintptr_t address, Range& found) {
  if (!lock()) {
    return false;
  }
  const std::size_t at = first_ending_after(address);
  const bool hit = at < count_ && ranges_[at].begin <= address;
  if (hit) {
    found = ranges_[at];
  }
  unlock();
  return hit;
}

}  // namespace seep::table
