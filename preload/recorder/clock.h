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
inline constexpr int kCallsPerLook = 32;
inline constexpr int kCallsPerPoll = 64;           // of a dormant process
inline constexpr int kPollsPerLook = 8;            // of a dormant process
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

  void start() { origin_ms_.store(monotonic_ms(), std::memory_order_relaxed); }

  // Reads the kernel's clock; milliseconds since start().
  std::uint64_t look() {
    const std::uint64_t elapsed = monotonic_ms() - origin_ms_.load(std::memory_order_relaxed);
    tick_.store(static_cast<std::uint32_t>(elapsed >> kTickShift), std::memory_order_relaxed);
    return elapsed;
  }

  // Moves all later readings on by one tick, and returns the tick that begins.
  std::uint32_t skip_tick() {
    origin_ms_.fetch_sub(std::uint64_t{1} << kTickShift, std::memory_order_relaxed);
    look();
    return tick();
  }

  // Takes `ms` out of all later readings: time that does not count. A thread that is within look()
  // now may still store the old tick; it stands until the next look of any thread.
  void set_back(std::uint64_t ms) {
    origin_ms_.fetch_add(ms, std::memory_order_relaxed);
    look();
  }

  [[nodiscard]] std::uint32_t tick() const { return tick_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> origin_ms_{0};  // relaxed: a look from before a change is late by it
  std::atomic<std::uint32_t> tick_{0};       // relaxed: any recent value is good
};

}  // namespace seep::recorder
