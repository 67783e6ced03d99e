// scan BLOCKS BYTES THREADS SECONDS: a process to be scanned. BLOCKS blocks of BYTES each hang in
// 65,536 lists, in an order that is not that of their addresses, and each holds a pointer into the
// middle of another one; THREADS threads wake up every millisecond. Prints what a fork takes, then
// "ready 1", and goes on for SECONDS.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kLists = 65536 };

struct block {
  struct block* next;
  void* other;
};

static struct block* g_lists[kLists];
static volatile int g_over;

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void* wake_up(void* unused) {
  char* volatile mine = malloc(100);
  while (!g_over) {
    usleep(1000);
    mine[0] = 1;
  }
  free(mine);
  return unused;
}

static void fill(size_t count, size_t bytes) {
  uint64_t random = 88172645463325252ULL;
  struct block* last = NULL;
  for (size_t i = 0; i < count; ++i) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    struct block* block = malloc(bytes);
    memset(block, 0, bytes);
    block->next = g_lists[random % kLists];
    block->other = last == NULL ? NULL : (char*)last + bytes / 2;
    g_lists[random % kLists] = block;
    last = block;
  }
}

int main(int argc, char** argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: %s BLOCKS BYTES THREADS SECONDS\n", argv[0]);
    return 2;
  }
  const size_t bytes = strtoul(argv[2], NULL, 10);
  const int count = atoi(argv[3]);
  fill(strtoul(argv[1], NULL, 10), bytes < sizeof(struct block) ? sizeof(struct block) : bytes);
  pthread_t* threads = calloc((size_t)count, sizeof(*threads));
  for (int i = 0; i < count; ++i) {
    pthread_create(&threads[i], NULL, wake_up, NULL);
  }
  for (int run = 0; run < 3; ++run) {
    const double begin = now_ms();
    const pid_t child = fork();
    if (child == 0) {
      syscall(SYS_exit_group, 0);
    }
    printf("fork_ms %.3f\n", now_ms() - begin);
    waitpid(child, NULL, 0);
  }
  printf("ready 1\n");
  fflush(stdout);
  for (const double end = now_ms() + atof(argv[4]) * 1e3; now_ms() < end;) {
    char* volatile block = malloc(50);  // a call that the compiler leaves
    free(block);
    usleep(200);
  }
  g_over = 1;
  for (int i = 0; i < count; ++i) {
    pthread_join(threads[i], NULL);
  }
  return 0;
}
