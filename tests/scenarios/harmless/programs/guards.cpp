// guards WAY: operator new is left for good, from its new handler, and the program goes on below
// the frame that was left.
//
//   longjmp    by a jump
//   coroutine  by a switch to another stack, which never switches back
#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "samples/pace.h"

namespace {

constexpr std::size_t kBytes = 65536;
constexpr unsigned kTimes = 100;
constexpr std::size_t kStackBytes = 1 << 18;
std::size_t g_too_much = SIZE_MAX / 4;  // not a constant: the compiler would warn

alignas(16) char g_stacks[2][kStackBytes];  // the first lies below the second
jmp_buf g_jump;
ucontext_t g_main;
ucontext_t g_left;
ucontext_t g_next;

SAMPLE_FUNCTION void site_below() {
  use(std::malloc(kBytes));
}
// libstdc++'s form for arrays jumps to the other one.
SAMPLE_FUNCTION void site_array_below() {
  use(::operator new[](kBytes, std::align_val_t{64}));
}
SAMPLE_FUNCTION void site_map_below() {
  use(mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

void allocate_below() {
  volatile char room[100000];
  room[0] = 1;
  for (unsigned i = 0; i < kTimes; ++i) {
    site_below();
    site_array_below();
  }
  for (unsigned i = 0; i < kTimes; ++i) {
    site_map_below();
  }
  room[1] = room[0];
}

SAMPLE_FUNCTION void leave() {
  use(::operator new(g_too_much));
  std::puts("came back");
}

void leave_by_jump() {
  std::set_new_handler([] { longjmp(g_jump, 1); });
  if (setjmp(g_jump) == 0) {
    leave();
  }
}

void run_on(ucontext_t& context, char* stack, void (*run)()) {
  getcontext(&context);
  context.uc_stack.ss_sp = stack;
  context.uc_stack.ss_size = kStackBytes;
  context.uc_link = &g_main;
  makecontext(&context, run, 0);
  swapcontext(&g_main, &context);
}

}  // namespace

int main(int argc, char** argv) {
  const char* way = argc > 1 ? argv[1] : "";
  if (std::strcmp(way, "longjmp") == 0) {
    leave_by_jump();
    allocate_below();
  } else if (std::strcmp(way, "coroutine") == 0) {
    std::set_new_handler([] { swapcontext(&g_left, &g_main); });
    run_on(g_left, g_stacks[1], leave);
    run_on(g_next, g_stacks[0], allocate_below);
  } else {
    return 2;
  }
  std::puts("done");
  return 0;
}
