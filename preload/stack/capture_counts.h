// What is counted about the capture of stacks, off its fast path (format/capture_counts.inc).
// Context: IN-HOOK, any thread. Relaxed counters: figures, they order nothing.
#pragma once

#include <atomic>
#include <cstdint>

#include "format/capture_counts.h"

namespace seep::stack {

extern constinit std::atomic<std::uint64_t> g_capture_counts[format::kCaptureCountCount];

inline std::atomic<std::uint64_t>& capture_count(format::CaptureCount what) {
  return g_capture_counts[static_cast<std::uint32_t>(what)];
}

inline void count(format::CaptureCount what, std::uint64_t times = 1) {
  capture_count(what).fetch_add(times, std::memory_order_relaxed);
}

}  // namespace seep::stack
