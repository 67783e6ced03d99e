// What tells threads of a process apart without a system call. Context: IN-HOOK.
#pragma once

#include <cstdint>

namespace seep::runtime {

// The address of the calling thread's control block; never 0. A thread that is started once this
// one has ended may have the same.
inline std::uintptr_t thread_pointer() {
  std::uintptr_t control_block;
  __asm__("movq %%fs:0, %0" : "=r"(control_block));
  return control_block;
}

}  // namespace seep::runtime
