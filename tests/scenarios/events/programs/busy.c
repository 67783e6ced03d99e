// Makes and releases blocks in two threads until it is killed: busy BLOCKS. Says when it begins.
// There are 16,384 ways to the allocation, so that snapshots are large and take time to write.
#define _GNU_SOURCE
#include "tests/scenarios/events/programs/cases.h"

enum { kMost = 1 << 20 };

static size_t g_count;

static void* left(unsigned way, int depth, size_t size);

// Two calls, so two places to return to.
__attribute__((noinline)) static void* right(unsigned way, int depth, size_t size) {
  void* volatile block = depth == 0 ? malloc(size)
                         : way & 1U ? left(way >> 1, depth - 1, size)
                                    : right(way >> 1, depth - 1, size);
  return block;
}

__attribute__((noinline)) static void* left(unsigned way, int depth, size_t size) {
  void* volatile block = depth == 0 ? malloc(size)
                         : way & 1U ? left(way >> 1, depth - 1, size)
                                    : right(way >> 1, depth - 1, size);
  return block;
}

static void* turn_over(void* unused) {
  (void)unused;
  char** blocks = calloc(kMost, sizeof(*blocks));
  for (size_t i = 0;; ++i) {
    char** block = &blocks[i * 7919 % g_count];
    free(*block);
    *block = left((unsigned)i, 14, 16 + i % 500);
  }
  return NULL;
}

int main(int argc, char** argv) {
  g_count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
  pthread_t thread;
  pthread_create(&thread, NULL, turn_over, NULL);
  say("begins", 1);
  turn_over(NULL);
  return 0;
}
