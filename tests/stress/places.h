// An allocator of made-up addresses.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace seep::test {

inline constexpr std::uintptr_t kHeap = 0x5555'0000'0000;
inline constexpr unsigned kPlaces = 3000;  // few, so that threads meet in the same pages and slots

// Fixed places; hands out what was freed most recently, so that an address
// comes back in another thread at once.
class Places {
 public:
  Places() {
    for (unsigned i = 0; i < kPlaces; ++i) {
      free_.push_back(kHeap + std::uintptr_t{i} * 48);
    }
  }
  std::uintptr_t take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) {
      return 0;
    }
    const std::uintptr_t place = free_.back();
    free_.pop_back();
    return place;
  }
  void give_back(std::uintptr_t place) {
    const std::lock_guard lock(mutex_);
    free_.push_back(place);
  }

 private:
  std::mutex mutex_;
  std::vector<std::uintptr_t> free_;
};

}  // namespace seep::test
