// Uses up a limit of its own process and says what it got: as (address space), stack.
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/scenarios/events/programs/cases.h"

enum { kMegabyte = 1 << 20, kMost = 4096 };

static void limit_address_space(rlim_t more) {
  FILE* statm = fopen("/proc/self/statm", "r");
  long pages = 0;
  if (statm == NULL || fscanf(statm, "%ld", &pages) != 1) {
    exit(2);
  }
  fclose(statm);
  const struct rlimit limit = {(rlim_t)pages * 4096 + more, RLIM_INFINITY};
  setrlimit(RLIMIT_AS, &limit);
}

__attribute__((noinline)) static char* hold(size_t size) {
  char* volatile block = malloc(size);
  return block;
}

// malloc gives null and ENOMEM, the old block survives a failed realloc, and the program goes on.
static void use_up(size_t size) {
  static char* blocks[kMost * 256];
  size_t count = 0;
  errno = 0;
  while (count < kMost * 256 && (blocks[count] = hold(size)) != NULL) {
    memset(blocks[count++], 'x', 16);
  }
  say_result("malloc", blocks[count] == NULL ? -1 : 0);
  say("some", count > 10);
  errno = 0;
  say_result("calloc", calloc(1, 64 * kMegabyte) == NULL ? -1 : 0);
  errno = 0;
  char* same = realloc(blocks[0], 256 * (size_t)kMegabyte);
  say_result("realloc", same == NULL ? -1 : 0);
  say("kept", blocks[0][15]);
  errno = 0;
  void* place = NULL;
  say("posix_memalign", posix_memalign(&place, 64, 64 * kMegabyte));
  say("errno of posix_memalign", errno);
  say_result("mmap", (long)mmap(NULL, 256 * (size_t)kMegabyte, PROT_READ,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  churn_for_ms(100);
}

static void large_blocks(void) {
  limit_address_space(64 * kMegabyte);
  use_up(kMegabyte);
}

// The last ones come from the heap's end: nothing is left for anybody's tables.
static void small_blocks(void) {
  limit_address_space(16 * kMegabyte);
  use_up(200);
}

static void deep(int frames) {
  char* volatile block = malloc(32);
  if (frames > 0) {
    deep(frames - 1);
  }
  free(block);
}

static void* deep_in_small_stack(void* unused) {
  deep(60);
  return unused;
}

static void smallest_stacks(void) {
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 16384);
  pthread_t thread;
  for (int i = 0; i < 50; ++i) {
    if (pthread_create(&thread, &small, deep_in_small_stack, NULL) != 0) {
      say("no thread", i);
      return;
    }
    pthread_join(thread, NULL);
  }
  say("done", 1);
}

// In a memory cgroup, by the test: touches memory until the kernel kills it.
static void until_killed(void) {
  for (;;) {
    char* block = hold(64 << 10);
    if (block != NULL) {
      memset(block, 'x', 64 << 10);
    }
    churn(50);
  }
}

int main(int argc, char** argv) {
  (void)argc;
  static const struct Case kCases[] = {{"large_blocks", large_blocks},
                                       {"small_blocks", small_blocks},
                                       {"smallest_stacks", smallest_stacks},
                                       {"until_killed", until_killed},
                                       {NULL, NULL}};
  return run_case(kCases, argv);
}
