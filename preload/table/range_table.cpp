#include "preload/table/range_table.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <time.h>

#include <algorithm>

#include "preload/runtime/arena.h"
#include "preload/runtime/clocks.h"
#include "preload/runtime/stack_switch.h"
#include "preload/runtime/syscall.h"

namespace seep::table {

using runtime::as_argument;
using runtime::raw_syscall;

// The lock, for as long as an object lives.
class RangeTable::Hold {
 public:
  explicit Hold(RangeTable& table) : table_(table), has_lock_(table.lock()) {}
  ~Hold() {
    if (has_lock_) {
      table_.unlock();
    }
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  explicit operator bool() const { return has_lock_; }

 private:
  const runtime::SignalsBlocked blocked_;
  RangeTable& table_;
  const bool has_lock_;
};

bool RangeTable::lock() {
  for (unsigned spin = 0; spin < kSpins; ++spin) {
    std::uint32_t state = kFree;
    if (state_.compare_exchange_weak(state, kTaken, std::memory_order_acquire,
                                     std::memory_order_relaxed)) {
      return true;
    }
    __builtin_ia32_pause();
  }
  return await_lock();
}

// Who has slept takes the lock as awaited: others may sleep still.
[[gnu::cold, gnu::noinline]] bool RangeTable::await_lock() {
  const std::uint64_t end = runtime::clock_ns(CLOCK_MONOTONIC) + kPatienceNs;
  std::uint64_t now = end - kPatienceNs;
  while (state_.exchange(kAwaited, std::memory_order_acquire) != kFree) {
    if (now >= end) {
      return false;
    }
    const timespec rest{0, static_cast<long>(end - now)};
    const long result = raw_syscall(__NR_futex, as_argument(&state_), FUTEX_WAIT_PRIVATE, kAwaited,
                                    as_argument(&rest));
    if (result == -EPERM) {
      return false;  // a filter forbids to sleep
    }
    now = runtime::clock_ns(CLOCK_MONOTONIC);
  }
  return true;
}

void RangeTable::unlock() {
  if (state_.exchange(kFree, std::memory_order_release) == kAwaited) {
    raw_syscall(__NR_futex, as_argument(&state_), FUTEX_WAKE_PRIVATE, 1);
  }
}

// Room in a version that is not the current one, whose entries are not wanted. A fork in the middle
// leaves the child one that is too small, or a smaller one for nothing.
bool RangeTable::reserve(Version& version, std::size_t count) {
  if (count <= version.capacity) {
    return true;
  }
  std::size_t capacity = version.capacity == 0 ? 256 : version.capacity * 2;
  while (capacity < count) {
    capacity *= 2;
  }
  auto* larger = static_cast<Entry*>(runtime::map_pages(capacity * sizeof(Entry)));
  if (larger == nullptr) {
    return false;
  }
  const Version smaller = version;
  version.entries = larger;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  version.capacity = capacity;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (smaller.entries != nullptr) {
    runtime::unmap_pages(smaller.entries, smaller.capacity * sizeof(Entry));
  }
  return true;
}

// All or none.
bool RangeTable::take_leaves(Leaf** leaves, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    leaves[i] = free_;
    if (free_ != nullptr) {
      free_ = free_->next;
    } else {
      leaves[i] = static_cast<Leaf*>(leaves_.allocate(sizeof(Leaf)));
    }
    if (leaves[i] == nullptr) {
      while (i-- > 0) {
        give_back(leaves[i]);
      }
      return false;
    }
  }
  return true;
}

void RangeTable::give_back(Leaf* leaf) {
  leaf->next = free_;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  free_ = leaf;
}

// The index of the leaf that a range from `address` on stands in or would be put in; 0 in an empty
// table.
std::size_t RangeTable::leaf_for(std::uintptr_t address) const {
  const Entry* begin = current().entries;
  const Entry* next = std::upper_bound(
      begin, begin + current().count, address,
      [](std::uintptr_t place, const Entry& entry) { return place < entry.begin; });
  return next == begin ? 0 : static_cast<std::size_t>(next - begin) - 1;
}

RangeTable::Cut RangeTable::cut_of(std::uintptr_t begin, std::uintptr_t end) const {
  const Version& now = current();
  if (now.count == 0) {
    return {};
  }
  Cut cut;
  cut.first = leaf_for(begin);
  cut.last = cut.first + 1;
  while (cut.last < now.count && now.entries[cut.last].begin < end) {
    ++cut.last;
  }
  const Leaf& first = *now.entries[cut.first].leaf;
  const Leaf& last = *now.entries[cut.last - 1].leaf;
  cut.left =
      static_cast<std::size_t>(std::lower_bound(first.ranges, first.ranges + first.count, begin,
                                                [](const Range& range, std::uintptr_t place) {
                                                  return range.end <= place;
                                                }) -
                               first.ranges);
  cut.right =
      static_cast<std::size_t>(std::lower_bound(last.ranges, last.ranges + last.count, end,
                                                [](const Range& range, std::uintptr_t place) {
                                                  return range.begin < place;
                                                }) -
                               last.ranges);
  cut.overlaps = cut.last - cut.first > 1 || cut.left < cut.right;
  return cut;
}

// What comes in place of the leaves that a change touches, in order.
class RangeTable::Pieces {
 public:
  void add(const Range* ranges, std::size_t count) {
    if (count != 0) {
      parts_[parts_count_++] = {ranges, count};
      count_ += count;
    }
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] std::size_t leaves() const { return (count_ + kLeafRanges - 1) / kLeafRanges; }

