// Live maps made by the program: ranges of addresses that munmap may cut anywhere.
// Context: IN-HOOK, around mmap, munmap and mremap only. Guarded by a lock, which a thread has with
// all signals blocked: no handler of its own can wait for it, or leave it taken by a jump. Nothing
// is called under it that could wait for the program. Who finds it taken sleeps, for kPatienceNs at
// most, since its holder may be stopped: then he gives up, and his event is counted as lost.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/runtime/arena.h"

namespace seep::table {

struct Range {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::uint32_t site = 0;  // never 0 in the table
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

  // Calls visit(const Range&) for each, in ascending order; false when the table was busy. With all
  // signals blocked.
  template <typename Visit>
  bool walk(Visit&& visit) {
    if (!lock()) {
      return false;
    }
    for (std::size_t i = 0; i < current().count; ++i) {
      const Leaf& leaf = *current().entries[i].leaf;
      for (std::size_t at = 0; at < leaf.count; ++at) {
        visit(leaf.ranges[at]);
      }
    }
    unlock();
    return true;
  }

  // In the child of a fork, before its first event: another thread may have had the lock. A fork
  // does not take it: libc's waits for its own locks then, whose holders may wait for this one.
  void free_after_fork() { unlock(); }

 private:
  class Hold;

  // Neighbouring ranges, sorted and disjoint. One that is in use never changes: a change writes new
  // ones in place of those that it touches. So it costs the square root of what is in the table.
  static constexpr std::size_t kLeafRanges = 170;
  struct Leaf {
    Leaf* next = nullptr;   // while it is free
    std::size_t count = 0;  // never 0 in a version
    Range ranges[kLeafRanges];
  };
  static_assert(sizeof(Leaf) == 4096);

  struct Entry {
    std::uintptr_t begin = 0;  // of the leaf's first range
    Leaf* leaf = nullptr;
  };

  // One of two: a change is written into the other, which is then made the current one by a single
  // store. So a process that is forked in the middle of a change has the table as it was; leaves
  // that were just taken, or are to be given back, are lost to it.
  struct Version {
    Entry* entries = nullptr;  // sorted
    std::size_t count = 0;
    std::size_t capacity = 0;
  };

  // What a change replaces: leaves [first, last), without the `left` ranges that come before it in
  // the first and those from `right` on in the last one.
  struct Cut {
    std::size_t first = 0;
    std::size_t last = 0;
    std::size_t left = 0;
    std::size_t right = 0;
    bool overlaps = false;  // it holds a range
  };

  class Pieces;
  static constexpr std::size_t kMostFresh = 4;  // leaves that a change may need

  static constexpr unsigned kSpins = 50;  // a small change takes a tenth of a microsecond
  // A holder that lost its processor has it again by then, on a busy machine too.
  static constexpr std::uint64_t kPatienceNs = 100000000;

  static constexpr std::uint32_t kFree = 0;
  static constexpr std::uint32_t kTaken = 1;
  static constexpr std::uint32_t kAwaited = 2;  // taken, and somebody may sleep until it is free

  bool lock();
  bool await_lock();
  void unlock();
  [[nodiscard]] const Version& current() const { return versions_[current_]; }
  [[nodiscard]] std::size_t leaf_for(std::uintptr_t address) const;
  [[nodiscard]] Cut cut_of(std::uintptr_t begin, std::uintptr_t end) const;
  bool replace(const Cut& cut, const Range& fresh, std::uint32_t& split_site);
  bool publish(const Cut& cut, const Pieces& pieces);
  static bool reserve(Version& version, std::size_t count);
  bool take_leaves(Leaf** leaves, std::size_t count);
  void give_back(Leaf* leaf);

  // A futex. Acquire in lock and await_lock, release in unlock.
  std::atomic<std::uint32_t> state_{kFree};
  unsigned current_ = 0;  // guarded by state_, as is what follows
  Version versions_[2];
  Leaf* free_ = nullptr;
  runtime::Arena leaves_{std::size_t{64} << 10};
};

}  // namespace seep::table
