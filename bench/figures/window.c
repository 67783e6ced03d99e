// seep_figures_window FRAMES PAIRS [THREADS [SITES [WINDOW [LARGEST]]]]
//
// Each of THREADS threads keeps WINDOW blocks of 16 to LARGEST (1024) bytes alive and replaces a
// random one PAIRS times: a free and a malloc. malloc has FRAMES callers, from one of SITES (a
// power of two) call stacks. One thread is the main thread: libc takes its paths for a single
// thread then.
//
//   pair_ns       a thread's own time for a pair, mean of the threads
//   wall_pair_ns  time of the processors that the threads could have for a pair: waiting counts
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "call_paths.h"

enum {
  kFramesOfMain = 5,    // run_workers, main, __libc_start_call_main, __libc_start_main, _start
  kFramesOfThread = 3,  // work, start_thread, clone3
  kMostThreads = 1024,
  kMostFrames = 500
};

struct Worker {
  // Of its own cache lines: two threads must not wait for each other's random_state.
  _Alignas(128) unsigned frames;  // how often run_deep stands on the stack
  uint64_t pairs;
  unsigned levels;  // SITES is two to the power of this
  unsigned window;
  unsigned sizes;  // 16, 32, … 16 times this
  uint64_t random_state;
  double thread_ns;  // result
};

static volatile unsigned sink;
static pthread_barrier_t filled;
static struct Worker workers[kMostThreads];

static double now_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static uint64_t next_random(struct Worker* worker) {
  uint64_t state = worker->random_state;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return worker->random_state = state;
}

static inline __attribute__((always_inline)) void replace(struct Worker* worker, void** slot) {
  const uint64_t random = next_random(worker);
  free(*slot);
  *slot = allocate_along(random >> 40, worker->levels, 16 + (random >> 34) % worker->sizes * 16);
}

__attribute__((noinline)) static void run_window(struct Worker* worker) {
  void** blocks = calloc(worker->window, sizeof(void*));
  if (blocks == NULL) {
    exit(1);
  }
  for (unsigned i = 0; i < worker->window; ++i) {
    replace(worker, &blocks[i]);
  }
  pthread_barrier_wait(&filled);
  const double begin = now_ns(CLOCK_THREAD_CPUTIME_ID);
  for (uint64_t i = 0; i < worker->pairs; ++i) {
    replace(worker, &blocks[(next_random(worker) >> 32) * worker->window >> 32]);
  }
  worker->thread_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
  pthread_barrier_wait(&filled);
  for (unsigned i = 0; i < worker->window; ++i) {
    free(blocks[i]);
  }
  free(blocks);
}

__attribute__((noinline)) static void run_deep(struct Worker* worker, unsigned frames) {
  if (frames > 1) {
    run_deep(worker, frames - 1);
  } else {
    run_window(worker);
  }
  ++sink;
}

static void* work(void* worker) {
  run_deep(worker, ((struct Worker*)worker)->frames);
  ++sink;
  return NULL;
}

// Runs the workers, one in this thread or each in its own; the wall time of all pairs, and for one
// thread that of filling its window, which is short.
__attribute__((noinline)) static double run_workers(unsigned threads) {
  pthread_t ids[kMostThreads];
  pthread_barrier_init(&filled, NULL, threads == 1 ? 1 : threads + 1);
  if (threads == 1) {
    const double begin = now_ns(CLOCK_MONOTONIC);
    run_deep(&workers[0], workers[0].frames);
    return now_ns(CLOCK_MONOTONIC) - begin;
  }
  for (unsigned i = 0; i < threads; ++i) {
    if (pthread_create(&ids[i], NULL, work, &workers[i]) != 0) {
      exit(1);
    }
  }
  pthread_barrier_wait(&filled);
  const double begin = now_ns(CLOCK_MONOTONIC);
  pthread_barrier_wait(&filled);
  const double wall = now_ns(CLOCK_MONOTONIC) - begin;
  for (unsigned i = 0; i < threads; ++i) {
    pthread_join(ids[i], NULL);
  }
  return wall;
}

static unsigned argument(int argc, char** argv, int at, unsigned otherwise) {
  return argc > at ? (unsigned)strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char** argv) {
  const unsigned frames = argument(argc, argv, 1, 0);
  const unsigned pairs = argument(argc, argv, 2, 0);
  const unsigned threads = argument(argc, argv, 3, 1);
  const unsigned sites = argument(argc, argv, 4, 1);
  const unsigned window = argument(argc, argv, 5, 1000);
  const unsigned sizes = argument(argc, argv, 6, 1024) / 16;
  const unsigned levels = sites == 0 ? 0 : (unsigned)__builtin_ctz(sites);
  // The thread's, run_deep at least once, run_window, allocate_along and once more for each level.
  const unsigned fixed = (threads == 1 ? kFramesOfMain : kFramesOfThread) + 3 + levels;
  if (argc < 3 || argc > 7 || sizes == 0 || pairs == 0 || threads == 0 || threads > kMostThreads ||
      sites != 1U << levels || levels > 24 || window == 0 || frames < fixed ||
      frames > kMostFrames) {
    fprintf(stderr,
            "usage: %s FRAMES PAIRS [THREADS [SITES [WINDOW [LARGEST]]]]; at least %u frames\n",
            argv[0], fixed);
    return 2;
  }
  for (unsigned i = 0; i < threads; ++i) {
    workers[i] = (struct Worker){frames - fixed + 1,       pairs, levels, window, sizes,
                                 88172645463325252ULL + i, 0};
  }
  const double wall = run_workers(threads);
  double sum = 0;
  for (unsigned i = 0; i < threads; ++i) {
    sum += workers[i].thread_ns;
  }
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof(allowed), &allowed);
  const unsigned cores =
      (unsigned)CPU_COUNT(&allowed) < threads ? (unsigned)CPU_COUNT(&allowed) : threads;
  printf("pair_ns %.2f\n", sum / threads / pairs);
  printf("wall_pair_ns %.2f\n", wall * cores / threads / pairs);
  return 0;
}
