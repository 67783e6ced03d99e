#include "preload/recorder/allocator_guard.h"

#include "preload/recorder/thread_state.h"

namespace seep::recorder {

static std::uintptr_t stack_pointer() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

AllocatorGuard::AllocatorGuard() : before_(active() ? t_thread.guard : 0) {
  t_thread.guard = stack_pointer();
}

AllocatorGuard::~AllocatorGuard() {
  t_thread.guard = before_;
}

[[gnu::noinline]] bool AllocatorGuard::active() {
  if (t_thread.guard != 0 && stack_pointer() > t_thread.guard) {
    t_thread.guard = 0;
  }
  return t_thread.guard != 0;
}

}  // namespace seep::recorder
