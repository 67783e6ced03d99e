#include "preload/agent/walker.h"

#include <sched.h>
#include <sys/wait.h>

#include "preload/runtime/arena.h"
#include "preload/runtime/call_filter.h"
#include "preload/runtime/syscall.h"

namespace seep::agent {
namespace {

using runtime::raw_syscall;

constexpr std::size_t kStackBytes = std::size_t{128} << 10;

// clone(2) whose child runs `run(argument)` on `stack_top` and exits. It cannot be a C function
// around a system call: the child returns on another stack than it was called on.
long clone_and_run(unsigned long flags, void* stack_top, void (*run)(void*), void* argument) {
  long result;
  auto* top = static_cast<void**>(stack_top);
  *--top = argument;
  *--top = reinterpret_cast<void*>(run);
  register long r10 __asm__("r10") = 0;
  register long r8 __asm__("r8") = 0;
  __asm__ volatile(
      "syscall\n\t"
      "testq %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xorl %%ebp, %%ebp\n\t"
      "popq %%rax\n\t"
      "popq %%rdi\n\t"
      "callq *%%rax\n\t"
      "xorl %%edi, %%edi\n\t"
      "movl %[exit], %%eax\n\t"
      "syscall\n\t"
      "1:\n\t"
      : "=a"(result)
      : "a"(__NR_clone), "D"(flags), "S"(top), "d"(0), "r"(r10), "r"(r8), [exit] "i"(__NR_exit)
      : "rcx", "r11", "memory");
  return result;
}

}  // namespace

// Its descriptors are a copy, so that what it opens takes no number of the program's; all but one
// are closed at once, so that what the program closes is closed (before Linux 5.9: when it ends).
void Walker::enter(void* walker) {
  const auto* self = static_cast<Walker*>(walker);
  if (self->kept_ > 0) {
    raw_syscall(__NR_close_range, 0, self->kept_ - 1, 0);
  }
  raw_syscall(__NR_close_range, self->kept_ + 1, ~0U, 0);
  self->run_(self->argument_);
}

// A filter of the program's may forbid to make it, or to end it.
bool Walker::start(void (*run)(void*), void* argument, int kept) {
  constexpr long kFlags = CLONE_VM | CLONE_FS | CLONE_UNTRACED;
  if (runtime::g_calls_are_filtered.load(std::memory_order_acquire) &&
      (!runtime::is_harmless({__NR_clone, {kFlags}}) || !runtime::is_harmless({__NR_exit, {}}))) {
    return false;
  }
  if (stack_ == nullptr) {
    stack_ = runtime::map_pages(kStackBytes);
    if (stack_ == nullptr) {
      return false;
    }
  }
  run_ = run;
  argument_ = argument;
  kept_ = kept;
  const long pid = clone_and_run(kFlags, static_cast<char*>(stack_) + kStackBytes, enter, this);
  if (pid > 0) {
    pid_.store(static_cast<int>(pid), std::memory_order_relaxed);
  }
  return pid > 0;
}

bool Walker::running() {
  const int pid = pid_.load(std::memory_order_relaxed);
  if (pid == 0) {
    return false;
  }
  const long result = raw_syscall(__NR_wait4, pid, 0, WNOHANG | __WALL, 0);
  if (result == 0) {
    return true;
  }
  pid_.store(0, std::memory_order_relaxed);  // reaped now, or by somebody else's wait
  return false;
}

}  // namespace seep::agent
