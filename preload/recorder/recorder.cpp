#include "preload/recorder/recorder.h"

#include "preload/recorder/check_capture.h"
#include "preload/recorder/pools.h"
#include "preload/recorder/sampled.h"
#include "preload/recorder/script_objects.h"
#include "preload/recorder/sites.h"
#include "preload/recorder/thread_cache.h"
#include "preload/script/script.h"
#include "preload/stack/capture.h"
#include "preload/stack/capture_counts.h"
#include "preload/stack/modules.h"

namespace seep::recorder {

constinit LossCounters g_losses = {};
constinit Tables g_tables;
constinit Clock g_clock;
constinit std::atomic<Mode> g_mode{Mode::kNotStarted};
constinit thread_local ThreadState t_thread;

namespace {

using format::CaptureCount;

constinit Config g_config;  // written before g_mode is released

// Every block of the program is recorded: a release of any other is a loss. Not so once blocks were
// made while nothing was recorded. Relaxed: a figure may be off by the events of the moment.
constinit std::atomic<bool> g_every_block_is_known{false};

// Relaxed: who sees the change late looks late.
constinit std::atomic<bool> g_looks_at_every_call{false};

constexpr int least(int a, int b) {
  return a < b ? a : b;
}

[[gnu::cold, gnu::noinline]] void look_at_clock() {
  const std::uint32_t before = g_clock.tick();
  const std::uint64_t now = g_clock.look();
  const bool idle = g_clock.tick() - before > kIdleLookMs >> kTickShift;
  const int most = dormant() ? kCallsPerPoll * kPollsPerLook : kCallsPerLook;
  t_thread.calls_per_look = idle ? 1 : least(2 * t_thread.calls_per_look, most);
  const int calls = least(t_thread.calls_per_look, kCallsPerPoll);
  t_thread.calls_to_look = g_looks_at_every_call.load(std::memory_order_relaxed) ? 0 : calls - 1;
  t_thread.polls_to_look = t_thread.calls_per_look / calls;
  AllocatorGuard::forget_if_passed();
  if (g_config.on_look != nullptr) {
    g_config.on_look(now);
  }
}

inline void count_call() {
  if (--t_thread.calls_to_look < 0) [[unlikely]] {
    look_at_clock();
  }
}

[[gnu::cold, gnu::noinline]] std::uint32_t count_birth_without_cache(std::uint64_t bytes) {
  const std::uint32_t site = capture_heap_site();
  g_tables.sites.count_births(site, 1, bytes);
  return site;
}

// The site of a block that is made just now, whose birth is counted: before the block is recorded,
// since a walk must never see more live than were born.
std::uint32_t count_birth(const Caller& caller, std::uint64_t bytes) {
  const CacheInUse in_use;
  ThreadCache* cache = in_use.get();
  if (cache == nullptr) [[unlikely]] {
    return count_birth_without_cache(bytes);
  }
  const std::uint32_t site = heap_site_of(*cache, caller);
  cache->births.add(site, bytes, g_tables.sites);
  return site;
}

void uncount_birth(const table::Block& block) {
  g_tables.sites.count_births(block.site, std::uint64_t{0} - 1, std::uint64_t{0} - block.size);
}

// What insert() found at the address: an inner hook of the same call, or a release we never saw.
void settle_replaced(const table::Block& old) {
  if (old.address == t_thread.nested_block) {
    uncount_birth(old);
  } else {
    count_loss(format::Loss::missed_free);
  }
}

void insert_otherwise(const table::Block& block) {
  table::Block old;
  switch (g_tables.blocks.insert(block, old)) {
    case table::Insert::kNew:
      break;
    case table::Insert::kReplaced:
      settle_replaced(old);
      break;
    case table::Insert::kNoMemory:
      uncount_birth(block);
      count_loss(format::Loss::blocks_not_recorded);
      break;
    case table::Insert::kOutOfRange:
      uncount_birth(block);
      count_loss(format::Loss::address_out_of_range);
      break;
  }
}

// A block whose birth is counted. `foreign`: as in record_foreign_allocation.
[[gnu::noinline]] void insert_block(std::uintptr_t address, std::size_t size, std::uint32_t site,
                                    bool foreign) {
  const table::Block block{address, size, site, g_clock.tick(), foreign};
  if (foreign || !g_tables.blocks.try_insert(block)) {
    insert_otherwise(block);
  }
  if (t_thread.guard != 0) {  // which may be stale: look_at_clock forgets it then
    t_thread.nested_block = address;
  }
}

// Blocks made while nothing was recorded are released unknown: that is no loss.
void count_foreign_free() {
  if (g_every_block_is_known.load(std::memory_order_relaxed)) {
    count_loss(format::Loss::foreign_free);
  }
}

// A map cut in two is one live range more: it counts as made where the whole was made.
void count_split(std::uint32_t site) {
  if (site != table::SiteTable::kNone) {
    g_tables.sites.site(site).allocated_blocks.fetch_add(1, std::memory_order_relaxed);
  }
}

bool insert_range(const table::Range& range) {
  std::uint32_t split_site = table::SiteTable::kNone;
  const bool done = g_tables.ranges.insert(range, split_site);
  count_split(split_site);
  return done;
}

bool remove_range(std::uintptr_t begin, std::uintptr_t end) {
  std::uint32_t split_site = table::SiteTable::kNone;
  const bool done = g_tables.ranges.remove(begin, end, split_site);
  count_split(split_site);
  return done;
}

std::uintptr_t address_of(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

}  // namespace

void modules_changed() {
  stack::refresh_modules();
}

void module_ends(const void* place) {
  script::forget_interpreter_at(place);
  stack::forget_module(address_of(place));
}

bool look_at_busy_clock() {
  look_at_clock();
  return t_thread.calls_to_look > 0;
}

void start_recording(const Config& config) {
  g_config = config;
  set_stack_depth(config.stack_depth);
  start_pools(config.track_heap, config.sample_bytes != 0);
  start_script_objects(config.sample_bytes != 0);
  g_tables.pools.allow_dense_pages(true);  // what may lie closer is recorded as such
  g_tables.pools.expect_equal_blocks(true);
  if (config.sample_bytes != 0) {
    g_tables.blocks.allow_dense_pages(false);  // few blocks, and of any allocator
    start_sampled(config.sample_bytes, config.track_heap);
  }
  g_every_block_is_known.store(config.mode == Mode::kExact && config.track_heap,
                               std::memory_order_relaxed);
  set_mode(config.mode);
}

void set_mode(Mode mode) {
  if (mode != Mode::kExact) {
    g_every_block_is_known.store(false, std::memory_order_relaxed);
  }
  const bool heapless = mode == Mode::kExact && !g_config.track_heap;
  g_mode.store(heapless ? Mode::kMapsOnly : mode, std::memory_order_release);
}

void look_at_every_call(bool wanted) {
  if (g_looks_at_every_call.load(std::memory_order_relaxed) != wanted) {
    g_looks_at_every_call.store(wanted, std::memory_order_relaxed);
    t_thread.calls_to_look = 0;
  }
}

void look_while_dormant() {
  if (--t_thread.polls_to_look <= 0 || (g_config.is_wanted != nullptr && g_config.is_wanted())) {
    look_at_clock();
  } else {
    t_thread.calls_to_look = kCallsPerPoll - 1;
  }
}

std::uint32_t recover_after_fork(bool alone) {
  g_tables.ranges.free_after_fork();
  if (alone) {
    disown_caches_after_fork();
  }
  restart_sampled();
  t_thread.calls_to_look = 0;
  g_clock.look();
  return g_clock.skip_tick();
}

// In any mode but kExact.
[[gnu::noinline]] static void record_otherwise(const void* block, std::size_t size,
                                               std::uint64_t ip, std::uint64_t sp,
                                               std::uint64_t bp) {
  const Mode now = mode();
  if (block != nullptr && now == Mode::kSample) {
    record_sampled_allocation(address_of(block), size, {ip, sp, bp});
  } else if (block != nullptr && now > Mode::kNotStarted) {
    count_call();
  }
}

// A block whose stack is not the one predicted, or for which more is to be done than for most.
[[gnu::noinline]] static void capture_and_record(const void* block, std::size_t size,
                                                 std::uint64_t ip, std::uint64_t sp,
                                                 std::uint64_t bp, bool foreign) {
  const Caller caller{ip, sp, bp};
  const std::uint32_t site = count_birth(caller, size);
  check_capture(site, caller);
  if (site == table::SiteTable::kNone) {
    count_loss(format::Loss::blocks_not_recorded);
    return;
  }
  insert_block(address_of(block), size, site, foreign);
  if (t_thread.keeping != 0) {
    keep_block(block);
  }
}

// The site of a block whose native frames are known, and whose script is found or walked: it is
// counted. kNone where there is no room.
[[gnu::noinline]] static std::uint32_t count_script_birth(ThreadCache& cache, std::uint32_t native,
                                                          std::uint64_t bytes) {
  const std::uint32_t site = script_site_of(cache, native);
  if (site != table::SiteTable::kNone) {
    cache.births.add(site, bytes, g_tables.sites);
  }
  return site;
}

// The site of a block whose stack is the one predicted, and which is not the first of many births
// to be booked: it is counted. 0 where more is to be done, and nothing is done.
[[gnu::always_inline]] static inline std::uint32_t try_count_birth(ThreadCache& cache,
                                                                   const Caller& caller,
                                                                   std::uint64_t bytes) {
  cache.in_use.store(true, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);  // a handler sees it before what follows
  std::uint32_t site = cache.predictions.find_latest(caller, stack::generation());
  bool done =
      site != 0 && (site & (kCutMark | kScriptMark)) == 0 && cache.births.try_add(site, bytes);
  if (!done && needs_script(site)) [[unlikely]] {
    site = count_script_birth(cache, site, bytes);
    done = site != table::SiteTable::kNone;
  }
  if (done) [[likely]] {
    cache.count(CaptureCount::predicted);
  }
  cache.in_use.store(false, std::memory_order_release);
  return done ? site : 0;
}

// Most blocks are recorded without leaving this function.
void* record_block_of(void* block, std::size_t size, std::uint64_t ip, std::uint64_t sp,
                      std::uint64_t bp) {
  if (mode() != Mode::kExact || block == nullptr) [[unlikely]] {
    record_otherwise(block, size, ip, sp, bp);
    return block;
  }
  count_call();
  ThreadCache* const cache = t_thread.cache;
  const bool ready =
      cache != nullptr && !cache->in_use.load(std::memory_order_relaxed) && t_thread.guard == 0;
  const Caller caller{ip, sp, bp};
  const std::uint32_t site = ready ? try_count_birth(*cache, caller, size) : 0;
  if (site == 0) [[unlikely]] {
    capture_and_record(block, size, ip, sp, bp, /*foreign=*/false);
    return block;
  }
  check_capture(site, caller);
  if (!g_tables.blocks.try_insert({address_of(block), size, site, g_clock.tick()})) [[unlikely]] {
    insert_block(address_of(block), size, site, /*foreign=*/false);
  }
  return block;
}

void* record_foreign_allocation(void* block, std::size_t size, const Caller& caller) {
  if (mode() != Mode::kExact || block == nullptr) {
    record_otherwise(block, size, caller.ip, caller.sp, caller.bp);
    return block;
  }
  count_call();
  capture_and_record(block, size, caller.ip, caller.sp, caller.bp, /*foreign=*/true);
  return block;
}

void record_release_otherwise(const void* block) {
  const Mode now = mode();
  if (block == nullptr || now <= Mode::kNotStarted) [[unlikely]] {
    return;
  }
  if (now != Mode::kExact && g_config.sample_bytes != 0) [[unlikely]] {
    record_sampled_release(address_of(block));
    return;
  }
  count_call();
  const std::uintptr_t address = address_of(block);
  if (!g_tables.blocks.remove(address) && address != t_thread.nested_block &&
      !AllocatorGuard::active_around()) [[unlikely]] {
    count_foreign_free();
  }
}

Moving begin_move(const void* block) {
  Moving moving;
  const bool may_be_known = g_config.sample_bytes == 0 || g_filter.may_hold(address_of(block));
  if (!records_nothing() && may_be_known) {
    moving.known = g_tables.blocks.begin_transit(address_of(block), moving.old);
  }
  return moving;
}

void end_move(const Moving& moving, void* fresh, std::size_t size, bool released,
              const Caller& caller) {
  if (records_nothing()) {
    return;
  }
  if (fresh == nullptr && !released) {
    if (moving.known) {
      g_tables.blocks.cancel_transit(moving.old.address);
    }
    return;
  }
  record_allocation(fresh, size, caller);
  if (!moving.known) {
    count_foreign_free();
  } else if (g_config.sample_bytes != 0) {
    end_sampled_move(moving.old);
  } else {
    g_tables.blocks.end_transit(moving.old);  // nothing, if the new record is in its place
  }
}

void record_map(const void* begin, std::size_t bytes, const Caller& caller) {
  if (!recording()) {
    record_unmap(begin, bytes);  // a map over a recorded one ends it
    if (dormant() && !AllocatorGuard::active(caller)) {
      look_at_clock();  // an interpreter takes its memory so, and seldom calls malloc
    }
    return;
  }
  if (!g_config.track_mmap || AllocatorGuard::active(caller)) {
    return;
  }
  count_call();
  const std::uint32_t site = mmap_site_of(caller);
  check_capture(site, caller);
  const std::uintptr_t address = address_of(begin);
  if (site != table::SiteTable::kNone &&
      insert_range({address, address + bytes, site, g_clock.tick()})) {
    g_tables.sites.count_births(site, 1, bytes);
  } else {
    count_loss(format::Loss::maps_not_recorded);
  }
}

void record_unmap(const void* begin, std::size_t bytes) {
  if (records_nothing()) {
    return;
  }
  release_script_objects_of_map(begin, bytes);
  if (!g_config.track_mmap) {
    return;
  }
  const std::uintptr_t address = address_of(begin);
  if (!remove_range(address, address + bytes)) {
    count_loss(format::Loss::maps_not_recorded);
  }
}

Remapping begin_remap(const void* begin, std::size_t bytes) {
  Remapping remapping;
  const std::uintptr_t address = address_of(begin);
  if (records_nothing() || !g_config.track_mmap ||
      !g_tables.ranges.find(address, remapping.range)) {
    return remapping;  // not a map of the program: one that the loader or the allocator made
  }
  remapping.range.begin = address;
  remapping.range.end = address + bytes;
  remapping.known = remove_range(address, address + bytes);
  if (!remapping.known) {
    count_loss(format::Loss::maps_not_recorded);
  }
  return remapping;
}

void end_remap(const Remapping& remapping, const void* fresh, std::size_t bytes) {
  if (!remapping.known) {
    return;
  }
  table::Range range = remapping.range;
  const std::size_t old_bytes = range.end - range.begin;
  if (fresh != nullptr) {
    range.begin = address_of(fresh);
    range.end = range.begin + bytes;
  }
  if (!insert_range(range)) {
    count_loss(format::Loss::maps_not_recorded);
  } else if (fresh != nullptr && bytes > old_bytes) {
    g_tables.sites.site(range.site)
        .allocated_bytes.fetch_add(bytes - old_bytes, std::memory_order_relaxed);
  }
}

}  // namespace seep::recorder
