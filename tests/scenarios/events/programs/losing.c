// Brings about one way of losing events, says so, and goes on allocating until its input ends.
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/scenarios/events/programs/cases.h"

extern void __libc_free(void*);
extern void* __libc_malloc(size_t);

enum { kMegabyte = 1 << 20 };

__attribute__((noinline)) static void* deep(int frames) {
  void* volatile block = frames == 0 ? malloc(64) : deep(frames - 1);
  return block;
}

static void stacks_cut(void) {
  deep(20);
}

// Code without unwind information, which leaves no frame pointer either.
static void unwind_failed(void) {
  unsigned char code[] = {0x55,                                   // push %rbp
                          0xBD, 0x35, 0x12, 0, 0,                 // mov $0x1235, %ebp
                          0xBF, 64,   0,    0, 0,                 // mov $64, %edi
                          0x48, 0xB8, 0,    0, 0, 0, 0, 0, 0, 0,  // mov $malloc, %rax
                          0xFF, 0xD0,                             // call *%rax
                          0x5D, 0xC3};  // pop %rbp; ret                         // pop %rbp; ret
  void* (*const allocate)(size_t) = malloc;
  memcpy(code + 13, &allocate, sizeof(allocate));
  void* page =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(page, code, sizeof(code));
  ((void* (*)(void))page)();
}

// The allocator has memory of its own left, and nobody gets more from the kernel.
static void starve(void) {
  mallopt(M_TRIM_THRESHOLD, 512 * kMegabyte);
  mallopt(M_MMAP_THRESHOLD, 512 * kMegabyte);
  char* volatile large = malloc(128 * (size_t)kMegabyte);
  free(large);
  char text[64] = "";
  const int statm = open("/proc/self/statm", O_RDONLY);
  if (read(statm, text, sizeof(text) - 1) > 0) {
    const struct rlimit as_much = {strtoul(text, NULL, 10) * 4096, RLIM_INFINITY};
    setrlimit(RLIMIT_AS, &as_much);
  }
  close(statm);
}

static void feed(void) {
  const struct rlimit everything = {RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_AS, &everything);
}

static void blocks_not_recorded(void) {
  starve();
  for (int i = 0; i < 200000; ++i) {
    char* volatile block = malloc(400);
    block[0] = 'x';
  }
  feed();
}

static void* left(unsigned way, int depth);

__attribute__((noinline)) static void* right(unsigned way, int depth) {
  void* volatile block = depth == 0 ? malloc(40)
                         : way & 1U ? left(way >> 1, depth - 1)
                                    : right(way >> 1, depth - 1);
  return block;
}

__attribute__((noinline)) static void* left(unsigned way, int depth) {
  void* volatile block = depth == 0 ? malloc(40)
                         : way & 1U ? left(way >> 1, depth - 1)
                                    : right(way >> 1, depth - 1);
  return block;
}

static void stacks_not_recorded(void) {
  starve();
  for (unsigned way = 0; way < 1U << 15; ++way) {
    free(left(way, 15));
  }
  feed();
}

// Released past the hooks: the address is met again.
static void missed_free(void) {
  for (int i = 0; i < 10; ++i) {
    __libc_free(malloc(3000));
  }
}

static void foreign_free(void) {
  for (int i = 0; i < 10; ++i) {
    free(__libc_malloc(3000));
  }
}

// From the allocator of the test, preloaded behind seep.
static void address_out_of_range(void) {
  say("valloc", valloc(123456) != NULL);
}

static void maps_not_recorded(void) {
  enum { kMaps = 20000 };
  char* space = mmap(NULL, 2 * kMaps * 4096UL, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  starve();
  for (long i = 0; i < kMaps; ++i) {
    mmap(space + 2 * i * 4096, 4096, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  }
  feed();
}

static void snapshots_failed(void) {
  const struct rlimit small = {100, RLIM_INFINITY};
  const struct rlimit large = {RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &small);
  churn_for_ms(150);
  setrlimit(RLIMIT_FSIZE, &large);
}

static void recordings_removed(void) {}

static void script_frames_refused(void) {}

int main(int argc, char** argv) {
  (void)argc;
  static const struct Case kCases[] = {{"stacks_cut", stacks_cut},
                                       {"unwind_failed", unwind_failed},
                                       {"blocks_not_recorded", blocks_not_recorded},
                                       {"stacks_not_recorded", stacks_not_recorded},
                                       {"missed_free", missed_free},
                                       {"foreign_free", foreign_free},
                                       {"address_out_of_range", address_out_of_range},
                                       {"maps_not_recorded", maps_not_recorded},
                                       {"snapshots_failed", snapshots_failed},
                                       {"recordings_removed", recordings_removed},
                                       {"script_frames_refused", script_frames_refused},
                                       {NULL, NULL}};
  const int status = run_case(kCases, argv);
  for (const char* over = argv[2]; over != NULL && access(over, F_OK) != 0;) {
    churn_for_ms(10);
  }
  return status;
}
