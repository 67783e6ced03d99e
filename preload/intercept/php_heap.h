// PHP's allocator (Zend's), seen through the handlers that it has for this: they are told of each
// object and pass the call on to the allocator itself, which goes on as without them.
// Context: IN-HOOK, in a thread that runs PHP.
//
//   emalloc -> handler -> _zend_mm_alloc -> record_script_object
//   efree   -> handler -> release_script_object -> _zend_mm_free
//
// While handlers are set, the allocator neither gives memory back when its limit is reached nor
// drops a request's memory as a whole. So until 8.3 the mark in the heap that says there are
// handlers is taken off around each call, and when a request ends; since 8.4 there are handlers for
// both. At the end of a request everything in the heap is forgotten: what dies with it is no leak.
// A script on the command line has one request: what it holds as that ends stays recorded, to be
// seen in the last snapshot.
//
// In builds that are thread-safe each thread has a heap. It is seen while a request of that thread
// runs: from PHP's own call for that on, to the end of it (sapi_module.activate, .deactivate).
#pragma once

#include <cstdint>

#include "preload/intercept/php_limit.h"

namespace seep::intercept {

// What the dynamic symbols of PHP tell.
struct PhpAllocator {
  using Malloc = void* (*)(unsigned long);
  using Free = void (*)(void*);
  using Realloc = void* (*)(void*, unsigned long);
  using Collect = unsigned long (*)();
  using Shutdown = void (*)(bool, bool);

  PhpHeap* (*get_heap)() = nullptr;  // of the calling thread; null before it is made
  void* (*alloc)(PhpHeap*, unsigned long) = nullptr;
  void (*free)(PhpHeap*, void*) = nullptr;
  void* (*realloc)(PhpHeap*, void*, unsigned long) = nullptr;
  unsigned long (*collect)(PhpHeap*) = nullptr;
  void (*shutdown)(PhpHeap*, bool full, bool silent) = nullptr;
  void (*set_handlers)(PhpHeap*, Malloc, Free, Realloc) = nullptr;
  // Since 8.4; null before.
  void (*set_all_handlers)(PhpHeap*, Malloc, Free, Realloc, Collect, Shutdown) = nullptr;
  void* sapi_module = nullptr;  // sapi_module_struct
  PhpLimitSymbols limit;
  bool per_thread = false;          // each thread has a heap: builds that are thread-safe
  std::uintptr_t first_thread = 0;  // that main runs in

  [[nodiscard]] bool is_whole() const {
    return get_heap != nullptr && alloc != nullptr && free != nullptr && realloc != nullptr &&
           set_handlers != nullptr && sapi_module != nullptr;
  }
};

// Sees the heap from now on, once it is there; false before. A heap that has handlers already
// (USE_ZEND_ALLOC=0, another profiler) is left alone. Not for builds that are thread-safe.
bool see_php_heap(const PhpAllocator& allocator);

// Builds that are thread-safe: sees the heap of each thread from its next request on. PHP has
// started.
void see_php_threads(const PhpAllocator& allocator);

// PHP is about to be unmapped: nothing of it is called any more.
void forget_php_heap();

// The frames are being read, so the end of a request can be told.
void watch_php_requests();

// Requests that a server's PHP has ended in this process, in all its threads; that of a script on
// the command line is none. Any thread.
std::uint64_t php_requests();
// IN-FORK-CHILD: those of the parent are not its own.
void forget_php_requests();

}  // namespace seep::intercept
