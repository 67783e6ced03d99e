// Live maps made by the program: ranges of addresses that munmap may cut anywhere.
// Context: IN-HOOK, around mmap, munmap and mremap only. Guarded by a lock that nobody waits for
// long: a caller that cannot have it within kMostSpins gives up, and its event is counted as lost.
// So a thread stopped inside, or a signal handler above it, cannot block anybody.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/runtime/thread_pointer.h"

namespace seep::table {

struct Range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::uint32_t site = 0;
  std::uint32_t birth = 0;
};

class RangeTable {
 public:
  constexpr RangeTable() = default;
  RangeTable(const RangeTable&) = delete;
  RangeTable& operator=(const RangeTable&) = delete;

  // Each returns false when the event could not be recorded. `split_site` becomes the site of a
  // range that was cut in two, or stays as it is: there is one range more than before.
  // insert: `range` replaces whatever lay there.
  bool insert(const Range& range, std::uint32_t& split_site);
  // remove: cuts [begin, end) out of what is recorded.
  bool remove(std::uintptr_t begin, std::uintptr_t end, std::uint32_t& split_site);
  // The range that holds `address`.
  bool find(std::uintptr_t address, Range& found);

  // Calls visit(const Range&) for each, in ascending order; false when the table was busy.
  template <typename Visit>
  bool walk(Visit&& visit) {
    if (!lock(kWalk)) {
      return false;
    }
    for (std::size_t i = 0; i < count_; ++i) {
      visit(static_cast<const Range&>(ranges_[i]));
    }
    unlock();
    return true;
  }

  // Around a fork, so that the child does not inherit a change half made.
  void hold_for_fork() { held_for_fork_ = lock(); }
  void release_after_fork() {
    if (held_for_fork_) {
      unlock();
    }
  }
  // Whether somebody is changing it, or is stopped while he does.
  [[nodiscard]] bool is_held() const { return holder_.load(std::memory_order_relaxed) != 0; }
  // In the child: nobody else holds the lock now.
  void reset_lock() { unlock(); }

 private:
  static constexpr unsigned kMostSpins =
      20000;  // a few hundred microseconds: several moves of a large table

  // Of a walk: the walker has the thread pointer of the thread that started it, and is another.
  static constexpr std::uintptr_t kWalk = 1;

  bool lock(std::uintptr_t holder = runtime::thread_pointer());
  void unlock() { holder_.store(0, std::memory_order_release); }
  bool reserve(std::size_t count);
  std::size_t first_ending_after(std::uintptr_t address) const;
  bool cut(std::uintptr_t begin, std::uintptr_t end, std::uint32_t& split_site);
  void open_gap(std::size_t at);
  void close_gap(std::size_t at, std::size_t entries);

  // A thread pointer, kWalk, or 0: free. Acquire in lock, release in unlock.
  std::atomic<std::uintptr_t> holder_{0};
  bool held_for_fork_ = false;  // written by the thread that forks, under libc's fork lock
  Range* ranges_ = nullptr;     // sorted, disjoint; guarded by holder_
  std::size_t count_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace seep::table
