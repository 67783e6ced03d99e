// What the recorder keeps for one thread, so that its next event costs less: the stacks it had, and
// births that are not yet booked.
// Context: IN-HOOK. No memory is allocated and none is ever given back: there is a fixed number of
// caches, untouched until they are used. A thread owns the cache it claims until it ends; nothing
// happens then, and a later thread takes the cache over once the kernel knows the owner no more.
// Threads beyond that number share a few caches, and wait for nobody: who finds one in use goes
// without.
#pragma once

#include <atomic>
#include <cstdint>

#include "format/capture_counts.h"
#include "preload/recorder/thread_state.h"
#include "preload/script/memo.h"
#include "preload/stack/last_walk.h"
#include "preload/stack/predictions.h"
#include "preload/table/site_table.h"

namespace seep::recorder {

// Births of a few sites, added up before they are booked: two additions to memory that no other
// thread writes take the place of two locked ones. Written by the thread that has the cache in use;
// read by the one that takes a snapshot (add_pending).
class PendingBirths {
 public:
  void add(std::uint32_t site, std::uint64_t bytes, table::SiteTable& sites);
  // The same where nothing need be booked; else false, and nothing is done.
  bool try_add(std::uint32_t site, std::uint64_t bytes);
  // Calls add(site, blocks, bytes) for all of them. What is booked at this very moment may be given
  // here and stand in the table already: at most kMostBlocks blocks of a site.
  template <typename Add>
  void visit(Add&& add) const;
  // Goes up whenever births are booked.
  [[nodiscard]] std::uint32_t bookings() const { return bookings_.load(std::memory_order_acquire); }

 private:
  static constexpr unsigned kSlots = 128;
  static constexpr std::uint32_t kMostBlocks = 4096;
  static constexpr unsigned kMostAttempts = 100;

  struct Slot {  // relaxed: figures; the table's blocks are published after them
    std::atomic<std::uint32_t> site;
    std::atomic<std::uint32_t> blocks;
    std::atomic<std::uint64_t> bytes;
  };

  [[gnu::cold, gnu::noinline]] void book(Slot& slot, std::uint32_t next_site,
                                         std::uint64_t next_bytes, table::SiteTable& sites);

  // Odd while a slot is booked. Release in book(), acquire in visit() and bookings().
  std::atomic<std::uint32_t> bookings_;
  Slot slots_[kSlots];
};

struct ThreadCache {
  stack::LastWalk walk;  // first: most of it is never touched
  // Set while a capture of the owner uses the cache: a signal handler above it goes without.
  // Relaxed for a cache with an owner; of a shared one by exchange (acquire) and release.
  std::atomic<bool> in_use;
  stack::Predictions predictions;
  PendingBirths births;
  script::Memo scripts;
  // By CaptureCount, those that are counted here. Relaxed, written by who has it in use.
  static constexpr unsigned kCounts = 7;
  static_assert(static_cast<unsigned>(format::CaptureCount::frames_walked) < kCounts);
  std::atomic<std::uint64_t> counts[kCounts];

  void count(format::CaptureCount what, std::uint64_t times = 1) {
    std::atomic<std::uint64_t>& counter = counts[static_cast<std::uint32_t>(what)];
    counter.store(counter.load(std::memory_order_relaxed) + times, std::memory_order_relaxed);
  }
};

// The calling thread's cache for one event; null when there is none to be had.
class CacheInUse {
 public:
  CacheInUse() : cache_(t_thread.cache) {
    if (cache_ == nullptr || cache_->in_use.load(std::memory_order_relaxed)) [[unlikely]] {
      cache_ = find_cache();
      return;
    }
    cache_->in_use.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // a handler sees it before what follows
  }
  ~CacheInUse() {
    if (cache_ != nullptr) [[likely]] {
      cache_->in_use.store(false, std::memory_order_release);
    }
  }
  CacheInUse(const CacheInUse&) = delete;
  CacheInUse& operator=(const CacheInUse&) = delete;
  [[nodiscard]] ThreadCache* get() const { return cache_; }

 private:
  // Claims a cache for a thread that has none, or takes a shared one for one event.
  [[gnu::cold, gnu::noinline]] static ThreadCache* find_cache();

  ThreadCache* cache_;
};

// In a fork's child, before its next event: the other owners are not here.
void disown_caches_after_fork();

// The cache with this index, or null while nobody has claimed it. Context: also IN-AGENT, walker.
inline constexpr unsigned kCaches = 544;
ThreadCache* used_cache(unsigned index);

struct Births {
  std::uint64_t blocks;
  std::uint64_t bytes;
};
// What was ever allocated at the sites below `count`. Exact while no other thread books births;
// else a few thousand blocks of a site may be counted twice, and never again in the next answer.
// Context: IN-AGENT, walker.
void births_of_sites(const table::SiteTable& sites, Births* births, std::uint32_t count);

// What the caches and the stack folder counted together. Context: IN-AGENT.
std::uint64_t total_capture_count(format::CaptureCount what);

template <typename Add>
void PendingBirths::visit(Add&& add) const {
  Slot copy[kSlots];
  for (unsigned attempt = 0; attempt < kMostAttempts; ++attempt) {
    const std::uint32_t before = bookings_.load(std::memory_order_acquire);
    for (unsigned i = 0; i < kSlots; ++i) {
      copy[i].site.store(slots_[i].site.load(std::memory_order_relaxed), std::memory_order_relaxed);
      copy[i].blocks.store(slots_[i].blocks.load(std::memory_order_relaxed),
                           std::memory_order_relaxed);
      copy[i].bytes.store(slots_[i].bytes.load(std::memory_order_relaxed),
                          std::memory_order_relaxed);
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (before % 2 == 0 && bookings_.load(std::memory_order_relaxed) == before) {
      break;
    }
  }
  for (const Slot& slot : copy) {
    if (slot.site.load(std::memory_order_relaxed) != table::SiteTable::kNone) {
      add(slot.site.load(std::memory_order_relaxed), slot.blocks.load(std::memory_order_relaxed),
          slot.bytes.load(std::memory_order_relaxed));
    }
  }
}

inline bool PendingBirths::try_add(std::uint32_t site, std::uint64_t bytes) {
  Slot& slot = slots_[site % kSlots];
  const std::uint32_t blocks = slot.blocks.load(std::memory_order_relaxed);
  if (slot.site.load(std::memory_order_relaxed) != site || blocks == kMostBlocks) [[unlikely]] {
    return false;
  }
  slot.blocks.store(blocks + 1, std::memory_order_relaxed);
  slot.bytes.store(slot.bytes.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
  return true;
}

inline void PendingBirths::add(std::uint32_t site, std::uint64_t bytes, table::SiteTable& sites) {
  if (!try_add(site, bytes)) [[unlikely]] {
    book(slots_[site % kSlots], site, bytes, sites);
  }
}

}  // namespace seep::recorder
