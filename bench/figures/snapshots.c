// Takes snapshots of a small program and prints what one costs, in a "name value" line:
//
//   seep_figures_snapshots COUNT GAP_MS
//
// raise(SIGUSR2) COUNT times, which is a snapshot each with SEEP_SIGNAL=USR2, GAP_MS apart and with
// an allocation before each. `snapshot_us` is the median of the thread's time. Without a gap
// everything is warm; a program that sleeps in between finds its caches used by others.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { kMost = 100000, kBlocks = 100 };

static double thread_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void* left, const void* right) {
  const double a = *(const double*)left;
  const double b = *(const double*)right;
  return (a > b) - (a < b);
}

// Lost, so that there is something to write.
static void allocate(size_t bytes) {
  void* volatile block = malloc(bytes);
  (void)block;
}

int main(int argc, char** argv) {
  const int count = argc > 1 ? atoi(argv[1]) : 0;
  const long gap_ms = argc > 2 ? atol(argv[2]) : 0;
  if (count <= 0 || count > kMost || gap_ms < 0 || gap_ms > 999) {
    fprintf(stderr, "usage: %s COUNT GAP_MS\n", argv[0]);
    return 2;
  }
  static double times[kMost];
  for (size_t i = 0; i < kBlocks; ++i) {
    allocate(100 + i);
  }
  for (int i = 0; i < count; ++i) {
    const struct timespec gap = {0, gap_ms * 1000000};
    nanosleep(&gap, NULL);
    allocate(120);
    const double begin = thread_us();
    raise(SIGUSR2);  // without the preload's handler there is nothing to measure: it kills
    times[i] = thread_us() - begin;
  }
  qsort(times, (size_t)count, sizeof(times[0]), compare);
  printf("snapshot_us %.1f\n", times[count / 2]);
  return 0;
}