  // Into as many leaves as leaves() says, as full as each other.
  void write(Leaf* const* leaves) const {
    const std::size_t most = (count_ + this->leaves() - 1) / this->leaves();
    leaves[0]->count = 0;
    for (std::size_t i = 0; i < parts_count_; ++i) {
      Part part = parts_[i];
      while (part.count != 0) {
        if ((*leaves)->count == most) {
          (*++leaves)->count = 0;
        }
        const std::size_t room = most - (*leaves)->count;
        const std::size_t now = part.count < room ? part.count : room;
        memcpy((*leaves)->ranges + (*leaves)->count, part.ranges, now * sizeof(Range));
        (*leaves)->count += now;
        part = {part.ranges + now, part.count - now};
      }
    }
  }

 private:
  struct Part {
    const Range* ranges;
    std::size_t count;
  };
  Part parts_[6];
  std::size_t parts_count_ = 0;
  std::size_t count_ = 0;
};

// Makes the next version, in which `pieces` stand in place of the leaves of `cut`, the current one.
bool RangeTable::publish(const Cut& cut, const Pieces& pieces) {
  const Version& now = current();
  Version& next = versions_[1 - current_];
  Leaf* fresh[kMostFresh] = {};
  const std::size_t fresh_count = pieces.leaves();
  if (!reserve(next, now.count + kMostFresh) || !take_leaves(fresh, fresh_count)) {
    return false;
  }
  if (fresh_count != 0) {
    pieces.write(fresh);
  }
  Entry* to = std::copy(now.entries, now.entries + cut.first, next.entries);
  for (std::size_t i = 0; i < fresh_count; ++i) {
    *to++ = {fresh[i]->ranges[0].begin, fresh[i]};
  }
  to = std::copy(now.entries + cut.last, now.entries + now.count, to);
  next.count = static_cast<std::size_t>(to - next.entries);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  current_ = 1 - current_;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  for (std::size_t i = cut.first; i < cut.last; ++i) {
    give_back(now.entries[i].leaf);
  }
  return true;
}

// `fresh`, if it has a site, in place of what lies between its ends.
bool RangeTable::replace(const Cut& cut, const Range& fresh, std::uint32_t& split_site) {
  const Version& now = current();
  const Leaf* first = cut.first < cut.last ? now.entries[cut.first].leaf : nullptr;
  const Leaf* last = cut.first < cut.last ? now.entries[cut.last - 1].leaf : nullptr;
  Range left;
  Range right;
  if (cut.overlaps) {
    left = cut.left < first->count ? first->ranges[cut.left] : Range{};
    right = last->ranges[cut.right - 1];
  }
  const bool keeps_left = left.site != 0 && left.begin < fresh.begin;
  const bool keeps_right = right.end > fresh.end;
  const bool splits = keeps_left && keeps_right && left.begin == right.begin;
  left.end = fresh.begin;
  right.begin = fresh.end;
  Pieces pieces;
  pieces.add(first == nullptr ? nullptr : first->ranges, cut.left);
  pieces.add(&left, keeps_left ? 1 : 0);
  pieces.add(&fresh, fresh.site != 0 ? 1 : 0);
  pieces.add(&right, keeps_right ? 1 : 0);
  if (last != nullptr) {
    pieces.add(last->ranges + cut.right, last->count - cut.right);
  }
  Cut whole = cut;
  // Leaves that were emptied are joined with the next.
  if (cut.last < now.count &&
      pieces.count() + now.entries[cut.last].leaf->count <= kLeafRanges / 2) {
    pieces.add(now.entries[cut.last].leaf->ranges, now.entries[cut.last].leaf->count);
    ++whole.last;
  }
  if (!publish(whole, pieces)) {
    return false;
  }
  if (splits) {
    split_site = left.site;
  }
  return true;
}

bool RangeTable::insert(const Range& range, std::uint32_t& split_site) {
  const Hold hold(*this);
  return hold && replace(cut_of(range.begin, range.end), range, split_site);
}

bool RangeTable::remove(std::uintptr_t begin, std::uintptr_t end, std::uint32_t& split_site) {
  const Hold hold(*this);
  if (!hold) {
    return false;
  }
  const Cut cut = cut_of(begin, end);
  return !cut.overlaps || replace(cut, {begin, end, 0, 0}, split_site);
}

bool RangeTable::find(std::uintptr_t address, Range& found) {
  const Hold hold(*this);
  if (!hold) {
    return false;
  }
  const Cut cut = cut_of(address, address + 1);
  if (!cut.overlaps) {
    return false;
  }
  found = current().entries[cut.first].leaf->ranges[cut.left];
  return true;
}

}  // namespace seep::table
