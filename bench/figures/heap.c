// Fills a heap and prints what one thing costs there, one "name value" a line:
//
//   seep_figures_heap ACTION BLOCKS LEAST MOST STACKS CHURN
//
// BLOCKS blocks of LEAST to MOST bytes from STACKS (a power of two) call stacks, then CHURN times a
// random block is freed and another allocated. ACTION: `rss` prints the resident bytes; `fork` what
// a fork takes in the parent; `signal` what raise(SIGUSR2) takes, kSignals times: with
// SEEP_SIGNAL=USR2 that is a snapshot; `none` nothing. Times are of the thread, not of the wall, so
// that what else runs does not count.
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kMostBlocks = 10000000, kSignals = 5 };

static void* blocks[kMostBlocks];
static uint64_t random_state = 88172645463325252ULL;

static uint64_t next_random(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static double thread_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

// Each bit of `path` picks the caller: one stack for each path.
static void* allocate_along(unsigned path, unsigned levels, size_t size);
__attribute__((noinline)) static void* allocate_left(unsigned path, unsigned levels, size_t size) {
  return allocate_along(path >> 1, levels - 1, size);
}
__attribute__((noinline)) static void* allocate_right(unsigned path, unsigned levels, size_t size) {
  return allocate_along(path >> 1, levels - 1, size);
}
__attribute__((noinline)) static void* allocate_along(unsigned path, unsigned levels, size_t size) {
  if (levels == 0) {
    return malloc(size);
  }
  return (path & 1) != 0 ? allocate_left(path, levels, size) : allocate_right(path, levels, size);
}

static void measure_rss(void) {
  long pages = 0;
  FILE* statm = fopen("/proc/self/statm", "r");
  if (statm == NULL || fscanf(statm, "%*d %ld", &pages) != 1) {
    exit(1);
  }
  printf("rss_bytes %ld\n", pages * sysconf(_SC_PAGESIZE));
}

// Once: a later fork finds the pages protected already, and is cheaper.
static void measure_fork(void) {
  const double begin = thread_ms();
  const pid_t child = fork();
  if (child == 0) {
    syscall(SYS_exit_group, 0);
  }
  printf("fork_ms %.3f\n", thread_ms() - begin);
  waitpid(child, NULL, 0);
}

// Without a handler of the preload's there would be nothing to measure, and the signal kills.
static void measure_signal(void) {
  for (int run = 0; run < kSignals; ++run) {
    const double begin = thread_ms();
    raise(SIGUSR2);
    printf("signal_ms %.3f\n", thread_ms() - begin);
    usleep(300000);  // the walker may be at work
  }
}

int main(int argc, char** argv) {
  if (argc != 7) {
    fprintf(stderr, "usage: %s rss|fork|signal|none BLOCKS LEAST MOST STACKS CHURN\n", argv[0]);
    return 2;
  }
  const size_t count = strtoul(argv[2], NULL, 10);
  const size_t least = strtoul(argv[3], NULL, 10);
  const size_t most = strtoul(argv[4], NULL, 10);
  const unsigned stacks = (unsigned)strtoul(argv[5], NULL, 10);
  const size_t churn = strtoul(argv[6], NULL, 10);
  if (count > kMostBlocks || least > most || stacks == 0 || (stacks & (stacks - 1)) != 0) {
    return 2;
  }
  const unsigned levels = (unsigned)__builtin_ctz(stacks);
  for (size_t i = 0; i < count + churn; ++i) {
    const size_t at = i < count ? i : next_random() % count;
    free(blocks[at]);
    const size_t size = least + next_random() % (most - least + 1);
    blocks[at] = allocate_along((unsigned)i % stacks, levels, size);
  }
  if (strcmp(argv[1], "rss") == 0) {
    measure_rss();
  } else if (strcmp(argv[1], "fork") == 0) {
    measure_fork();
  } else if (strcmp(argv[1], "signal") == 0) {
    measure_signal();
  }
  return 0;
}
