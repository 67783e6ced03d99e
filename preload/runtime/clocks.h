// Clocks in nanoseconds. Context: IN-AGENT, walker.
#pragma once

#include <time.h>

#include <cstdint>

namespace seep::runtime {

inline std::uint64_t clock_ns(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000000000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}
// What a snapshot costs: time that this thread was on a processor. On a busy machine a pause in the
// middle would else count as cost, and put off the next snapshot by hundreds of times its length.
inline std::uint64_t thread_cpu_ns() {
  return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}
inline std::uint64_t unix_ns() {
  return clock_ns(CLOCK_REALTIME);
}

}  // namespace seep::runtime
