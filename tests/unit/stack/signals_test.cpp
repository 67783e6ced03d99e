// Stacks through signal handlers, and at every single instruction of library code.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cstdio>

#include "format/snapshot_format.h"
#include "preload/stack/capture.h"
#include "preload/stack/modules.h"
#include "tests/unit/stack/oracle.h"

namespace seep::stack::testing {
namespace {

class Signals : public ::testing::Test {
 protected:
  void SetUp() override { set_skip_own_module(false); }
};

BothStacks* g_both = nullptr;

void capture_in_handler(int) {
  *g_both = capture_both();
}

void set_handler(int number, void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  ASSERT_EQ(0, sigaction(number, &action, nullptr));
}

void expect_whole(const BothStacks& both) {
  EXPECT_EQ(both.ours, both.libunwind);
  EXPECT_FALSE(both.stack.failed);
  EXPECT_NE(std::string::npos, both.ours.find("interrupted")) << both.ours;
}

TEST_F(Signals, HandlerOfARaisedSignal) {
  BothStacks both;
  g_both = &both;
  set_handler(SIGUSR1, capture_in_handler, 0);
  raise(SIGUSR1);
  expect_whole(both);
}

TEST_F(Signals, HandlerOnAnAlternateStack) {
  static char room[64 * 1024];
  stack_t alternate = {};
  alternate.ss_sp = room;
  alternate.ss_size = sizeof(room);
  ASSERT_EQ(0, sigaltstack(&alternate, nullptr));
  BothStacks both;
  g_both = &both;
  set_handler(SIGUSR1, capture_in_handler, SA_ONSTACK);
  raise(SIGUSR1);
  alternate.ss_flags = SS_DISABLE;
  sigaltstack(&alternate, nullptr);
  expect_whole(both);
}

// The faulting leaf has no frame of its own: only the interrupted address can name it.
[[gnu::noinline]] int read_through(const volatile int* pointer) {
  return *pointer;
}

void* g_page = nullptr;

void capture_and_unprotect(int) {
  *g_both = capture_both();
  mprotect(g_page, 4096, PROT_READ);
}

TEST_F(Signals, HandlerOfAFaultInALeaf) {
  g_page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(MAP_FAILED, g_page);
  BothStacks both;
  g_both = &both;
  set_handler(SIGSEGV, capture_and_unprotect, 0);
  EXPECT_EQ(0, read_through(static_cast<const int*>(g_page)));
  set_handler(SIGSEGV, SIG_DFL, 0);
  munmap(g_page, 4096);
  expect_whole(both);
}

// --- every instruction ---------------------------------------------------------------------------

struct SingleSteps {
  unsigned long stride;  // compares at each n-th instruction
  unsigned long instructions;
  unsigned long different;
  std::uint64_t first_different_pc;
  int first_result;
};
SingleSteps g_steps;

constexpr greg_t kTrapFlag = 0x100;
volatile bool g_is_stepping;
void (*g_at_step)(const ucontext_t& interrupted);

void on_trap(int, siginfo_t*, void* context) {
  auto& interrupted = *static_cast<ucontext_t*>(context);
  if (g_is_stepping) {
    g_at_step(interrupted);
  } else {
    interrupted.uc_mcontext.gregs[REG_EFL] &= ~kTrapFlag;
  }
}

void compare_at_instruction(const ucontext_t& interrupted) {
  if (++g_steps.instructions % g_steps.stride != 0) {
    return;
  }
  const int result = compare_in_handler();
  if (result < 0 && g_steps.different++ == 0) {
    g_steps.first_different_pc = static_cast<std::uint64_t>(interrupted.uc_mcontext.gregs[REG_RIP]);
    g_steps.first_result = result;
  }
}

// With the trap flag set, SIGTRAP comes after each instruction. Its handler clears the flag:
// between pushfq and popfq no unwind table knows where the frame is, and a comparison there would
// say so.
[[gnu::always_inline]] inline void single_step(bool on) {
  g_is_stepping = on;
  if (on) {
    __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::: "memory", "cc");
  }
}

class SingleStepping : public Signals {
 protected:
  void SetUp() override {
    Signals::SetUp();
    struct sigaction action = {};
    action.sa_sigaction = on_trap;
    action.sa_flags = SA_SIGINFO;
    ASSERT_EQ(0, sigaction(SIGTRAP, &action, nullptr));
    g_at_step = compare_at_instruction;
    g_steps = {};
    g_steps.stride = 1;
  }
  void TearDown() override { signal(SIGTRAP, SIG_DFL); }

