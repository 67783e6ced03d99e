#include "preload/recorder/pools.h"

#include "preload/recorder/recorder.h"
#include "preload/recorder/sampled.h"
#include "preload/recorder/sites.h"

namespace seep::recorder {
namespace {

constinit bool g_track_heap = true;  // written before the first event
constinit bool g_sampled = false;    // the same

bool records_objects(const Caller& caller) {
  const Mode now = mode();
  return (now == Mode::kExact || now == Mode::kSample) && g_track_heap &&
         !AllocatorGuard::active(caller);
}

// A program may take everything from its pools: then no other event looks at the clock.
void count_call() {
  if (--t_thread.calls_to_look < 0) [[unlikely]] {
    look_at_busy_clock();
  }
}

std::uintptr_t address_of(const void* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

void settle(table::Insert outcome, std::uint32_t site, const Weight& weight) {
  switch (outcome) {
    case table::Insert::kNew:
      return;
    case table::Insert::kReplaced:
      count_loss(format::Loss::missed_free);
      return;
    case table::Insert::kNoMemory:
      count_loss(format::Loss::blocks_not_recorded);
      break;
    case table::Insert::kOutOfRange:
      count_loss(format::Loss::address_out_of_range);
      break;
  }
  g_tables.sites.count_births(site, 0 - weight.blocks, 0 - weight.bytes);
}

}  // namespace

void start_pools(bool track_heap, bool sampled) {
  g_track_heap = track_heap;
  g_sampled = sampled;
}

// Births first: a walk must never see more live than were born.
void record_pool_object(const void* object, std::size_t size, const Caller& caller) {
  if (object == nullptr || !records_objects(caller)) {
    return;
  }
  count_call();
  const std::uint32_t site = heap_site_of(caller);
  if (site == table::SiteTable::kNone) {
    count_loss(format::Loss::blocks_not_recorded);
    return;
  }
  const Weight weight = weight_of_object(size);
  g_tables.sites.count_births(site, weight.blocks, weight.bytes);
  const table::Block fresh{address_of(object), size, site, g_clock.tick(), true};
  table::Block old;
  settle(g_tables.pools.insert(fresh, old), site, weight);
  if (t_thread.keeping != 0) [[unlikely]] {
    g_kept_objects.add(fresh, g_tables.pools);
  }
}

// Also while paused. One that is not known was taken while nothing was recorded.
void release_pool_object(const void* object) {
  g_tables.pools.remove(address_of(object));
}

void release_pool_objects(const void* begin, std::size_t bytes) {
  std::uintptr_t end = 0;
  if (__builtin_add_overflow(address_of(begin), bytes, &end)) {
    end = UINTPTR_MAX;
  }
  g_tables.pools.walk_range(address_of(begin), end, [](const table::Block& object) {
    g_tables.pools.remove(object.address);
  });
}

std::uint64_t pool_bytes_within(const table::PoolTable& pools, std::uintptr_t begin,
                                std::uintptr_t end) {
  std::uint64_t bytes = 0;
  pools.walk_range(begin, end, [&](const table::Block& object) {
    const std::uint64_t room = end - object.address;
    bytes += object.size < room ? object.size : room;
  });
  return bytes < end - begin ? bytes : end - begin;
}

Weight weight_of_object(std::uint64_t size) {
  return g_sampled ? Weight{std::uint64_t{1} << kBlockFractionBits, size << kByteFractionBits}
                   : Weight{1, size};
}

}  // namespace seep::recorder
