// From a caller to the site of its call stack. Context: IN-HOOK, any thread, also inside signal
// handlers.
//
//   caller -> Predictions (or walk -> StackTable) -> native frames
//          -> script::Memo (or Interpreter::walk -> StackTable), where a script runs -> SiteTable
#pragma once

#include <cstdint>

#include "format/snapshot_format.h"
#include "preload/recorder/caller.h"
#include "preload/recorder/thread_cache.h"

namespace seep::recorder {

// What a prediction gives: the site of a stack; or, with kScriptMark, the node of its native
// frames, on which those of a script stand. kCutMark: the stack was cut.
inline constexpr std::uint32_t kCutMark = 1U << 31;
inline constexpr std::uint32_t kScriptMark = 1U << 30;

// AT-INIT, before the first event: the most frames that are walked.
void set_stack_depth(unsigned depth);
unsigned stack_depth();

// The site of a block that is made just now; kNone when there is no room. The second where the
// thread has the cache in use.
std::uint32_t heap_site_of(const Caller& caller);
std::uint32_t heap_site_of(ThreadCache& cache, const Caller& caller);
std::uint32_t mmap_site_of(const Caller& caller);
// Of a heap block, without a cache.
std::uint32_t capture_heap_site();

// Whether a value is the native frames of a script's stack, all of them.
inline bool needs_script(std::uint32_t value) {
  return (value & (kScriptMark | kCutMark)) == kScriptMark;
}
// The site of what `native`, a value with kScriptMark and without kCutMark, stands for. In `cache`,
// which the thread has in use.
std::uint32_t script_site_of(ThreadCache& cache, std::uint32_t native);
// The same where it is found again, marked if the script's stack was cut; 0 where it must be
// walked.
[[gnu::always_inline]] inline std::uint32_t find_script_site(ThreadCache& cache,
                                                             std::uint32_t native) {
  const script::Interpreter* const interpreter = script::interpreter();
  const std::uint64_t key = interpreter == nullptr ? 0 : interpreter->key();
  return key == 0 ? 0 : cache.scripts.find(key, native);
}

}  // namespace seep::recorder
