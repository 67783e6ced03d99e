#include "preload/recorder/allocator_guard.h"

#include "preload/recorder/recorder.h"
#include "preload/stack/capture.h"

namespace seep::recorder {
namespace {

// More calls than an allocator nests. Who is that deep below a hook is the program again.
constexpr unsigned kMostFrames = 64;

// `hook_end`: as in find_own_frame.
[[gnu::cold, gnu::noinline]] bool is_stale(std::uintptr_t guard, std::uint64_t hook_end) {
  switch (stack::find_own_frame(guard, hook_end, kMostFrames)) {
    case stack::FrameState::kLive:
      return false;
    case stack::FrameState::kGone:
      return true;
    case stack::FrameState::kUnknown:
      return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) > guard;
  }
  return false;
}

bool is_active(std::uint64_t hook_end) {
  if (t_thread.guard != 0 && is_stale(t_thread.guard, hook_end)) [[unlikely]] {
    t_thread.guard = 0;
  }
  return t_thread.guard != 0;
}

}  // namespace

AllocatorGuard::AllocatorGuard(const void* released) {
  if (mode() == Mode::kNotStarted) {
    return;
  }
  before_ = t_thread.guard;
  releases_ = released != nullptr;
  t_thread.guard = reinterpret_cast<std::uintptr_t>(this);
  t_thread.nested_block = reinterpret_cast<std::uintptr_t>(released);
}

AllocatorGuard::~AllocatorGuard() {
  if (mode() == Mode::kNotStarted) {
    return;
  }
  t_thread.guard = before_;
  if (releases_) {
    t_thread.nested_block = 0;
  }
}

bool AllocatorGuard::active(const Caller& caller) {
  return is_active(caller.sp);
}

bool AllocatorGuard::active_around() {
  return is_active(stack::kHookEndUnknown);
}

void AllocatorGuard::forget_if_passed() {
  if (reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) >= t_thread.guard) {
    t_thread.guard = 0;
  }
}

}  // namespace seep::recorder
