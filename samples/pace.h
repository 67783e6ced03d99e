// What every sample shares: a duration argument, a fixed number of ticks a second, and `use`.
// Ticks are counted, not timed: a run of N seconds does the same work on a slow machine.
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <time.h>

// Keeps the function's own frame, so that its name stands in the stacks.
#define SAMPLE_FUNCTION __attribute__((noinline))

// The pointer escapes here: the compiler may neither drop the allocation before it nor turn it
// into a tail call.
static inline void use(const void* pointer) {
  __asm__ volatile("" : : "g"(pointer) : "memory");
}

struct pace {
  struct timespec next;
  unsigned long ticks_left;
  long period_ns;
};

// Seconds to run: the first argument, 3 without one.
static inline double duration_argument(int argc, char** argv) {
  const double seconds = argc > 1 ? strtod(argv[1], NULL) : 3.0;
  return seconds > 0.0 && seconds < 86400.0 ? seconds : 3.0;
}

static inline struct pace start_pace(double seconds, unsigned ticks_per_second) {
  struct pace pace;
  clock_gettime(CLOCK_MONOTONIC, &pace.next);
  pace.ticks_left = (unsigned long)(seconds * ticks_per_second);
  pace.period_ns = 1000000000L / (long)ticks_per_second;
  return pace;
}

// Waits for the next tick; 0 when the run is over.
static inline int next_tick(struct pace* pace) {
  if (pace->ticks_left == 0) {
    return 0;
  }
  --pace->ticks_left;
  pace->next.tv_nsec += pace->period_ns;
  if (pace->next.tv_nsec >= 1000000000L) {
    pace->next.tv_nsec -= 1000000000L;
    ++pace->next.tv_sec;
  }
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &pace->next, NULL) == EINTR) {
  }
  return 1;
}
