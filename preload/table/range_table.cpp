#include "preload/table/range_table.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <time.h>

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

static void copy(Range* to, const Range* from, std::size_t count) {
  if (count != 0) {
    memcpy(to, from, count * sizeof(Range));
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
  auto* larger = static_cast<Range*>(runtime::map_pages(capacity * sizeof(Range)));
  if (larger == nullptr) {
    return false;
  }
  const Version smaller = version;
  version.ranges = larger;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  version.capacity = capacity;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (smaller.ranges != nullptr) {
    runtime::unmap_pages(smaller.ranges, smaller.capacity * sizeof(Range));
  }
  return true;
}

RangeTable::Overlap RangeTable::overlap_of(std::uintptr_t begin, std::uintptr_t end) const {
  const Version& now = current();
  std::size_t low = 0;
  std::size_t high = now.count;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (now.ranges[middle].end <= begin) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  while (high < now.count && now.ranges[high].begin < end) {
    ++high;
  }
  return {low, high};
}

// The next version: `fresh`, if it has a site, in place of what lies between its ends.
bool RangeTable::replace(const Overlap& overlap, const Range& fresh, std::uint32_t& split_site) {
  const Version& now = current();
  Version& next = versions_[1 - current_];
  if (!reserve(next, now.count + 2)) {
    return false;
  }
  std::size_t count = overlap.first;
  copy(next.ranges, now.ranges, count);
  Range left;
  Range right;
  if (overlap.first < overlap.last) {
    left = now.ranges[overlap.first];
    right = now.ranges[overlap.last - 1];
  }
  const bool keeps_left = left.begin < fresh.begin && left.end != 0;
  const bool keeps_right = right.end > fresh.end;
  if (keeps_left) {
    next.ranges[count++] = {left.begin, fresh.begin, left.site, left.birth};
  }
  if (fresh.site != 0) {
    next.ranges[count++] = fresh;
  }
  if (keeps_right) {
    next.ranges[count++] = {fresh.end, right.end, right.site, right.birth};
  }
  if (keeps_left && keeps_right && overlap.last - overlap.first == 1) {
    split_site = left.site;
  }
  copy(next.ranges + count, now.ranges + overlap.last, now.count - overlap.last);
  next.count = count + now.count - overlap.last;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  current_ = 1 - current_;
  return true;
}

bool RangeTable::insert(const Range& range, std::uint32_t& split_site) {
  const Hold hold(*this);
  return hold && replace(overlap_of(range.begin, range.end), range, split_site);
}

bool RangeTable::remove(std::uintptr_t begin, std::uintptr_t end, std::uint32_t& split_site) {
  const Hold hold(*this);
  if (!hold) {
    return false;
  }
  const Overlap overlap = overlap_of(begin, end);
  return overlap.first == overlap.last || replace(overlap, {begin, end, 0, 0}, split_site);
}

bool RangeTable::find(std::uintptr_t address, Range& found) {
  const Hold hold(*this);
  if (!hold) {
    return false;
  }
  const Overlap overlap = overlap_of(address, address + 1);
  if (overlap.first == overlap.last) {
    return false;
  }
  found = current().ranges[overlap.first];
  return true;
}

}  // namespace seep::table
