#include "preload/recorder/thread_cache.h"

#include <errno.h>

#include <iterator>

#include "preload/runtime/syscall.h"
#include "preload/runtime/thread_pointer.h"
#include "preload/stack/capture_counts.h"

namespace seep::recorder {
namespace {

using runtime::raw_syscall;

constexpr unsigned kOwned = 512;
constexpr unsigned kShared = kCaches - kOwned;  // by hash, for threads beyond kOwned
constexpr unsigned kPlacesToTry = 16;
constexpr unsigned kEventsToClaim = 1000;  // of a thread that found no cache to own
constexpr unsigned kMostAttempts = 3;      // to find the births standing still

// Who owns a cache: process id << 32 | thread id. kFree: nobody yet.
constexpr std::uint64_t kFree = 0;
constexpr std::uint64_t kDisowned = 1;  // its owner stayed behind in a fork
constexpr std::uint64_t kSharedByMany = 2;

constinit ThreadCache g_caches[kCaches] = {};
// Apart from the caches, so that looking at them touches little. Acquire and release: who takes a
// cache over sees what its owner wrote last.
constinit std::atomic<std::uint64_t> g_owners[kCaches] = {};

std::uint64_t this_thread() {
  return static_cast<std::uint64_t>(raw_syscall(__NR_getpid)) << 32 |
         static_cast<std::uint64_t>(raw_syscall(__NR_gettid));
}

// True when the kernel knows no such thread in this process. One of another process that shares
// our memory is left alone.
bool is_gone(std::uint64_t owner, std::uint64_t claimant) {
  return owner == kDisowned || (owner >> 32 == claimant >> 32 &&
                                raw_syscall(__NR_tgkill, static_cast<long>(owner >> 32),
                                            static_cast<long>(owner & 0xFFFFFFFF), 0) == -ESRCH);
}

// Threads that follow each other on one stack come to the same place.
unsigned place_of_thread() {
  constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15ULL;
  return static_cast<unsigned>(runtime::thread_pointer() * kGoldenRatio >> 40);
}

// What the last owner left behind; its births stay. Only a fork leaves one in the middle of a
// change.
void take_over(ThreadCache& cache, bool after_fork) {
  cache.walk.forget();
  if (after_fork) {
    cache.predictions.abandon();
    cache.scripts.abandon();
  } else {
    cache.predictions.release();
    cache.scripts.release();
  }
  cache.in_use.store(false, std::memory_order_relaxed);
}

bool claim(unsigned index, std::uint64_t claimant) {
  std::uint64_t owner = g_owners[index].load(std::memory_order_acquire);
  if (owner != kFree && !is_gone(owner, claimant)) {
    return false;
  }
  if (!g_owners[index].compare_exchange_strong(owner, claimant, std::memory_order_acq_rel)) {
    return false;
  }
  if (owner != kFree) {
    take_over(g_caches[index], owner == kDisowned);
  }
  return true;
}

// After a fork the first to come clears a shared cache.
ThreadCache* share(unsigned index) {
  ThreadCache& cache = g_caches[index];
  std::uint64_t owner = kDisowned;
  if (g_owners[index].compare_exchange_strong(owner, kSharedByMany, std::memory_order_acq_rel)) {
    take_over(cache, true);
  } else {
    g_owners[index].store(kSharedByMany, std::memory_order_release);
  }
  return cache.in_use.exchange(true, std::memory_order_acquire) ? nullptr : &cache;
}

void add_pending(const ThreadCache& cache, Births* births, std::uint32_t count) {
  cache.births.visit([=](std::uint32_t site, std::uint64_t blocks, std::uint64_t bytes) {
    if (site < count) {
      births[site].blocks += blocks;
      births[site].bytes += bytes;
    }
  });
}

}  // namespace

static constinit thread_local unsigned t_events_to_claim = 0;

ThreadCache* CacheInUse::find_cache() {
  if (t_thread.cache != nullptr) {
    return nullptr;  // in use: this is a signal handler above a capture
  }
  const unsigned place = place_of_thread();
  if (t_events_to_claim != 0) {
    --t_events_to_claim;
    return share(kOwned + place % kShared);
  }
  const std::uint64_t claimant = this_thread();
  for (unsigned i = 0; i < kPlacesToTry; ++i) {
    const unsigned index = (place + i) % kOwned;
    if (claim(index, claimant)) {
      t_thread.cache = &g_caches[index];
      t_thread.cache->in_use.store(true, std::memory_order_relaxed);
      return t_thread.cache;
    }
  }
  t_events_to_claim = kEventsToClaim;
  return share(kOwned + place % kShared);
}

void disown_caches_after_fork() {
  for (unsigned i = 0; i < kCaches; ++i) {
    if (&g_caches[i] == t_thread.cache) {
      g_owners[i].store(this_thread(), std::memory_order_relaxed);
    } else if (g_owners[i].load(std::memory_order_relaxed) != kFree) {
      g_owners[i].store(kDisowned, std::memory_order_relaxed);
    }
  }
}

ThreadCache* used_cache(unsigned index) {
  return g_owners[index].load(std::memory_order_acquire) == kFree ? nullptr : &g_caches[index];
}

std::uint64_t total_capture_count(format::CaptureCount what) {
  const auto id = static_cast<std::uint32_t>(what);
  std::uint64_t sum = stack::capture_count(what).load(std::memory_order_relaxed);
  for (unsigned i = 0; i < kCaches && id < std::size(g_caches[0].counts); ++i) {
    if (const ThreadCache* cache = used_cache(i); cache != nullptr) {
      sum += cache->counts[id].load(std::memory_order_relaxed);
    }
  }
  return sum;
}

void PendingBirths::book(Slot& slot, std::uint32_t next_site, std::uint64_t next_bytes,
                         table::SiteTable& sites) {
  // The handler of a signal that arrives here finds the cache in use. Release: a reader that sees
  // the number odd, or changed, reads again.
  const std::uint32_t bookings = bookings_.load(std::memory_order_relaxed);
  bookings_.store(bookings | 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  const std::uint32_t site = slot.site.load(std::memory_order_relaxed);
  if (site != table::SiteTable::kNone) {
    sites.count_births(site, slot.blocks.load(std::memory_order_relaxed),
                       slot.bytes.load(std::memory_order_relaxed));
  }
  slot.site.store(next_site, std::memory_order_relaxed);
  slot.blocks.store(1, std::memory_order_relaxed);
  slot.bytes.store(next_bytes, std::memory_order_relaxed);
  bookings_.store((bookings | 1) + 1, std::memory_order_release);
}

// Times that any thread has booked births.
static std::uint64_t count_bookings() {
  std::uint64_t sum = 0;
  for (unsigned i = 0; i < kCaches; ++i) {
    if (const ThreadCache* cache = used_cache(i); cache != nullptr) {
      sum += cache->births.bookings();
    }
  }
  return sum;
}

// What is pending comes first: a booking in between is then counted twice, not missed, so that
// never more seem alive than were born.
void births_of_sites(const table::SiteTable& sites, Births* births, std::uint32_t count) {
  for (unsigned attempt = 0; attempt < kMostAttempts; ++attempt) {
    const std::uint64_t bookings = count_bookings();
    for (std::uint32_t id = 0; id < count; ++id) {
      births[id] = {0, 0};
    }
    for (unsigned i = 0; i < kCaches; ++i) {
      if (const ThreadCache* cache = used_cache(i); cache != nullptr) {
        add_pending(*cache, births, count);
      }
    }
    for (std::uint32_t id = 0; id < count; ++id) {
      if (const table::SiteEntry* site = sites.find(id); site != nullptr) {
        births[id].blocks += site->allocated_blocks.load(std::memory_order_relaxed);
        births[id].bytes += site->allocated_bytes.load(std::memory_order_relaxed);
      }
    }
    std::atomic_thread_fence(std::memory_order_acquire);
    if (count_bookings() == bookings) {
      return;
    }
  }
}

}  // namespace seep::recorder
