// dlopen, dlclose, and the end of a library. RTLD_DEEPBIND makes a library bind to libc past every
// preload, and PHP opens each extension with it: the flag is cleared. dlopen looks at its caller
// (for $ORIGIN and for the namespace), so it must not be called from here: the flag is cleared,
// then dlopen is jumped to.
#include "preload/intercept/interpreters.h"
#include "preload/intercept/real_functions.h"
#include "preload/recorder/recorder.h"

namespace seep::intercept {

extern "C" {
// For the assembly below: the real dlopen, looked up at the start.
[[gnu::visibility("hidden")]] void* (*seep_real_dlopen)(const char*, int) = nullptr;

// Looks it up when a program gets here before the constructor did.
[[gnu::visibility("hidden"), gnu::used]] void seep_find_dlopen() {
  seep_real_dlopen = real().dlopen;
}
}

#if defined(__x86_64__)
// 8 is RTLD_DEEPBIND; the second argument is in %esi.
__asm__(
    ".text\n"
    ".globl dlopen\n"
    ".type dlopen, @function\n"
    "dlopen:\n"
    ".cfi_startproc\n"
    "  endbr64\n"
    "  andl $~8, %esi\n"
    "  cmpq $0, seep_real_dlopen(%rip)\n"
    "  je 1f\n"
    "  jmpq *seep_real_dlopen(%rip)\n"
    "1:\n"
    "  pushq %rdi\n"
    ".cfi_adjust_cfa_offset 8\n"
    "  pushq %rsi\n"
    ".cfi_adjust_cfa_offset 8\n"
    "  subq $8, %rsp\n"
    ".cfi_adjust_cfa_offset 8\n"
    "  callq seep_find_dlopen\n"
    "  addq $8, %rsp\n"
    ".cfi_adjust_cfa_offset -8\n"
    "  popq %rsi\n"
    ".cfi_adjust_cfa_offset -8\n"
    "  popq %rdi\n"
    ".cfi_adjust_cfa_offset -8\n"
    "  xorl %eax, %eax\n"
    "  cmpq $0, seep_real_dlopen(%rip)\n"
    "  je 2f\n"
    "  jmpq *seep_real_dlopen(%rip)\n"
    "2:\n"
    "  ret\n"
    ".cfi_endproc\n"
    ".size dlopen, .-dlopen\n");
#endif

SEEP_EXPORT int dlclose(void* handle) {
  const int result = real().dlclose == nullptr ? -1 : real().dlclose(handle);
  recorder::modules_changed();
  return result;
}

// What a library runs last before it is unmapped, whoever closes it: libc closes its converters and
// name services past dlclose. `library` is its __dso_handle, a place in its data.
SEEP_EXPORT void __cxa_finalize(void* library) {
  if (real().cxa_finalize != nullptr) {
    real().cxa_finalize(library);
  }
  if (library != nullptr) {
    forget_interpreters_at(library);
    recorder::module_ends(library);
  }
}

}  // namespace seep::intercept
