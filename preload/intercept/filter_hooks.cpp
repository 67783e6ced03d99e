// prctl and syscall, by which a program installs a filter of system calls (seccomp; libseccomp
// comes this way too). Everything else passes by a jump: a wrapper would break the children that a
// program makes by syscall(SYS_clone) or SYS_vfork on this stack. The filter is looked at before
// the kernel has it: afterwards it may be too late for any call of ours. What root_hooks.h is about
// comes by syscall, too.
#include "preload/intercept/filter_hooks.h"

#include <linux/prctl.h>
#include <linux/seccomp.h>

#include <atomic>

#include "preload/intercept/process_events.h"
#include "preload/intercept/real_functions.h"
#include "preload/intercept/root_hooks.h"
#include "preload/runtime/call_filter.h"
#include "preload/runtime/syscall.h"

namespace seep::intercept {
namespace {

using runtime::CopyFilter;

// Relaxed: a program that changes it while a scan is made may find either.
constinit std::atomic<long> g_chosen_tracer{0};

// False in the child of a vfork, which confines itself and not the process whose memory it uses.
bool is_about_us(bool allows_snapshots) {
  return g_process_events.on_filter == nullptr || g_process_events.on_filter(allows_snapshots);
}

void strict_mode_begins() {
  if (is_about_us(/*allows_snapshots=*/false)) {
    runtime::refuse_all_calls();
  }
}

void filter_is_installed(const void* program) {
  runtime::FilterText filter;
  switch (runtime::copy_filter(program, filter)) {
    case CopyFilter::kUnreadable:
      break;  // a question whether the kernel knows filters at all
    case CopyFilter::kNoMemory:
      strict_mode_begins();
      break;
    case CopyFilter::kDone:
      if (is_about_us(runtime::allows_snapshots(filter))) {
        runtime::add_filter(filter);
      }
      break;
  }
}

}  // namespace

long chosen_tracer() {
  return g_chosen_tracer.load(std::memory_order_relaxed);
}

extern "C" {
// For the assembly below.
[[gnu::visibility("hidden")]] long (*seep_real_syscall)(long, ...) = nullptr;
[[gnu::visibility("hidden")]] int (*seep_real_prctl)(int, ...) = nullptr;

[[gnu::visibility("hidden"), gnu::used]] void seep_before_prctl(long option, long a, long b) {
  seep_real_prctl = real().prctl;
  if (static_cast<int>(option) == PR_SET_SECCOMP && a == SECCOMP_MODE_STRICT) {
    strict_mode_begins();
  } else if (static_cast<int>(option) == PR_SET_SECCOMP && a == SECCOMP_MODE_FILTER) {
    filter_is_installed(reinterpret_cast<const void*>(b));
  } else if (static_cast<int>(option) == PR_SET_PTRACER) {
    g_chosen_tracer.store(a, std::memory_order_relaxed);
  }
}

[[gnu::visibility("hidden"), gnu::used]] void seep_before_syscall(long number, long a, long b,
                                                                  long c) {
  seep_real_syscall = real().syscall;
  if (number == __NR_prctl) {
    seep_before_prctl(a, b, c);
  } else if (number == __NR_seccomp && a == SECCOMP_SET_MODE_STRICT) {
    strict_mode_begins();
  } else if (number == __NR_seccomp && a == SECCOMP_SET_MODE_FILTER) {
    filter_is_installed(reinterpret_cast<const void*>(c));
  } else {
    root_may_change(number, a, b);
  }
}
}

#if defined(__x86_64__)
// Keeps the arguments, calls `before`, and puts them back. 22 is PR_SET_SECCOMP, 0x59616d61
// PR_SET_PTRACER, 157 prctl, 317 seccomp; 161, 155, 272, 308 and 165 are those of root_hooks.h. A
// call before the library has started goes the longer way too, and finds the function.
#define SEEP_KEEP_ARGUMENTS(before)                          \
  "  pushq %rdi\n  pushq %rsi\n  pushq %rdx\n  pushq %rcx\n" \
  "  pushq %r8\n  pushq %r9\n  subq $8, %rsp\n"              \
  ".cfi_adjust_cfa_offset 56\n"                              \
  "  callq " before                                          \
  "\n"                                                       \
  "  addq $8, %rsp\n  popq %r9\n  popq %r8\n"                \
  "  popq %rcx\n  popq %rdx\n  popq %rsi\n  popq %rdi\n"     \
  ".cfi_adjust_cfa_offset -56\n"

__asm__(
    ".text\n"
    ".globl syscall\n"
    ".type syscall, @function\n"
    "syscall:\n"
    ".cfi_startproc\n"
    "  endbr64\n"
    "  cmpq $0, seep_real_syscall(%rip)\n"
    "  je 1f\n"
    "  cmpq $317, %rdi\n"
    "  je 1f\n"
    "  cmpq $157, %rdi\n"
    "  je 1f\n"
    "  cmpq $161, %rdi\n"
    "  je 1f\n"
    "  cmpq $155, %rdi\n"
    "  je 1f\n"
    "  cmpq $272, %rdi\n"
    "  je 1f\n"
    "  cmpq $308, %rdi\n"
    "  je 1f\n"
    "  cmpq $165, %rdi\n"
    "  je 1f\n"
    "  jmpq *seep_real_syscall(%rip)\n"
    "1:\n" SEEP_KEEP_ARGUMENTS("seep_before_syscall")
    "  jmpq *seep_real_syscall(%rip)\n"
    ".cfi_endproc\n"
    ".size syscall, .-syscall\n"
    ".globl prctl\n"
    ".type prctl, @function\n"
    "prctl:\n"
    ".cfi_startproc\n"
    "  endbr64\n"
    "  cmpq $0, seep_real_prctl(%rip)\n"
    "  je 1f\n"
    "  cmpl $22, %edi\n"
    "  je 1f\n"
    "  cmpl $0x59616d61, %edi\n"
    "  je 1f\n"
    "  jmpq *seep_real_prctl(%rip)\n"
    "1:\n" SEEP_KEEP_ARGUMENTS("seep_before_prctl")
    "  xorl %eax, %eax\n"
    "  jmpq *seep_real_prctl(%rip)\n"
    ".cfi_endproc\n"
    ".size prctl, .-prctl\n");
#endif
#undef SEEP_KEEP_ARGUMENTS

}  // namespace seep::intercept
