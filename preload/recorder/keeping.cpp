// Blocks and objects that the program wants to be left alone.
#include "preload/recorder/recorder.h"
#include "preload/recorder/thread_cache.h"

namespace seep::recorder {

constinit table::KeptBlocks g_kept_blocks;
constinit table::KeptBlocks g_kept_objects;

namespace {

constexpr std::uintptr_t kGranuleBytes = 16;
constexpr std::uintptr_t kMostInside = std::uintptr_t{1} << 20;

void keep_object(std::uintptr_t place) {
  if (!g_tables.pools.was_used()) {
    return;
  }
  const std::uintptr_t lowest = place > kMostInside ? place - kMostInside : 0;
  g_tables.pools.walk_range(lowest, place + 1, [place](const table::Block& object) {
    if (place - object.address < object.size || place == object.address) {
      g_kept_objects.add(object, g_tables.pools);
    }
  });
}

}  // namespace

// The cache counts as in use until the end: so every block takes the longer way, on which it is
// kept.
void begin_keeping() {
  if (++t_thread.keeping > 1) {
    return;
  }
  { const CacheInUse claims_one; }
  if (t_thread.cache != nullptr) {
    t_thread.cache->in_use.store(true, std::memory_order_relaxed);
  }
}

void end_keeping() {
  if (t_thread.keeping == 0 || --t_thread.keeping != 0) {
    return;
  }
  if (t_thread.cache != nullptr) {
    t_thread.cache->in_use.store(false, std::memory_order_release);
  }
}

// From the address down to the beginning of a block that holds it.
void keep_block(const void* address) {
  const auto place = reinterpret_cast<std::uintptr_t>(address);
  keep_object(place);
  table::Block block;
  for (std::uintptr_t below = 0; below <= kMostInside && below <= place; below += kGranuleBytes) {
    const std::uintptr_t start = (place - below) & ~(kGranuleBytes - 1);
    if (g_tables.blocks.look_up(start, block)) {
      if (place - start < block.size || place == start) {
        g_kept_blocks.add(block, g_tables.blocks);
      }
      return;
    }
  }
}

}  // namespace seep::recorder
