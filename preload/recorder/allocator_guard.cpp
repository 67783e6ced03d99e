#include "preload/recorder/allocator_guard.h"

#include "preload/recorder/recorder.h"
#include "preload/stack/capture.h"

namespace seep::recorder {
namespace {

// More calls than an allocator nests. Who is that deep below a hook is the program again.
constexpr unsigned kMostFrames = 64;

[[gnu::cold, gnu::noinline]] bool is_stale(std::uintptr_t guard) {
  switch (stack::find_own_frame(guard, kMostFrames)) {
    case stack::FrameState::kLive:
      return false;
    case stack::FrameState::kGone:
      return true;
    case stack::FrameState::kUnknown:
      return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) > guard;
  }
  return false;
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

bool AllocatorGuard::active() {
  if (t_thread.guard != 0 && is_stale(t_thread.guard)) [[unlikely]] {
    t_thread.guard = 0;
  }
  return t_thread.guard != 0;
}

bool AllocatorGuard::may_be_active() {
  return t_thread.guard != 0 &&
         reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) < t_thread.guard;
}

void AllocatorGuard::forget_if_passed() {
  if (t_thread.guard != 0 && !may_be_active()) {
    t_thread.guard = 0;
  }
}

}  // namespace seep::recorder
