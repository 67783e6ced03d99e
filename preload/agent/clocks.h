// Wall and monotonic time in nanoseconds, served by the vDSO. Context: IN-AGENT, walker.
#pragma once

#include <time.h>

#include <cstdint>

namespace seep::agent {

inline std::uint64_t clock_ns(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000000000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}
inline std::uint64_t monotonic_ns() {
  return clock_ns(CLOCK_MONOTONIC);
}
inline std::uint64_t unix_ns() {
  return clock_ns(CLOCK_REALTIME);
}

}  // namespace seep::agent
