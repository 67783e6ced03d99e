// Handlers that allocate, on every kind of stack, and that leave by jumping.
// usage: signal_storm storm SECONDS | leaps SECONDS | alternate COUNT | jumps COUNT | maps SECONDS
// |
//                     mapsfast SECONDS
//
// `storm` and `leaps` need a malloc that may be called in a handler (libsignal_safe_malloc.so
// preloaded): libc's may not. It prints how many blocks its handlers made.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>

#include "samples/pace.h"

namespace {

constexpr std::size_t kPage = 4096;
constexpr int kNotTouched = 77;

std::atomic<unsigned> g_made_in_handlers{0};
std::atomic<unsigned> g_made_in_main{0};
std::atomic<unsigned> g_wrong{0};

void set_handler(int signal, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(signal, &action, nullptr);
}

void start_timers(long period_us) {
  const itimerval timer{{0, period_us}, {0, period_us}};
  setitimer(ITIMER_REAL, &timer, nullptr);
  setitimer(ITIMER_PROF, &timer, nullptr);
}

void stop_timers() {
  const itimerval none{};
  setitimer(ITIMER_REAL, &none, nullptr);
  setitimer(ITIMER_PROF, &none, nullptr);
}

double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// ---- storm: handlers interrupt malloc, free and the hooks anywhere ----

SAMPLE_FUNCTION void* site_in_handler() {
  void* block = std::malloc(48);
  use(block);
  return block;
}
SAMPLE_FUNCTION void* site_in_main() {
  void* block = std::malloc(64);
  use(block);
  return block;
}

void allocate_in_handler(int) {
  const int before = errno;
  errno = kNotTouched;
  site_in_handler();
  g_made_in_handlers.fetch_add(1);
  std::free(std::realloc(std::calloc(2, 40), 300));
  if (errno != kNotTouched) {
    g_wrong.fetch_add(1);
  }
  errno = before;
}

SAMPLE_FUNCTION void* site_moved_in_main(void* block) {
  block = std::realloc(block, 100);
  use(block);
  return block;
}

void allocate_until(double end) {
  while (now() < end) {
    for (unsigned k = 0; k < 200; ++k) {
      std::free(site_moved_in_main(site_in_main()));
    }
    g_made_in_main.fetch_add(200);
  }
}

void storm(double seconds) {
  set_handler(SIGALRM, allocate_in_handler, SA_RESTART);
  set_handler(SIGPROF, allocate_in_handler, SA_RESTART | SA_NODEFER);
  const double end = now() + seconds;
  start_timers(300);
  std::thread other(allocate_until, end);
  allocate_until(end);
  other.join();
  stop_timers();
  std::printf("made %u and %u, wrong %u\n", g_made_in_handlers.load(), g_made_in_main.load(),
              g_wrong.load());
}

// ---- leaps: handlers that leave malloc, the hooks and all below them for good ----

sigjmp_buf g_leap;
unsigned g_leaps = 0;

void leap_out(int) {
  siglongjmp(g_leap, 1);
}

void leaps(double seconds) {
  set_handler(SIGALRM, leap_out, 0);
  const double end = now() + seconds;
  const itimerval timer{{0, 700}, {0, 700}};
  setitimer(ITIMER_REAL, &timer, nullptr);
  if (sigsetjmp(g_leap, 1) != 0) {
    ++g_leaps;
  }
  while (now() < end || (g_leaps <= 100 && now() < end + 30)) {
    for (unsigned k = 0; k < 1000; ++k) {
      std::free(std::realloc(std::malloc(k), 100));
    }
  }
  stop_timers();
  std::printf("many leaps: %d\n", g_leaps > 100);
}

// ---- maps: the system calls may be called in handlers under every allocator ----

SAMPLE_FUNCTION void map_in_handler(int) {
  void* map = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED || munmap(map, kPage) != 0) {
    g_wrong.fetch_add(1);
  }
}

SAMPLE_FUNCTION void maps(double seconds, long period_us) {
  set_handler(SIGALRM, map_in_handler, SA_RESTART);
  set_handler(SIGPROF, map_in_handler, SA_RESTART | SA_NODEFER);
  const double end = now() + seconds;
  start_timers(period_us);
  while (now() < end) {
    void* map =
        mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(map, 1, 2 * kPage);
    map = mremap(map, 2 * kPage, 5 * kPage, MREMAP_MAYMOVE);
    if (map == MAP_FAILED || munmap(map, 5 * kPage) != 0) {
      g_wrong.fetch_add(1);
    }
  }
  stop_timers();
}

// ---- alternate: the smallest alternate stack on which the handler itself runs ----

SAMPLE_FUNCTION void* site_on_alternate_stack(std::size_t size) {
  void* block = std::malloc(size);
  use(block);
  return block;
}

void allocate_on_alternate_stack(int) {
  site_on_alternate_stack(100);
  std::free(std::calloc(1, 200));
}

void alternate(unsigned count) {
  const std::size_t least = getauxval(AT_MINSIGSTKSZ) != 0 ? getauxval(AT_MINSIGSTKSZ) : 2048;
  const std::size_t bytes = (least + 2048 + kPage - 1) / kPage * kPage;
  auto* guard = static_cast<char*>(
      mmap(nullptr, bytes + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  mprotect(guard, kPage, PROT_NONE);
  const stack_t stack{guard + kPage, 0, bytes};
  sigaltstack(&stack, nullptr);
  set_handler(SIGUSR1, allocate_on_alternate_stack, SA_ONSTACK);
  for (unsigned i = 0; i < count; ++i) {
    raise(SIGUSR1);
  }
  std::printf("alternate: done\n");
}

// ---- jumps: handlers that never return, out of loops and out of calls ----

sigjmp_buf g_jump;
unsigned g_turn = 0;
volatile bool g_always = true;  // hides that what jumps out never comes back

SAMPLE_FUNCTION void* site_before_jump() {
  void* block = std::malloc(56);
  use(block);
  return block;
}

void jump_out(int) {
  site_before_jump();
  siglongjmp(g_jump, 1);
}

SAMPLE_FUNCTION void go_down_and_raise(unsigned depth) {
  volatile char frame[100];
  frame[0] = static_cast<char>(depth);
  if (depth == 0) {
    raise(SIGUSR2);
  }
  if (g_always) {
    go_down_and_raise(depth - 1);
  }
  frame[1] = frame[0];
}

void jumps(unsigned count) {
  set_handler(SIGUSR2, jump_out, 0);
  for (g_turn = 0; g_turn < count; ++g_turn) {
    if (sigsetjmp(g_jump, 1) == 0) {
      go_down_and_raise(g_turn % 30);
    }
    std::free(std::malloc(g_turn));
  }
  std::printf("jumps: done\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    return 2;
  }
  const std::string_view what = argv[1];
  if (what == "storm") {
    storm(std::atof(argv[2]));
  } else if (what == "leaps") {
    leaps(std::atof(argv[2]));
  } else if (what == "maps") {
    maps(std::atof(argv[2]), 2000);
  } else if (what == "mapsfast") {
    maps(std::atof(argv[2]), 300);
  } else if (what == "alternate") {
    alternate(static_cast<unsigned>(std::atoi(argv[2])));
  } else if (what == "jumps") {
    jumps(static_cast<unsigned>(std::atoi(argv[2])));
  } else {
    return 2;
  }
  std::printf("wrong %u\n", g_wrong.load());
  return g_wrong.load() == 0 ? 0 : 1;
}
