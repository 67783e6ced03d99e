// Whether a call comes from below an allocator. Context: IN-HOOK.
#pragma once

#include <cstdint>

#include "preload/recorder/caller.h"

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
  // True on a thread that is below such a hook now, as seen from the hook that runs, whose caller
  // is given: only frames from there outward can hold the guard. It may be that very caller, where
  // the allocator jumped (libstdc++'s new[] jumps to new). A stale guard is forgotten. One load
  // where none is set, else a walk. Where the stack cannot be walked, a guard is stale only below
  // the stack pointer.
  static bool active(const Caller& caller);
  // The same for a hook that does not know its caller: the library's innermost frames are all taken
  // for its own, so a guard that it was jumped to from counts as stale.
  static bool active_around();
  // Forgets a guard that the stack pointer has passed: a stale one makes events dearer.
  static void forget_if_passed();

 private:
  std::uintptr_t before_ = 0;
  bool releases_ = false;
};

}  // namespace seep::recorder
