// Runs a function on another stack, and blocks signals meanwhile. Context: IN-AGENT.
#pragma once

#include <cstdint>

#include "preload/runtime/syscall.h"

namespace seep::runtime {

// All signals of this thread are blocked while an object lives (but those that cannot be).
class SignalsBlocked {
 public:
  SignalsBlocked() {
    const std::uint64_t all = ~std::uint64_t{0};
    raw_syscall(__NR_rt_sigprocmask, kSetMask, as_argument(&all), as_argument(&before_),
                sizeof(all));
  }
  ~SignalsBlocked() {
    raw_syscall(__NR_rt_sigprocmask, kSetMask, as_argument(&before_), 0, sizeof(before_));
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  static constexpr long kSetMask = 2;  // SIG_SETMASK
  std::uint64_t before_ = 0;
};

// Calls run(argument) with the stack pointer at `top`, which must be aligned to 16 bytes.
// `run` must return; its frames cannot be unwound into those of the caller.
inline void call_on_stack(void* top, void (*run)(void*), void* argument) {
  __asm__ volatile(
      "movq %%rsp, %%rbx\n\t"
      "movq %[top], %%rsp\n\t"
      "callq *%[run]\n\t"
      "movq %%rbx, %%rsp\n\t"
      : "+D"(argument)
      : [top] "r"(top), [run] "r"(run)
      : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1",
        "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
        "xmm13", "xmm14", "xmm15");
}

}  // namespace seep::runtime
