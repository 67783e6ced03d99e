// The recorder's clock: ticks of 16 ms since it was started, good for 2.1 years.
// Context: IN-HOOK. Reading the kernel's clock at every call would cost more than the table, so a
// thread reads it every kCallsPerLook calls and all threads use the tick that was read last. A
// block's birth is early by the time since that look; where looks are far apart (an idle program),
// every call looks.
#pragma once

#include <time.h>

#include <atomic>
#include <cstdint>

namespace seep::recorder {

inline constexpr unsigned kTickShift = 4;  // milliseconds to ticks
inline constexpr unsigned kCallsPerLook = 32;
inline constexpr std::uint64_t kIdleLookMs = 100;  // looks further apart: the program is idle

class Clock {
 public:
  // Milliseconds on the monotonic clock, from any origin; the kernel's coarse clock, 4 ms steps.
  static std::uint64_t monotonic_ms() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1000000;
  }

  void start() { origin_ms_ = monotonic_ms(); }

  // Reads the kernel's clock; milliseconds since start().
  std::uint64_t look() {
    const std::uint64_t elapsed = monotonic_ms() - origin_ms_;
    tick_.store(static_cast<std::uint32_t>(elapsed >> kTickShift), std::memory_order_relaxed);
    return elapsed;
  }

  // Moves all later readings on by one tick, and returns the tick that begins.
  std::uint32_t skip_tick() {
    origin_ms_ -= std::uint64_t{1} << kTickShift;
    look();
    return tick();
  }

  [[nodiscard]] std::uint32_t tick() const { return tick_.load(std::memory_order_relaxed); }

 private:
  std::uint64_t origin_ms_ = 0;         // written before recording begins
  std::atomic<std::uint32_t> tick_{0};  // relaxed: any recent value is good
};

}  // namespace seep::recorder
