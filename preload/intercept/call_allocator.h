// Calls a real allocator function. Context: IN-HOOK.
#pragma once

#include <cstddef>

#include "preload/intercept/real_functions.h"
#include "preload/recorder/recorder.h"

namespace seep::intercept {

inline constexpr std::size_t kGranuleBytes = 16;

inline std::size_t at_least_granule(std::size_t size) {
  return size < kGranuleBytes ? kGranuleBytes : size;
}

// libc's malloc maps memory by system call; that of others passes by our mmap hook, where it must
// be known for what it is.
template <typename Call>
inline auto call_allocator(Call call) {
  if (!real().foreign_allocator) [[likely]] {
    return call();
  }
  const recorder::AllocatorGuard guard;
  return call();
}

}  // namespace seep::intercept
