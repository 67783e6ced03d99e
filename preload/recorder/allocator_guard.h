// Whether a call comes from below an allocator. Context: IN-HOOK.
#pragma once

#include <cstdint>

namespace seep::recorder {

// While set, what the allocator below a hook maps for itself is not the program's.
// The guard is the stack pointer of the hook that set it: a frame above it means that the hook was
// left by longjmp or an exception, and that the guard is stale.
class AllocatorGuard {
 public:
  AllocatorGuard();
  ~AllocatorGuard();
  AllocatorGuard(const AllocatorGuard&) = delete;
  AllocatorGuard& operator=(const AllocatorGuard&) = delete;
  // True on a thread that is below such a hook now.
  static bool active();

 private:
  std::uintptr_t before_;
};

}  // namespace seep::recorder
