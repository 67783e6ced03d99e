// The hot spine: an event of the allocator becomes a stack, a site and an entry of a table.
// Read this folder first. Context: IN-HOOK, any thread, also inside signal handlers.
//
//   hook -> record_allocation -> Predictions (or walk -> StackTable -> SiteTable) -> AddressTable
//        -> record_release    -> AddressTable
//
// Nothing here blocks, allocates through the program's allocator, or calls back into a hook. Every
// kCallsPerLook-th event of a thread looks at the clock and calls the agent, which takes snapshots.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/recorder/allocator_guard.h"
#include "preload/recorder/caller.h"
#include "preload/recorder/clock.h"
#include "preload/recorder/losses.h"
#include "preload/recorder/thread_state.h"
#include "preload/table/address_table.h"
#include "preload/table/kept_blocks.h"
#include "preload/table/pool_table.h"
#include "preload/table/range_table.h"
#include "preload/table/script_frame_table.h"
#include "preload/table/site_table.h"
#include "preload/table/stack_table.h"

namespace seep::recorder {

struct Tables {
  table::AddressTable blocks;
  table::RangeTable ranges;
  table::StackTable stacks;
  table::SiteTable sites;
  table::ScriptFrameTable script_frames;
  table::PoolTable pools;  // objects that lie in blocks, ranges or elsewhere (pools.h)
};

extern Tables g_tables;
extern table::KeptBlocks g_kept_blocks;
extern table::KeptBlocks g_kept_objects;  // of pools
extern Clock g_clock;

// What the hooks do. A hook reads it once, so an event that began before a change is recorded as
// before it.
enum class Mode : std::uint8_t {
  kDormant,       // nothing is recorded; hooks go straight to the real function
  kNotStarted,    // nothing is recorded, and no thread-local variable touched: a library's IFUNC
                  // resolver may run before libseep.so is relocated
  kReleasesOnly,  // paused: what was recorded is taken out when it is released, nothing is added
  kMapsOnly,      // without Config::track_heap: maps, and releases as above
  kExact,         // every allocation
  kSample,        // each byte with equal probability (sampler.h)
};
// Release in set_mode, so that the configuration is there; acquire in mode(). kNotStarted until the
// library has started: a hook that finds kDormant may rely on what the start has set up.
[[gnu::visibility("hidden")]] extern std::atomic<Mode> g_mode;
inline Mode mode() {
  return g_mode.load(std::memory_order_acquire);
}
inline bool dormant() {
  return mode() == Mode::kDormant;
}
// Whether no event of any kind is to be recorded.
inline bool records_nothing() {
  return mode() <= Mode::kNotStarted;
}
// Whether new blocks and maps are recorded.
inline bool recording() {
  return mode() >= Mode::kMapsOnly;
}

// A library was unloaded: another may be mapped in its place.
void modules_changed();
// The library with this place in it is about to be unloaded: what lies there is not believed again
// before the mappings are read.
void module_ends(const void* place);

struct Config {
  Mode mode = Mode::kExact;
  std::uint64_t sample_bytes = 0;  // mean bytes between samples; 0: never in kSample
  unsigned stack_depth = 64;
  bool track_heap = true;
  bool track_mmap = true;
  // Called with the milliseconds since start at each look at the clock; runs in the program's
  // threads, so it must be as careful as a hook.
  void (*on_look)(std::uint64_t now_ms) = nullptr;
  // Whether on_look has something to do whatever the time is; a few loads. Null: never.
  bool (*is_wanted)() = nullptr;
};

// AT-INIT, once. Sets config.mode.
void start_recording(const Config& config);
// Any thread, any time after start_recording. kExact is kMapsOnly where the heap is not tracked.
void set_mode(Mode mode);

// While wanted, each allocation of this thread and of those that look later looks at the clock and
// calls Config::on_look: something is waited for that the program does without telling.
void look_at_every_call(bool wanted);

// In the allocating hooks of a dormant process, so that a request to start is seen: counts a call;
// true for every kCallsPerPoll-th of a thread, which must call look_while_dormant then.
inline bool dormant_call_must_look() {
  return --t_thread.calls_to_look < 0;
}
// Looks at the clock when the agent is wanted, and every kPollsPerLook-th time: reading it at every
// kCallsPerLook-th call would cost as much as all else that a dormant hook does.
void look_while_dormant();

// In the child of a fork: locks are free, and a new tick begins, which is returned: what is born
// from now on is the child's own. The next event looks at the clock before it is recorded. `alone`:
// there is no other thread yet. A fork that was noticed late leaves the caches of threads as they
// are: they bear the parent's process id, so nobody takes them over.
std::uint32_t recover_after_fork(bool alone);

// A block of `size` bytes at `block`, which is returned. Null is ignored.
void* record_block_of(void* block, std::size_t size, std::uint64_t ip, std::uint64_t sp,
                      std::uint64_t bp);
inline void* record_allocation(void* block, std::size_t size, const Caller& caller) {
  return record_block_of(block, size, caller.ip, caller.sp, caller.bp);  // all in registers
}
// The same for a block of an allocator that may be another one than malloc's, such as an operator
// new of the program's own: it may lie closer to its neighbours.
void* record_foreign_allocation(void* block, std::size_t size, const Caller& caller);
// The block is about to be released. Null is ignored.
inline void record_release(const void* block);

// Around realloc of a block that is not null: what is alive never drops out of sight.
//   Moving moving = begin_move(old); fresh = real_realloc(old, size); end_move(moving, fresh,
//   size, released, caller);
struct Moving {
  table::Block old;
  bool known = false;
};
Moving begin_move(const void* block);
// `fresh` null: the block stays as it was, unless `released` says that realloc freed it.
void end_move(const Moving& moving, void* fresh, std::size_t size, bool released,
              const Caller& caller);

// Blocks that this thread makes between the two, and objects, are kept (table/kept_blocks.h); calls
// nest. The record of a block takes microseconds meanwhile.
void begin_keeping();
void end_keeping();
// Keeps the block and the object that `address` points to, or into, at most 1 MB behind the
// beginning.
void keep_block(const void* address);

void record_map(const void* begin, std::size_t bytes, const Caller& caller);
void record_unmap(const void* begin, std::size_t bytes);

// Around mremap: the map keeps its site and birth. While the kernel moves it, it is in neither
// place.
struct Remapping {
  table::Range range;  // as it was; cut out of the table
  bool known = false;
};
Remapping begin_remap(const void* begin, std::size_t bytes);
// `fresh` null: mremap failed, and the map is where it was.
void end_remap(const Remapping& remapping, const void* fresh, std::size_t bytes);

// What most releases run through stands here, to be part of the hook's code.

// Any release but that of a block which the table forgets at once.
void record_release_otherwise(const void* block);

[[gnu::always_inline]] inline void record_release(const void* block) {
  if (mode() == Mode::kExact && block != nullptr && t_thread.calls_to_look > 0 &&
      g_tables.blocks.try_remove(reinterpret_cast<std::uintptr_t>(block))) [[likely]] {
    --t_thread.calls_to_look;
    return;
  }
  record_release_otherwise(block);
}

}  // namespace seep::recorder
