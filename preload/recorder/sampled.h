// Sample mode: what becomes of an event when only the sampled blocks are recorded.
// Context: IN-HOOK, any thread, also inside signal handlers.
//
//   allocation -> sampling_due -> decide -> stack, site -> AddressFilter -> AddressTable
//   release    -> AddressFilter -> AddressTable
//
// An address is in the filter before it is in the table, and longer: no release is missed. A hook
// below another one (AllocatorGuard) records nothing; the outer one decides about the block, once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/recorder/caller.h"
#include "preload/recorder/sampler.h"
#include "preload/table/address_filter.h"
#include "preload/table/page_chunk.h"

namespace seep::recorder {

[[gnu::visibility("hidden")]] extern table::AddressFilter g_filter;

// AT-INIT, before the first event. Without `track_heap` blocks only lead to looks at the clock.
void start_sampled(std::uint64_t mean_bytes, bool track_heap);

// Due: looks at the clock, and records the block when it holds the thread's next sample point.
void record_due_allocation(std::uintptr_t address, std::size_t size, const Caller& caller);
inline void record_sampled_allocation(std::uintptr_t address, std::size_t size,
                                      const Caller& caller) {
  if (sampling_due(size)) [[unlikely]] {
    record_due_allocation(address, size, caller);
  }
}

// For a hook, before the real call: true when the allocation is not recorded, and was counted. Else
// it is counted by record_allocation, which is to be called as ever.
inline bool passes_over(std::size_t size) {
  if (size > PTRDIFF_MAX) [[unlikely]] {
    return false;  // it will fail, and no allocation is counted
  }
  if (!sampling_due(size)) [[likely]] {
    return true;
  }
  t_countdown.left += static_cast<std::int64_t>(counted_bytes(size));
  return false;
}

void record_held_release(std::uintptr_t address);
inline void record_sampled_release(std::uintptr_t address) {
  if (g_filter.may_hold(address)) [[unlikely]] {
    record_held_release(address);
  }
}

// realloc gave the block `old` up, or kept it there under a new record or none.
void end_sampled_move(const table::Block& old);

// In a fork's child.
void restart_sampled();

// Of recorder.cpp: reads the clock and tells the agent; false when the last look was long ago.
bool look_at_busy_clock();

}  // namespace seep::recorder
