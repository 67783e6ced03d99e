// Calls of include/seep.h, one kind for each argument; prints what was done.
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "include/seep.h"

#define KEEP __attribute__((noinline))

namespace {

void use(const void* pointer) {
  __asm__ volatile("" : : "g"(pointer) : "memory");
}

// ---- units ----

int count_in_threads() {
  seep_name_unit("message");
  seep_name_unit("other");
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 100000; ++i) {
        seep_count_units(1);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  seep_count_units(7);
  seep_mark("counted");
  seep_mark_units("told", 5000000);
  seep_snapshot("asked");
  seep_mark(nullptr);
  seep_mark(std::string(1000, 'x').c_str());
  std::printf("%d\n", errno);
  return 0;
}

int count_after_fork() {
  seep_count_units(1000);
  const pid_t child = fork();
  if (child == 0) {
    seep_count_units(3);
    seep_mark("in the child");
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::printf("%d\n", status);
  return 0;
}

volatile sig_atomic_t g_ticks = 0;

void on_tick(int) {
  if (g_ticks >= 100) {
    return;
  }
  const int before = errno;
  errno = 77;
  seep_count_units(1);
  seep_mark("in a handler");
  seep_pool_alloc(reinterpret_cast<void*>(std::uintptr_t{0x10000} + 16 * (g_ticks % 50)), 16);
  seep_pool_free(reinterpret_cast<void*>(std::uintptr_t{0x10000} + 16 * (g_ticks % 50)));
  if (errno == 77) {
    g_ticks = g_ticks + 1;
  }
  errno = before;
}

// A handler that calls seep while the program is in the allocator, and while seep is at work.
int call_in_handler() {
  struct sigaction action {};
  action.sa_handler = on_tick;
  sigaction(SIGALRM, &action, nullptr);
  itimerval timer{{0, 3000}, {0, 3000}};
  setitimer(ITIMER_REAL, &timer, nullptr);
  while (g_ticks < 100) {
    std::vector<void*> blocks;
    for (int i = 0; i < 200; ++i) {
      blocks.push_back(std::malloc(static_cast<std::size_t>(16 + i)));
    }
    for (void* block : blocks) {
      std::free(block);
    }
  }
  timer = {};
  setitimer(ITIMER_REAL, &timer, nullptr);
  std::printf("%d\n", static_cast<int>(g_ticks));
  return 0;
}

// ---- pools ----

constexpr std::size_t kArenaBytes = 1 << 20;
constexpr std::size_t kObjectBytes = 1000;
constexpr std::size_t kStep = 1008;

KEEP char* make_heap_arena() {
  char* arena = static_cast<char*>(std::malloc(kArenaBytes));
  use(arena);
  return arena;
}

KEEP char* make_mapped_arena() {
  void* arena =
      mmap(nullptr, kArenaBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  use(arena);
  return static_cast<char*>(arena);
}

KEEP void* take_from_pool(char* arena, std::size_t index) {
  char* object = arena + index * kStep;
  seep_pool_alloc(object, kObjectBytes);
  use(object);
  return object;
}

// Where the last snapshot took long, the next one is written beside the program, and shows what it
// does meanwhile: another one waits until it is there.
void mark_alone(const std::string& label) {
  seep_mark(label.c_str());
  seep_snapshot(nullptr);
}

// 100 objects from the start on, the first at the arena's own address; 40 go back; then all.
void use_arena(char* arena, const std::string& name) {
  mark_alone(name + " empty");
  for (std::size_t i = 0; i < 100; ++i) {
    take_from_pool(arena, i);
  }
  mark_alone(name + " full");
  for (std::size_t i = 0; i < 40; ++i) {
    seep_pool_free(arena + i * kStep);
  }
  seep_pool_free(arena + 1);  // no object
  mark_alone(name + " partly");
  seep_pool_clear(arena, kArenaBytes);
  mark_alone(name + " cleared");
}

int share_out() {
  static char storage[kArenaBytes];  // neither heap nor map
  use_arena(make_heap_arena(), "heap");
  use_arena(make_mapped_arena(), "map");
  use_arena(storage, "static");
  std::puts("done");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "threads") {
    return count_in_threads();
  }
  if (what == "fork") {
    return count_after_fork();
  }
  if (what == "handler") {
    return call_in_handler();
  }
  return what == "pools" ? share_out() : 2;
}
