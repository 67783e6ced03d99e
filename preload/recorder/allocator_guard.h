// Whether a call comes from below an allocator. Context: IN-HOOK.
#pragma once

#include <cstdint>

namespace seep::recorder {

// While set, what the allocator below a hook maps for itself is not the program's. A hook may be
// left by longjmp, an exception or a switch of coroutines, and its guard be stale: so who asks
// walks the stack, and the guard counts only while a frame of a hook is found around it.
class AllocatorGuard {
 public:
  // `released`: a block that was recorded as released, whose release the hook passes on.
  explicit AllocatorGuard(const void* released = nullptr);
  ~AllocatorGuard();
  AllocatorGuard(const AllocatorGuard&) = delete;
  AllocatorGuard& operator=(const AllocatorGuard&) = delete;
  // True on a thread that is below such a hook now; a stale guard is forgotten. One load where none
  // is set, else a walk. Where the stack cannot be walked, a guard is stale only below the stack
  // pointer.
  static bool active();
  // The same without a walk: a stale guard counts for calls from deeper frames. For a hook that may
  // have been entered by a jump from the library's own caller (libstdc++'s new[] jumps to new): its
  // frame then joins that of the guard, and a walk cannot tell them apart.
  static bool may_be_active();
  // Forgets a guard that the stack pointer has passed: a stale one makes events dearer.
  static void forget_if_passed();

 private:
  std::uintptr_t before_ = 0;
  bool releases_ = false;
};

}  // namespace seep::recorder
