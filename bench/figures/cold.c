// seep_figures_cold MODULE NEW FRAMES
//
// Calls malloc along each chain of MODULE (cold_module.py) once, from FRAMES callers of which the
// innermost NEW (1 to 4) were never met before; then along each again; then as often along one
// alone. Prints the thread's nanoseconds a call: first_ns, second_ns, same_ns. Nothing is freed.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef void* (*Allocate)(unsigned long);

enum {
  kLevels = 4,
  kStride = 7919,     // a prime: no order that a prefetcher would know
  kFramesOfMain = 5,  // run, main, __libc_start_call_main, __libc_start_main, _start
  kBlockBytes = 32
};

static volatile unsigned sink;
static const Allocate* calls;
static unsigned chains;

static double thread_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double time_calls(unsigned stride) {
  const double begin = thread_ns();
  for (unsigned i = 0, at = 0; i < chains; ++i) {
    void* block = calls[at](kBlockBytes);
    __asm__ volatile("" : : "r"(block) : "memory");
    at = (at + stride) % chains;
  }
  return (thread_ns() - begin) / chains;
}

__attribute__((noinline)) static void run(unsigned depth) {
  if (depth > 1) {
    run(depth - 1);
  } else {
    printf("first_ns %.1f\n", time_calls(kStride));
    printf("second_ns %.1f\n", time_calls(kStride));
    printf("same_ns %.1f\n", time_calls(0));
  }
  ++sink;
}

int main(int argc, char** argv) {
  const unsigned fresh = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
  const unsigned frames = argc == 4 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
  if (fresh < 1 || fresh > kLevels || frames < kFramesOfMain + fresh) {
    fprintf(stderr, "usage: %s MODULE NEW FRAMES\n", argv[0]);
    return 2;
  }
  void* module = dlopen(argv[1], RTLD_NOW);
  if (module == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  char name[32];
  snprintf(name, sizeof(name), "cold_calls_%u", kLevels - fresh);
  calls = (const Allocate*)dlsym(module, name);
  const unsigned* count = (const unsigned*)dlsym(module, "cold_chains");
  if (calls == NULL || count == NULL) {
    fprintf(stderr, "%s is no module of cold_module.py\n", argv[1]);
    return 1;
  }
  chains = *count;
  run(frames - kFramesOfMain - fresh + 1);
  return 0;
}
