// Makes functions while it runs, as a compiler does, and tells their names in /tmp/perf-PID.map.
// What they allocate is kept.
//
// usage: compiled SECONDS MAP   where MAP is "map" or "none"
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef void* (*Function)(size_t size, void* (*allocate)(size_t));

// push rbp; mov rbp, rsp; call rsi; pop rbp; ret
static const unsigned char kWithFrame[] = {0x55, 0x48, 0x89, 0xE5, 0xFF, 0xD6, 0x5D, 0xC3};
// sub rsp, 8; call rsi; add rsp, 8; ret
static const unsigned char kWithoutFrame[] = {0x48, 0x83, 0xEC, 0x08, 0xFF, 0xD6,
                                              0x48, 0x83, 0xC4, 0x08, 0xC3};

static Function put(unsigned char* at, const unsigned char* code, size_t size) {
  memcpy(at, code, size);
  return (Function)(void*)at;
}

static void tell(FILE* map, const void* code, size_t size, const char* name) {
  if (map != NULL) {
    fprintf(map, "%lx %zx %s\n", (unsigned long)code, size, name);
    fflush(map);
  }
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// Not a tail call: it has a frame of its own.
__attribute__((noinline)) static void call_both(Function with, Function without, void** kept) {
  kept[0] = with(100, malloc);
  kept[1] = without(200, malloc);
  __asm__ volatile("" ::: "memory");
}

int main(int argc, char** argv) {
  if (argc != 3) {
    return 2;
  }
  unsigned char* page =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) {
    return 77;
  }
  char path[64];
  snprintf(path, sizeof(path), "/tmp/perf-%d.map", (int)getpid());
  FILE* map = strcmp(argv[2], "map") == 0 ? fopen(path, "w") : NULL;
  tell(map, page, 4096, "freed_before");
  const Function with = put(page, kWithFrame, sizeof(kWithFrame));
  tell(map, page, sizeof(kWithFrame), "JS:*with_frame /srv/app/handler.js:17:3");
  const Function without = put(page + 64, kWithoutFrame, sizeof(kWithoutFrame));
  tell(map, page + 64, sizeof(kWithoutFrame), "Lcom/acme/Pool;::without_frame");
  puts("ready");
  fflush(stdout);
  const double until = now() + atof(argv[1]);
  size_t kept = 0;
  while (now() < until && kept < 1000000) {
    static void* blocks[1000002];
    call_both(with, without, blocks + kept);
    kept += 2;
    usleep(500);
  }
  if (map != NULL) {
    fclose(map);
  }
  return 0;
}
