// Calls a real allocator function. Context: IN-HOOK.
#pragma once

#include <cstddef>

#include "preload/intercept/real_functions.h"
#include "preload/recorder/recorder.h"
#include "preload/recorder/sampled.h"

namespace seep::intercept {

inline constexpr std::size_t kGranuleBytes = 16;

inline std::size_t at_least_granule(std::size_t size) {
  return size < kGranuleBytes ? kGranuleBytes : size;
}

// Returns call(real functions). libc's malloc maps memory by system call; that of others passes by
// our mmap hook, where it must be known for what it is.
template <typename Call>
inline auto call_allocator(Call call) {
  if (g_real.libc_allocator || !real().foreign_allocator) [[likely]] {
    return call(g_real);
  }
  const recorder::AllocatorGuard guard;
  return call(g_real);
}

// Sample mode: the call is one of the many that are not recorded, and the hook may go straight to
// the real function. Not where what the allocator maps must be known for its own.
inline bool goes_straight(recorder::Mode now, std::size_t size) {
  return now == recorder::Mode::kSample && !g_real.foreign_allocator && recorder::passes_over(size);
}
inline bool goes_straight(recorder::Mode now, const void* released) {
  return now == recorder::Mode::kSample && !g_real.foreign_allocator &&
         !recorder::g_filter.may_hold(reinterpret_cast<std::uintptr_t>(released));
}

}  // namespace seep::intercept
