// What the recorder knows of the calling thread: one thread-local object, since each costs its own
// look-up. Context: IN-HOOK. Used by its thread only, and by the signal handlers above it.
#pragma once

#include <cstdint>

#include "preload/recorder/clock.h"

namespace seep::recorder {

struct ThreadCache;

struct ThreadState {
  // A thread whose looks at the clock come too far apart looks at every call, then at every second,
  // and so on.
  // The call that takes it below 0 looks, or any later one: a signal handler's event may come
  // between a thread's look at the count and its counting.
  int calls_to_look = kCallsPerLook - 1;
  int calls_per_look = kCallsPerLook;
  int polls_to_look = 1;         // while dormant
  ThreadCache* cache = nullptr;  // that the thread owns
  std::uintptr_t guard = 0;      // the innermost AllocatorGuard; 0 for none
  // Made or released below an AllocatorGuard: the outer hook takes it over, or has done so.
  std::uintptr_t nested_block = 0;
  unsigned keeping = 0;  // blocks made now are to be left alone (keeping.cpp)
};

[[gnu::visibility("hidden")]] extern constinit thread_local ThreadState t_thread;

}  // namespace seep::recorder
