#include "preload/recorder/sampled.h"

#include "preload/recorder/recorder.h"
#include "preload/recorder/sites.h"
#include "preload/runtime/real_math.h"

namespace seep::recorder {

constinit table::AddressFilter g_filter;

namespace {

constinit std::uint64_t g_mean_bytes = 0;  // written before the first event
constinit bool g_track_heap = true;        // the same

// Bytes that a thread allocates between two looks at the clock. Each look costs about as much as
// sixty subtractions, so a busy thread looks rarely; one that allocates little must look often, or
// a request would wait for it.
constexpr std::uint64_t kLeastStride = std::uint64_t{1} << 10;
constexpr std::uint64_t kMostStride = std::uint64_t{1} << 15;
constinit thread_local std::uint64_t t_stride = 0;

void look() {
  const std::uint32_t before = g_clock.tick();
  if (!look_at_busy_clock()) {
    t_stride = 0;  // idle: every allocation looks
  } else if (g_clock.tick() != before || t_stride == 0) {
    t_stride = kLeastStride;
  } else if (t_stride < kMostStride) {
    t_stride *= 2;
  }
}

Weight weight_of_block(std::size_t size) {
  const runtime::FloatEnvironment environment;
  return weight_of(size, g_mean_bytes);
}

void give_up(std::uintptr_t address, format::Loss loss) {
  g_filter.remove(address);
  count_loss(loss);
}

// Births first: a walk must never see more live than were born.
void record_block(const table::Block& block) {
  const Weight weight = weight_of_block(block.size);
  g_tables.sites.count_births(block.site, weight.blocks, weight.bytes);
  table::Block old;
  const table::Insert outcome = g_tables.blocks.insert(block, old);
  if (outcome == table::Insert::kNew) {
    return;
  }
  if (outcome == table::Insert::kReplaced) {
    give_up(block.address, format::Loss::missed_free);  // what was added for the old block
    return;
  }
  g_tables.sites.count_births(block.site, 0 - weight.blocks, 0 - weight.bytes);
  give_up(block.address, outcome == table::Insert::kNoMemory ? format::Loss::blocks_not_recorded
                                                             : format::Loss::address_out_of_range);
}

}  // namespace

void start_sampled(std::uint64_t mean_bytes, bool track_heap) {
  g_mean_bytes = mean_bytes;
  g_track_heap = track_heap;
  start_sampling(mean_bytes);
  g_filter.start(mean_bytes);
}

[[gnu::cold, gnu::noinline]] void record_due_allocation(std::uintptr_t address, std::size_t size,
                                                        const Caller& caller) {
  look();
  if (!decide(t_stride) || !g_track_heap || AllocatorGuard::active(caller)) {
    return;
  }
  if (!g_filter.add(address)) {
    count_loss(format::Loss::blocks_not_recorded);
    return;
  }
  const std::uint32_t site = heap_site_of(caller);
  if (site == table::SiteTable::kNone) {
    give_up(address, format::Loss::blocks_not_recorded);
    return;
  }
  record_block({address, size, site, g_clock.tick()});
}

[[gnu::cold, gnu::noinline]] void record_held_release(std::uintptr_t address) {
  if (g_tables.blocks.remove(address)) {
    g_filter.remove(address);
  }
}

void end_sampled_move(const table::Block& old) {
  g_tables.blocks.end_transit(old);
  g_filter.remove(old.address);
}

void restart_sampled() {
  restart_sampling();
  t_stride = 0;
}

}  // namespace seep::recorder
