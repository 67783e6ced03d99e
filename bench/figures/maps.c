// maps LIVE PAIRS: the time of PAIRS calls of munmap and mmap, each on a random one of LIVE maps of
// a page, by a process that keeps those. The kernel keeps them apart: every second one is
// read-only. vm.max_map_count is the limit, 65530 by default. Prints microseconds a pair.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { kPage = 4096 };

static double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

// The map with this number, at its place.
static int map(char* begin, long number) {
  const int protection = number % 2 == 0 ? PROT_READ | PROT_WRITE : PROT_READ;
  char* place = begin + number * kPage;
  return mmap(place, kPage, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == place;
}

int main(int argc, char** argv) {
  const long live = argc > 1 ? atol(argv[1]) : 10000;
  const long pairs = argc > 2 ? atol(argv[2]) : 100000;
  char* begin = mmap(NULL, (size_t)live * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED) {
    return 1;
  }
  for (long i = 0; i < live; ++i) {
    if (!map(begin, i)) {
      return 1;
    }
  }
  uint64_t random = 88172645463325252u;
  const double start = now_us();
  for (long i = 0; i < pairs; ++i) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    const long number = (long)((random >> 32) * (uint64_t)live >> 32);
    if (munmap(begin + number * kPage, kPage) != 0 || !map(begin, number)) {
      return 1;
    }
  }
  printf("pair_us %.3f\n", (now_us() - start) / (double)pairs);
  return 0;
}
