#include "preload/recorder/recorder.h"

#include <iterator>

#include "preload/stack/capture.h"
#include "preload/stack/last_walk.h"
#include "preload/stack/modules.h"

namespace seep::recorder {

constinit LossCounters g_losses = {};
constinit Tables g_tables;
constinit Clock g_clock;
constinit std::atomic<Mode> g_mode{Mode::kReleasesOnly};
constinit thread_local unsigned t_calls_to_look = kCallsPerLook;

namespace {

constinit Config g_config;  // written before g_mode is released

// Every block of the program is recorded: a release of any other is a loss. Not so once blocks were
// made while nothing was recorded. Relaxed: a figure may be off by the events of the moment.
constinit std::atomic<bool> g_every_block_is_known{false};

// A thread whose looks come too far apart looks at every call, then at every second, and so on.
constinit thread_local unsigned t_calls_per_look = kCallsPerLook;
constinit thread_local unsigned t_polls_to_look = 1;  // while dormant
constinit thread_local std::uintptr_t t_guard = 0;
// Set by an allocation below an AllocatorGuard: the outer hook takes the block over.
constinit thread_local std::uintptr_t t_nested_block = 0;

constexpr unsigned least(unsigned a, unsigned b) {
  return a < b ? a : b;
}

std::uintptr_t stack_pointer() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

[[gnu::cold, gnu::noinline]] void look_at_clock() {
  const std::uint32_t before = g_clock.tick();
  const std::uint64_t now = g_clock.look();
  const bool idle = g_clock.tick() - before > kIdleLookMs >> kTickShift;
  const unsigned most = dormant() ? kCallsPerPoll * kPollsPerLook : kCallsPerLook;
  t_calls_per_look = idle ? 1 : least(2 * t_calls_per_look, most);
  t_calls_to_look = least(t_calls_per_look, kCallsPerPoll);
  t_polls_to_look = t_calls_per_look / t_calls_to_look;
  if (g_config.on_look != nullptr) {
    g_config.on_look(now);
  }
}

inline void count_call() {
  if (--t_calls_to_look == 0) [[unlikely]] {
    look_at_clock();
  }
}

// What is known of a thread's last stack, so that the next one costs less. Threads are spread over
// a fixed number of them by the address of their control block: thousands of threads need no more
// memory, and one that ends leaves nothing behind. Two threads that share one cost each other time,
// and no exactness: all that is in it is compared before it is believed.
struct CallerCache {
  stack::LastWalk walk;
  table::StackTable::LastStack stack;
};
constexpr unsigned kCallerCacheBits = 8;
constinit CallerCache g_caller_caches[1U << kCallerCacheBits] = {};
// Which of them are in use; apart, so that a fork's child need not touch the caches. Taken by
// exchange (acquire), given back by store (release). Who finds one taken, as a signal handler above
// capture_node does, goes without.
struct alignas(64) InUse {  // a cache line each: threads must not wait for each other's
  std::atomic<bool> flag;
};
constinit InUse g_cache_in_use[1U << kCallerCacheBits] = {};

std::size_t caller_cache_of_thread() {
  std::uint64_t control_block;
  __asm__("movq %%fs:0, %0" : "=r"(control_block));
  constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15ULL;
  return control_block * kGoldenRatio >> (64 - kCallerCacheBits);
}

std::uint32_t capture_node(stack::Stack& captured) {
  const std::size_t index = caller_cache_of_thread();
  if (g_cache_in_use[index].flag.exchange(true, std::memory_order_acquire)) {
    stack::capture(g_config.stack_depth, captured);
    return g_tables.stacks.intern(captured);
  }
  CallerCache& cache = g_caller_caches[index];
  stack::capture(g_config.stack_depth, captured, &cache.walk);
  const std::uint32_t node = g_tables.stacks.intern(captured, cache.stack);
  g_cache_in_use[index].flag.store(false, std::memory_order_release);
  return node;
}

// In a fork's child: caches that other threads were using are half written. The one of this thread
// may be in use by the call that a signal handler interrupted to fork, and is left alone.
void free_caller_caches() {
  for (std::size_t i = 0; i < std::size(g_cache_in_use); ++i) {
    if (i != caller_cache_of_thread() && g_cache_in_use[i].flag.load(std::memory_order_relaxed)) {
      g_caller_caches[i].walk.forget();
      g_caller_caches[i].stack.depth = 0;
      g_cache_in_use[i].flag.store(false, std::memory_order_relaxed);
    }
  }
}

std::uint32_t capture_site(format::SiteKind kind) {
  stack::Stack captured;
  const std::uint32_t node = capture_node(captured);
  if (captured.cut) {
    count_loss(format::Loss::stacks_cut);
  } else if (captured.failed) {
    count_loss(format::Loss::unwind_failed);
  }
  std::uint32_t site = g_tables.sites.find_or_add(node, kind);
  if (node == table::StackTable::kRoot || site == table::SiteTable::kNone) {
    count_loss(format::Loss::stacks_not_recorded);
    site = g_tables.sites.find_or_add(table::StackTable::kRoot, kind);
  }
  return site;
}

void count_birth(std::uint32_t site, std::uint64_t bytes) {
  table::SiteEntry& entry = g_tables.sites.site(site);
  entry.allocated_blocks.fetch_add(1, std::memory_order_relaxed);
  entry.allocated_bytes.fetch_add(bytes, std::memory_order_relaxed);
}

void uncount_birth(const table::Block& block) {
  table::SiteEntry& entry = g_tables.sites.site(block.site);
  entry.allocated_blocks.fetch_sub(1, std::memory_order_relaxed);
  entry.allocated_bytes.fetch_sub(block.size, std::memory_order_relaxed);
}

// What insert() found at the address: an inner hook of the same call, or a release we never saw.
void settle_replaced(const table::Block& old) {
  if (old.address == t_nested_block) {
    uncount_birth(old);
  } else {
    count_loss(format::Loss::missed_free);
  }
}

void insert_block(const table::Block& block) {
  table::Block old;
  count_birth(block.site, block.size);  // first: a walk must never see more live than were born
  switch (g_tables.blocks.insert(block, old)) {
    case table::Insert::kNew:
      break;
    case table::Insert::kReplaced:
      settle_replaced(old);
      break;
    case table::Insert::kNoMemory:
      uncount_birth(block);
      count_loss(format::Loss::blocks_not_recorded);
      return;
    case table::Insert::kOutOfRange:
      uncount_birth(block);
      count_loss(format::Loss::address_out_of_range);
      return;
  }
  t_nested_block = AllocatorGuard::active() ? block.address : 0;
}

void count_foreign_free() {
  if (g_config.track_heap && g_every_block_is_known.load(std::memory_order_relaxed)) {
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

void start_recording(const Config& config) {
  g_config = config;
  g_every_block_is_known.store(config.mode == Mode::kExact, std::memory_order_relaxed);
  set_mode(config.mode);
}

void set_mode(Mode mode) {
  if (mode != Mode::kExact) {
    g_every_block_is_known.store(false, std::memory_order_relaxed);
  }
  g_mode.store(mode, std::memory_order_release);
}

void look_while_dormant() {
  if (--t_polls_to_look == 0 || (g_config.is_wanted != nullptr && g_config.is_wanted())) {
    look_at_clock();
  } else {
    t_calls_to_look = kCallsPerPoll;
  }
}

void hold_for_fork() {
  g_tables.ranges.hold_for_fork();
}

void release_after_fork() {
  g_tables.ranges.release_after_fork();
}

std::uint32_t recover_after_fork() {
  g_tables.ranges.reset_lock();
  free_caller_caches();
  t_calls_to_look = 1;
  g_clock.look();
  return g_clock.skip_tick();
}

void record_allocation(const void* block, std::size_t size, const Caller& /*caller*/) {
  if (block == nullptr || dormant()) {
    return;
  }
  count_call();
  if (!recording() || !g_config.track_heap) {
    return;
  }
  const std::uint32_t site = capture_site(format::SiteKind::kHeap);
  if (site == table::SiteTable::kNone) {
    count_loss(format::Loss::blocks_not_recorded);
    return;
  }
  insert_block({address_of(block), size, site, g_clock.tick()});
}

void record_release(const void* block) {
  if (block == nullptr || dormant()) {
    return;
  }
  count_call();
  table::Block old;
  if (!g_tables.blocks.remove(address_of(block), old) && !AllocatorGuard::active()) {
    count_foreign_free();
  }
}

Moving begin_move(const void* block) {
  Moving moving;
  if (!dormant()) {
    moving.known = g_tables.blocks.begin_transit(address_of(block), moving.old);
  }
  return moving;
}

void end_move(const Moving& moving, const void* fresh, std::size_t size, bool released,
              const Caller& caller) {
  if (dormant()) {
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
  } else if (address_of(fresh) != moving.old.address || !recording()) {
    g_tables.blocks.end_transit(moving.old.address);
  }
}

void record_map(const void* begin, std::size_t bytes, const Caller& /*caller*/) {
  if (!recording()) {
    record_unmap(begin, bytes);  // a map over a recorded one ends it
    return;
  }
  if (!g_config.track_mmap || AllocatorGuard::active()) {
    return;
  }
  count_call();
  const std::uint32_t site = capture_site(format::SiteKind::kMmap);
  const std::uintptr_t address = address_of(begin);
  if (site != table::SiteTable::kNone &&
      insert_range({address, address + bytes, site, g_clock.tick()})) {
    count_birth(site, bytes);
  } else {
    count_loss(format::Loss::maps_not_recorded);
  }
}

void record_unmap(const void* begin, std::size_t bytes) {
  if (dormant() || !g_config.track_mmap) {
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
  if (dormant() || !g_config.track_mmap || !g_tables.ranges.find(address, remapping.range)) {
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

AllocatorGuard::AllocatorGuard() : before_(active() ? t_guard : 0) {
  t_guard = stack_pointer();
}

AllocatorGuard::~AllocatorGuard() {
  t_guard = before_;
}

bool AllocatorGuard::active() {
  if (t_guard != 0 && stack_pointer() > t_guard) {
    t_guard = 0;
  }
  return t_guard != 0;
}

}  // namespace seep::recorder