  static void expect_all_equal(unsigned long least_instructions) {
    EXPECT_GT(g_steps.instructions, least_instructions);
    EXPECT_EQ(0U, g_steps.different) << "of " << g_steps.instructions << "; first at "
                                     << describe_pc(g_steps.first_different_pc, format::kExactPc)
                                     << ": " << g_steps.first_result;
  }
};

TEST_F(SingleStepping, EveryInstructionOfLibraryCalls) {
  char text[100];
  int values[] = {9, 4, 7, 1, 8};
  const auto compare = [](const void* a, const void* b) {
    return *static_cast<const int*>(a) - *static_cast<const int*>(b);
  };
  single_step(true);
  snprintf(text, sizeof(text), "%d %s %g", 42, "words", 1.5);
  qsort(values, 5, sizeof(int), compare);
  free(strdup(text));
  single_step(false);
  expect_all_equal(2000);
}

// A signal may come while capture() runs, and its handler may capture: at no instruction may the
// inner capture go wrong, or the outer one be disturbed.
TEST_F(SingleStepping, EveryInstructionOfCaptureItself) {
  Stack undisturbed;
  Stack stack;
  for (Stack* out : {&undisturbed, &stack}) {
    single_step(out == &stack);
    capture(kMaxFrames, *out);
    single_step(false);
  }
  expect_all_equal(500);
  EXPECT_FALSE(stack.failed);
  ASSERT_EQ(undisturbed.depth, stack.depth);
  for (unsigned i = 1; i < stack.depth; ++i) {  // frame 0 may be two copies of the call
    EXPECT_EQ(undisturbed.frames[i].frame, stack.frames[i].frame) << i;
  }
}

TEST_F(SingleStepping, EveryInstructionOfReadingTheMappings) {
  refresh_modules();
  const unsigned modules = module_count();
  g_steps.stride = 31;  // there are some 100,000
  single_step(true);
  refresh_modules();
  single_step(false);
  expect_all_equal(5000);
  EXPECT_EQ(modules, module_count());
}

// libc's tables are wrong where swapcontext and setcontext have left the one stack and are not yet
// on the other, and where a coroutine has returned: what lies there is no caller.
struct Strays {
  unsigned long instructions;
  unsigned long strays;  // frames in no module
  unsigned long failed;  // walks that ended before the outermost frame
};
Strays g_strays;

void look_for_strays(const ucontext_t& /*interrupted*/) {
  Stack stack;
  capture_here(stack);
  ++g_strays.instructions;
  g_strays.failed += stack.failed ? 1 : 0;
  for (unsigned i = 0; i < stack.depth; ++i) {
    g_strays.strays += stack.frames[i].frame >> format::kFrameModuleShift == 0 ? 1 : 0;
  }
}

ucontext_t g_outside;
ucontext_t g_coroutine;

void coroutine() {
  swapcontext(&g_coroutine, &g_outside);
}

// What lies innermost on its stack is no code.
[[gnu::noinline]] void switch_twice() {
  volatile std::uint64_t words[8] = {};
  swapcontext(&g_outside, &g_coroutine);
  swapcontext(&g_outside, &g_coroutine);
  words[0] = words[1];
}

TEST_F(SingleStepping, EveryInstructionOfASwitchOfStacks) {
  static char room[64 * 1024];
  g_at_step = look_for_strays;
  g_strays = {};
  getcontext(&g_coroutine);
  g_coroutine.uc_stack.ss_sp = room;
  g_coroutine.uc_stack.ss_size = sizeof(room);
  g_coroutine.uc_link = &g_outside;
  makecontext(&g_coroutine, coroutine, 0);
  single_step(true);
  switch_twice();
  single_step(false);
  EXPECT_GT(g_strays.instructions, 150U);
  EXPECT_EQ(g_strays.strays, 0U);
  EXPECT_GT(g_strays.failed, 0U) << "such stacks are counted";
  EXPECT_LT(g_strays.failed, g_strays.instructions / 4);
}

}  // namespace
}  // namespace seep::stack::testing
