// Half-open address ranges with a value each, and the innermost one that holds an address.
// Filled once, then sealed, then only read; not thread safe while it is filled.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace seep::symbolize {

template <typename T>
class RangeIndex {
 public:
  // Empty ranges are left out. Not after seal().
  void add(std::uint64_t low, std::uint64_t high, T value) {
    if (low < high) {
      ranges_.push_back({low, high, high, std::move(value)});
    }
  }

  // Sorts. Among ranges that start together the longest comes first, so that the innermost of
  // nested ranges is the last one at or before an address.
  void seal() {
    std::stable_sort(ranges_.begin(), ranges_.end(), [](const Range& a, const Range& b) {
      return a.low != b.low ? a.low < b.low : a.high > b.high;
    });
    std::uint64_t reach = 0;
    for (Range& range : ranges_) {
      reach = std::max(reach, range.high);
      range.reach = reach;
    }
  }

  // The innermost range that holds the address, or null. Logarithmic, plus the number of ranges
  // that begin before the address inside of an enclosing one.
  [[nodiscard]] const T* find(std::uint64_t address) const {
    auto next = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                                 [](std::uint64_t a, const Range& range) { return a < range.low; });
    while (next != ranges_.begin()) {
      const Range& range = *--next;
      if (address < range.high) {
        return &range.value;
      }
      if (address >= range.reach) {
        return nullptr;
      }
    }
    return nullptr;
  }

  [[nodiscard]] bool empty() const { return ranges_.empty(); }

 private:
  struct Range {
    std::uint64_t low;
    std::uint64_t high;
    std::uint64_t reach;  // the largest high of this range and all before it
    T value;
  };
  std::vector<Range> ranges_;
};

}  // namespace seep::symbolize
