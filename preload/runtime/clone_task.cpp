#include "preload/runtime/clone_task.h"

#include <asm/unistd.h>

namespace seep::runtime {

// It cannot be a C function around a system call: the child returns on another stack than it was
// called on.
long clone_and_run(unsigned long flags, void* stack_top, int* place_of_id, void (*run)(void*),
                   void* argument) {
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
      : "a"(__NR_clone), "D"(flags), "S"(top), "d"(place_of_id), "r"(r10),
        "r"(r8), [exit] "i"(__NR_exit)
      : "rcx", "r11", "memory");
  return result;
}

}  // namespace seep::runtime
