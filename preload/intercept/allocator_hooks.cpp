// malloc and its relatives: the real call, then its outcome is recorded.
// A block is asked for with at least one granule of the address table, so that two blocks never
// share one under any allocator; glibc's smallest block is larger anyway.
#include <errno.h>

#include "preload/intercept/call_allocator.h"
#include "preload/intercept/real_functions.h"
#include "preload/recorder/recorder.h"

namespace seep::intercept {

using recorder::record_allocation;
using recorder::record_release;

// The likelier way, but not by so much that the other one is moved out of the hot code.
#define SEEP_FALL_THROUGH(condition) __builtin_expect_with_probability((condition), true, 0.7)

// What a dormant hook does not need stands in a function of its own, which is jumped to, so that
// its caller is the hook's.
[[gnu::noinline]] static void* malloc_and_record(std::size_t size) {
  void* block = call_allocator(
      [=](const RealFunctions& real) { return real.malloc(at_least_granule(size)); });
  return record_allocation(block, size, recorder::caller_of_hook());
}

[[gnu::noinline]] static void record_and_free(void* block) {
  record_release(block);
  call_allocator([=](const RealFunctions& real) { real.free(block); });
}

// Recording may begin in the look.
[[gnu::noinline]] static void* look_and_malloc(std::size_t size) {
  recorder::look_while_dormant();
  return recorder::dormant() ? real_when_dormant().malloc(at_least_granule(size))
                             : malloc_and_record(size);
}

// Dormant, malloc and free are a few instructions without a taken branch, then a jump.
SEEP_EXPORT [[gnu::aligned(64)]] void* malloc(std::size_t size) {
  const recorder::Mode mode = recorder::mode();
  if (SEEP_FALL_THROUGH(mode == recorder::Mode::kDormant)) {
    return SEEP_FALL_THROUGH(!recorder::dormant_call_must_look())
               ? real_when_dormant().malloc(at_least_granule(size))
               : look_and_malloc(size);
  }
  return goes_straight(mode, size) ? g_real.malloc(at_least_granule(size))
                                   : malloc_and_record(size);
}

SEEP_EXPORT void* calloc(std::size_t count, std::size_t size) {
  std::size_t bytes = 0;
  const bool overflow = __builtin_mul_overflow(count, size, &bytes);
  const bool small = !overflow && bytes < kGranuleBytes;
  void* block = call_allocator([=](const RealFunctions& real) {
    return small ? real.calloc(1, kGranuleBytes) : real.calloc(count, size);
  });
  return record_allocation(block, bytes, recorder::caller_of_hook());
}

static void* reallocate(void* block, std::size_t size, const recorder::Caller& caller) {
  if (block == nullptr) {
    void* fresh = call_allocator(
        [=](const RealFunctions& real) { return real.malloc(at_least_granule(size)); });
    return record_allocation(fresh, size, caller);
  }
  const recorder::Moving moving = recorder::begin_move(block);
  void* fresh = call_allocator([=](const RealFunctions& real) {
    return real.realloc(block, size == 0 ? 0 : at_least_granule(size));
  });
  recorder::end_move(moving, fresh, size, /*released=*/fresh == nullptr && size == 0, caller);
  return fresh;
}

SEEP_EXPORT void* realloc(void* block, std::size_t size) {
  return reallocate(block, size, recorder::caller_of_hook());
}

// The block is of the program's own malloc where that stands before ours; libc calls its realloc.
SEEP_EXPORT void* reallocarray(void* block, std::size_t count, std::size_t size) {
  if (real().shadowed && real().reallocarray != nullptr) {
    return real().reallocarray(block, count, size);
  }
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return reallocate(block, bytes, recorder::caller_of_hook());
}

SEEP_EXPORT [[gnu::aligned(64)]] void free(void* block) {
  const recorder::Mode mode = recorder::mode();
  if (SEEP_FALL_THROUGH(mode == recorder::Mode::kDormant)) {
    return real_when_dormant().free(block);
  }
  return goes_straight(mode, block) ? g_real.free(block) : record_and_free(block);
}

SEEP_EXPORT void free_sized(void* block, std::size_t size) {
  record_release(block);
  call_allocator([=](const RealFunctions& real) {
    real.free_sized != nullptr ? real.free_sized(block, at_least_granule(size)) : real.free(block);
  });
}

SEEP_EXPORT void free_aligned_sized(void* block, std::size_t alignment, std::size_t size) {
  record_release(block);
  call_allocator([=](const RealFunctions& real) {
    real.free_aligned_sized != nullptr
        ? real.free_aligned_sized(block, alignment, at_least_granule(size))
        : real.free(block);
  });
}

SEEP_EXPORT int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  const int error = call_allocator([=](const RealFunctions& real) {
    return real.posix_memalign(out, alignment, at_least_granule(size));
  });
  if (error == 0) {
    record_allocation(*out, size, recorder::caller_of_hook());
  }
  return error;
}

SEEP_EXPORT void* aligned_alloc(std::size_t alignment, std::size_t size) {
  void* block = call_allocator([=](const RealFunctions& real) {
    return real.aligned_alloc(alignment, at_least_granule(size));
  });
  return record_allocation(block, size, recorder::caller_of_hook());
}

SEEP_EXPORT void* memalign(std::size_t alignment, std::size_t size) {
  void* block = call_allocator(
      [=](const RealFunctions& real) { return real.memalign(alignment, at_least_granule(size)); });
  return record_allocation(block, size, recorder::caller_of_hook());
}

SEEP_EXPORT void* valloc(std::size_t size) {
  void* block = call_allocator(
      [=](const RealFunctions& real) { return real.valloc(at_least_granule(size)); });
  return record_allocation(block, size, recorder::caller_of_hook());
}

SEEP_EXPORT void* pvalloc(std::size_t size) {
  void* block = call_allocator([=](const RealFunctions& real) { return real.pvalloc(size); });
  return record_allocation(block, size, recorder::caller_of_hook());
}

}  // namespace seep::intercept
