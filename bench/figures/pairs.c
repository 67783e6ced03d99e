// seep_figures_pairs FRAMES PAIRS: prints the nanoseconds of the thread's time that a malloc and
// its free take when the caller of malloc has FRAMES frames above it, itself, main and libc's start
// included.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { kFramesOfStart = 4 };  // main, __libc_start_call_main, __libc_start_main, _start

static volatile unsigned sink;

static double thread_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

__attribute__((noinline)) static double run_at(unsigned depth, unsigned pairs) {
  if (depth > 1) {
    const double result = run_at(depth - 1, pairs);
    ++sink;
    return result;
  }
  const double begin = thread_ns();
  for (unsigned i = 0; i < pairs; ++i) {
    void* block = malloc(16 + i % 64 * 16);
    __asm__ volatile("" : : "r"(block) : "memory");
    free(block);
  }
  return (thread_ns() - begin) / pairs;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s FRAMES PAIRS\n", argv[0]);
    return 2;
  }
  const unsigned frames = (unsigned)strtoul(argv[1], NULL, 10);
  const unsigned pairs = (unsigned)strtoul(argv[2], NULL, 10);
  if (frames <= kFramesOfStart || pairs == 0) {
    return 2;
  }
  printf("pair_ns %.2f\n", run_at(frames - kFramesOfStart, pairs));
  return 0;
}
