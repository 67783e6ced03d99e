// Raw system calls: the only place of preload/ that enters the kernel.
// Context: IN-HOOK, IN-AGENT, IN-FORK-CHILD. No errno, no libc, no cancellation point.
// Each returns the kernel's value: negative is -errno.
#pragma once

#include <asm/unistd.h>

#include <cstddef>
#include <cstdint>

namespace seep::runtime {

// As it is. For raw_syscall, and where no filter of system calls may be asked.
inline long enter_kernel(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                         long f = 0) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#else
#error "seep: raw system calls are written for x86-64 only"
#endif
}

// A call that must not show in the program: one that a filter would answer by a signal or a kill
// gives -EPERM (call_filter.h), and a write beyond the limit of file sizes gives -EFBIG without
// SIGXFSZ where the thread blocks that signal.
long raw_syscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                 long f = 0);

template <typename T>
inline long as_argument(T* pointer) {
  return reinterpret_cast<long>(pointer);
}

// True for the error values of a call that returns a pointer or a length.
inline bool failed(long result) {
  return result < 0 && result > -4096;
}

}  // namespace seep::runtime
