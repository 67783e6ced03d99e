#include "preload/recorder/script_objects.h"

#include <atomic>

#include "preload/recorder/check_capture.h"
#include "preload/recorder/pools.h"
#include "preload/recorder/recorder.h"
#include "preload/recorder/sites.h"
#include "preload/stack/modules.h"

namespace seep::recorder {

constinit bool g_objects_are_sampled = false;
constinit std::atomic<bool> g_objects_left_behind{false};

namespace {

// Relaxed: written by the thread that runs the script, whose maps these are.
constinit std::atomic<bool> g_go_with_maps{false};
// Relaxed: the same, and the thread that ends the program asks.
constinit std::atomic<bool> g_end_with_program{false};
// Relaxed: the same.
constinit std::atomic<bool> g_are_released{false};

// Of the thread that runs the script: what was born earlier was made before its end.
constinit std::uint32_t g_first_tick_after_end = 0;

std::uintptr_t address_of(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

// The site of a stack that is found again as a whole, where it is not the first of many births to
// be booked: the birth is counted. 0 where more is to be done, and nothing is done.
[[gnu::always_inline]] inline std::uint32_t try_count_birth(ThreadCache& cache,
                                                            const Caller& caller,
                                                            std::size_t bytes) {
  cache.in_use.store(true, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // a handler sees it before what follows
  const std::uint32_t native = cache.predictions.find_latest(caller, stack::generation());
  const std::uint32_t site = needs_script(native) ? find_script_site(cache, native) : native;
  const bool done =
      site != 0 && (site & (kCutMark | kScriptMark)) == 0 && cache.births.try_add(site, bytes);
  if (done) [[likely]] {
    cache.count(format::CaptureCount::predicted);
  }
  cache.in_use.store(false, std::memory_order_release);
  return done ? site : 0;
}

// Before the object is recorded: a walk must never see more live than were born.
[[gnu::noinline]] std::uint32_t count_birth(std::uint64_t ip, std::uint64_t sp, std::uint64_t bp,
                                            std::size_t bytes) {
  const Caller caller{ip, sp, bp};
  const CacheInUse in_use;
  ThreadCache* const cache = in_use.get();
  const std::uint32_t site = cache == nullptr ? capture_heap_site() : heap_site_of(*cache, caller);
  if (site == table::SiteTable::kNone) {
    count_loss(format::Loss::blocks_not_recorded);
  } else if (cache == nullptr) {
    g_tables.sites.count_births(site, 1, bytes);
  } else {
    cache->births.add(site, bytes, g_tables.sites);
  }
  return site;
}

// What the script held as it ended stays recorded, and its memory may be used again.
bool are_kept() {
  return g_end_with_program.load(std::memory_order_relaxed) &&
         !g_go_with_maps.load(std::memory_order_relaxed);
}

[[gnu::noinline]] void insert_otherwise(const table::Block& object) {
  table::Block old;
  const table::Insert outcome = g_tables.pools.insert(object, old);
  if (outcome == table::Insert::kReplaced) {
    if (!are_kept()) {
      count_loss(format::Loss::missed_free);
    }
  } else if (outcome != table::Insert::kNew) {
    g_tables.sites.count_births(object.site, std::uint64_t{0} - 1, std::uint64_t{0} - object.size);
    count_loss(outcome == table::Insert::kNoMemory ? format::Loss::blocks_not_recorded
                                                   : format::Loss::address_out_of_range);
  }
}

[[gnu::noinline]] void record_otherwise(const void* object, std::size_t size, std::uint64_t ip,
                                        std::uint64_t sp, std::uint64_t bp) {
  if (object != nullptr && mode() == Mode::kSample) {
    record_sampled_allocation(address_of(object), size, {ip, sp, bp});
  }
}

}  // namespace

void start_script_objects(bool sampled) {
  g_objects_are_sampled = sampled;
}

void* record_object_of(void* object, std::size_t size, std::uint64_t ip, std::uint64_t sp,
                       std::uint64_t bp, bool may_be_near) {
  if (mode() != Mode::kExact || object == nullptr) [[unlikely]] {
    record_otherwise(object, size, ip, sp, bp);
    return object;
  }
  if (--t_thread.calls_to_look < 0) [[unlikely]] {
    look_at_busy_clock();
  }
  ThreadCache* const cache = t_thread.cache;
  const bool ready = cache != nullptr && !cache->in_use.load(std::memory_order_relaxed);
  std::uint32_t site = ready ? try_count_birth(*cache, {ip, sp, bp}, size) : 0;
  if (site == 0) [[unlikely]] {
    site = count_birth(ip, sp, bp, size);
  }
  check_capture(site, {ip, sp, bp});
  const table::Block block{address_of(object), size, site, g_clock.tick(), may_be_near};
  if (site != table::SiteTable::kNone && !g_tables.pools.try_insert(block)) [[unlikely]] {
    insert_otherwise(block);
  }
  return object;
}

void release_script_object_otherwise(std::uintptr_t address) {
  g_tables.pools.remove(address);
}

bool script_objects_end_with_program() {
  return g_end_with_program.load(std::memory_order_relaxed);
}

void release_script_objects_with_maps() {
  g_end_with_program.store(true, std::memory_order_relaxed);
  g_go_with_maps.store(true, std::memory_order_relaxed);
}

void keep_script_objects() {
  if (!are_kept()) {
    g_first_tick_after_end = g_clock.skip_tick();
    g_end_with_program.store(true, std::memory_order_relaxed);
    g_go_with_maps.store(false, std::memory_order_relaxed);
  }
}

bool is_kept_script_object(const void* object) {
  table::Block found;
  const std::uintptr_t address = address_of(object);
  const bool is_known = g_objects_are_sampled ? g_tables.blocks.look_up(address, found)
                                              : g_tables.pools.look_up(address, found);
  return is_known && found.birth < g_first_tick_after_end;
}

void mark_script_object_released(const void* object) {
  if (!g_objects_are_sampled) {
    g_tables.pools.mark_gone(address_of(object));
  }
}

void mark_script_objects_released() {
  g_are_released.store(true, std::memory_order_relaxed);
}

bool script_objects_may_be_gone() {
  return g_objects_left_behind.load(std::memory_order_relaxed) ||
         g_are_released.load(std::memory_order_relaxed);
}

void release_script_objects_of_map(const void* begin, std::size_t bytes) {
  if (g_go_with_maps.load(std::memory_order_relaxed)) [[unlikely]] {
    release_script_objects(begin, bytes);
  }
}

void release_script_objects(const void* begin, std::size_t bytes) {
  if (!g_objects_are_sampled) {
    release_pool_objects(begin, bytes);
    return;
  }
  const std::uintptr_t first = address_of(begin);
  g_tables.blocks.walk_range(first, first + bytes, [](const table::Block& block) {
    record_sampled_release(block.address);
  });
}

}  // namespace seep::recorder
