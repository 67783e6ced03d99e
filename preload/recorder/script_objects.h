// Objects of an interpreter's own allocator, which shares out maps that are its own: each is
// recorded under the stack of the script, beside the blocks of malloc. Context: IN-HOOK.
//
// In exact mode they stand in Tables::pools, as objects of the program's own pools do; in sample
// mode they are sampled like blocks, and the sampled ones stand among those.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/recorder/caller.h"
#include "preload/recorder/recorder.h"
#include "preload/recorder/sampled.h"

namespace seep::recorder {

// While it lives, what the calling thread maps is the interpreter's allocator's, and not recorded.
// It may be left by longjmp.
class ScriptAllocatorGuard {
 public:
  ScriptAllocatorGuard() : before_(t_thread.guard) {
    t_thread.guard = reinterpret_cast<std::uintptr_t>(this);
  }
  ~ScriptAllocatorGuard() { t_thread.guard = before_; }
  ScriptAllocatorGuard(const ScriptAllocatorGuard&) = delete;
  ScriptAllocatorGuard& operator=(const ScriptAllocatorGuard&) = delete;

 private:
  std::uintptr_t before_;
};

// Sample mode: the object is one of the many that are not recorded; it is counted.
inline bool passes_over_object(std::size_t size) {
  return mode() == Mode::kSample && passes_over(size);
}

// AT-INIT, before the first event.
void start_script_objects(bool sampled);

// An object of `size` bytes at `object`, which is returned. Null is ignored. `may_be_near`: another
// one may begin less than 32 bytes away.
void* record_object_of(void* object, std::size_t size, std::uint64_t ip, std::uint64_t sp,
                       std::uint64_t bp, bool may_be_near);
inline void* record_script_object(void* object, std::size_t size, const Caller& caller,
                                  bool may_be_near) {
  return record_object_of(object, size, caller.ip, caller.sp, caller.bp, may_be_near);
}
// It is about to be released, or was moved. Also while paused: what was made while nothing was
// recorded is not known. The first where it is known already whether objects are sampled.
template <bool kSampled>
void release_script_object(const void* object);
inline void release_script_object(const void* object);
// The same as far as it is done at once; false, and nothing is done, where release_script_object()
// must.
inline bool try_release_script_object(const void* object);
// All of them that begin in [begin, begin + bytes).
void release_script_objects(const void* begin, std::size_t bytes);
// From now on objects are released with the map that they lie in.
void release_script_objects_with_maps();
// The script is over: what it has made until now stays recorded until the program ends, as what it
// held, though its memory may be used again. Once; later calls do nothing.
void keep_script_objects();
// Whether the object was made before that.
bool is_kept_script_object(const void* object);
// It is about to be released, and stays recorded: scans leave it out from now on.
void mark_script_object_released(const void* object);
// The same of all that there are.
void mark_script_objects_released();
// Whether it ever was so: what is recorded when the program ends is what the script held, and may
// not be there any more.
bool script_objects_end_with_program();
// An allocation of PHP's runs, or was left in the middle: from then on PHP frees unseen. Relaxed:
// written by the thread that runs the script, read by script_objects_may_be_gone().
[[gnu::visibility("hidden")]] extern std::atomic<bool> g_objects_left_behind;
// Whether what stands in the table may not be there any more, which a scan must not claim then.
bool script_objects_may_be_gone();
// A map was given back.
void release_script_objects_of_map(const void* begin, std::size_t bytes);

// What most objects run through stands here, to be part of the handlers' code.

// Whether objects are sampled; written before the first event.
[[gnu::visibility("hidden")]] extern bool g_objects_are_sampled;
// Any release but that of an object which the table forgets at once.
void release_script_object_otherwise(std::uintptr_t address);

template <bool kSampled>
[[gnu::always_inline]] inline void release_script_object(const void* object) {
  const auto address = reinterpret_cast<std::uintptr_t>(object);
  if (kSampled) {
    record_sampled_release(address);
  } else if (!g_tables.pools.try_remove(address)) [[unlikely]] {
    release_script_object_otherwise(address);
  }
}

[[gnu::always_inline]] inline bool try_release_script_object(const void* object) {
  const auto address = reinterpret_cast<std::uintptr_t>(object);
  return g_objects_are_sampled ? !g_filter.may_hold(address) : g_tables.pools.try_remove(address);
}

[[gnu::always_inline]] inline void release_script_object(const void* object) {
  if (g_objects_are_sampled) {
    release_script_object<true>(object);
  } else {
    release_script_object<false>(object);
  }
}

}  // namespace seep::recorder
