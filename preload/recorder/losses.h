// What could not be recorded, by cause. Context: IN-HOOK.
#pragma once

#include <atomic>
#include <cstdint>

#include "format/losses.h"

namespace seep::recorder {

using LossCounters = std::atomic<std::uint64_t>[format::kLossCount];

// Relaxed everywhere: figures, they publish nothing.
extern LossCounters g_losses;

inline void count_loss(format::Loss loss) {
  g_losses[static_cast<std::uint32_t>(loss)].fetch_add(1, std::memory_order_relaxed);
}

}  // namespace seep::recorder
