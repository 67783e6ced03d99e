// seep_figures_threads alive THREADS BLOCKS SIZE STACKS
//   THREADS threads allocate BLOCKS blocks of SIZE bytes between them, from STACKS (a power of two)
//   call stacks each. While all of them are alive the resident bytes are printed: "rss_bytes N".
// seep_figures_threads churn THREADS BLOCKS SIZE STACKS
//   THREADS threads are started and joined, kAtOnce at a time; each allocates BLOCKS blocks and
//   frees them.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call_paths.h"

enum { kAtOnce = 8, kMostThreads = 4096 };

static pthread_barrier_t allocated;
static size_t blocks_a_thread;
static size_t block_size;
static unsigned levels;  // two to the power of this is the number of call stacks

static void** allocate_all(void) {
  void** blocks = calloc(blocks_a_thread, sizeof(void*));
  for (size_t i = 0; blocks != NULL && i < blocks_a_thread; ++i) {
    blocks[i] = allocate_along(i, levels, block_size);
  }
  return blocks;
}

static void* stay(void* unused) {
  void** blocks = allocate_all();
  pthread_barrier_wait(&allocated);
  pthread_barrier_wait(&allocated);  // measured
  free(blocks);
  return unused;
}

static void* come_and_go(void* unused) {
  void** blocks = allocate_all();
  for (size_t i = 0; blocks != NULL && i < blocks_a_thread; ++i) {
    free(blocks[i]);
  }
  free(blocks);
  return unused;
}

static void start(pthread_t* id, void* (*body)(void*)) {
  if (pthread_create(id, NULL, body, NULL) != 0) {
    fprintf(stderr, "no more threads\n");
    exit(1);
  }
}

static void print_rss(void) {
  long pages = 0;
  FILE* statm = fopen("/proc/self/statm", "r");
  if (statm == NULL || fscanf(statm, "%*d %ld", &pages) != 1) {
    exit(1);
  }
  fclose(statm);
  printf("rss_bytes %ld\n", pages * sysconf(_SC_PAGESIZE));
}

static void keep_alive(unsigned threads) {
  static pthread_t ids[kMostThreads];
  pthread_barrier_init(&allocated, NULL, threads + 1);
  for (unsigned i = 0; i < threads; ++i) {
    start(&ids[i], stay);
  }
  pthread_barrier_wait(&allocated);
  print_rss();
  pthread_barrier_wait(&allocated);
  for (unsigned i = 0; i < threads; ++i) {
    pthread_join(ids[i], NULL);
  }
}

static void churn(unsigned threads) {
  pthread_t ids[kAtOnce];
  for (unsigned done = 0; done < threads; done += kAtOnce) {
    const unsigned now = threads - done < kAtOnce ? threads - done : kAtOnce;
    for (unsigned i = 0; i < now; ++i) {
      start(&ids[i], come_and_go);
    }
    for (unsigned i = 0; i < now; ++i) {
      pthread_join(ids[i], NULL);
    }
  }
}

int main(int argc, char** argv) {
  if (argc != 6) {
    fprintf(stderr, "usage: %s alive|churn THREADS BLOCKS SIZE STACKS\n", argv[0]);
    return 2;
  }
  const unsigned threads = (unsigned)strtoul(argv[2], NULL, 10);
  const size_t blocks = strtoul(argv[3], NULL, 10);
  block_size = strtoul(argv[4], NULL, 10);
  const unsigned stacks = (unsigned)strtoul(argv[5], NULL, 10);
  if (threads == 0 || stacks == 0 || (stacks & (stacks - 1)) != 0) {
    return 2;
  }
  levels = (unsigned)__builtin_ctz(stacks);
  if (strcmp(argv[1], "alive") == 0 && threads <= kMostThreads) {
    blocks_a_thread = blocks / threads;
    keep_alive(threads);
  } else if (strcmp(argv[1], "churn") == 0) {
    blocks_a_thread = blocks;
    churn(threads);
  } else {
    return 2;
  }
  return 0;
}
