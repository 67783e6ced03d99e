// Events off the fast path of capture, for reports and tests.
// Context: IN-HOOK, any thread. Relaxed counters: figures, they order nothing.
#pragma once

#include <atomic>
#include <cstdint>

namespace seep::stack {

struct CaptureCounters {
  std::atomic<std::uint64_t> first_met;        // the home slot was empty
  std::atomic<std::uint64_t> replaced;         // the home slot held another address
  std::atomic<std::uint64_t> unmapped;         // the slot's load was not mapped at the time
  std::atomic<std::uint64_t> rows_full;        // rules that could not be remembered
  std::atomic<std::uint64_t> outside;          // addresses in no module
  std::atomic<std::uint64_t> full_walks;       // walks that needed all registers
  std::atomic<std::uint64_t> heuristic_steps;  // steps by frame pointer
  std::atomic<std::uint64_t> maps_read;        // the list of mappings was read
  std::atomic<std::uint64_t> stale_modules;    // another file was found in the place of a module
};
extern constinit CaptureCounters g_capture_counters;

inline void count(std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace seep::stack
