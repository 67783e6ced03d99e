#include "preload/intercept/php_heap.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "preload/intercept/php_limit.h"
#include "preload/intercept/process_events.h"
#include "preload/recorder/recorder.h"
#include "preload/recorder/script_objects.h"
#include "preload/runtime/text.h"
#include "preload/script/php_frames.h"
#include "preload/script/script.h"

namespace seep::intercept {
namespace {

// The heap's first field is its mark, an int: 0 none, 1 there are handlers. It lies in the first
// page of its first chunk; chunks are a ring: heap, next.
constexpr int kHasHandlers = 1;
constexpr std::size_t kChunkBytes = std::size_t{2} << 20;
constexpr unsigned kMostChunks = 1U << 20;

// Objects that are so small share 16 bytes with a neighbour, which the table cannot tell apart:
// they are not recorded. PHP has hardly any.
constexpr std::size_t kTooSmall = 8;

// sapi_module_struct: the name, and what runs as a request begins and ends.
struct SapiModule {
  const char* name;
  const char* pretty_name;
  int (*startup)(void*);
  int (*shutdown)(void*);
  int (*activate)();
  int (*deactivate)();
};
static_assert(offsetof(SapiModule, activate) == 32 && offsetof(SapiModule, deactivate) == 40);

// Written in the thread that runs PHP, before the handlers are set; of all threads where each has a
// heap, with the same values.
constinit PhpAllocator g_php;
constinit PhpHeap* g_heap = nullptr;  // where there is one for all threads
using RequestFunction = int (*)();
constinit RequestFunction g_activate = nullptr;
constinit RequestFunction g_deactivate = nullptr;

PhpHeap* this_heap() {
  return g_heap != nullptr ? g_heap : g_php.get_heap();
}

void set_mark(PhpHeap* heap, int mark) {
  *reinterpret_cast<volatile int*>(heap) = mark;
}

// Takes the mark off for one call. A call that is left by longjmp, since the limit of memory is
// reached, leaves it off: the request ends then, and the next one puts it on again. What the
// request held stays recorded until then, and is not claimed by a scan.
class Unmarked {
 public:
  explicit Unmarked(PhpHeap* heap) : heap_(g_php.set_all_handlers == nullptr ? heap : nullptr) {
    if (heap_ != nullptr) {
      recorder::g_objects_left_behind.store(true, std::memory_order_relaxed);
      set_mark(heap_, 0);
    }
  }
  ~Unmarked() {
    if (heap_ != nullptr) {
      set_mark(heap_, kHasHandlers);
      recorder::g_objects_left_behind.store(false, std::memory_order_relaxed);
    }
  }
  Unmarked(const Unmarked&) = delete;
  Unmarked& operator=(const Unmarked&) = delete;

 private:
  PhpHeap* heap_;
};

[[gnu::always_inline]] inline bool is_passed_over(std::size_t size) {
  return size <= kTooSmall || recorder::passes_over_object(size);
}

[[gnu::always_inline]] inline void* alloc(std::size_t size) {
  PhpHeap* heap = this_heap();
  const Unmarked unmarked(heap);
  const recorder::ScriptAllocatorGuard guard;
  return g_php.alloc(heap, size);
}

// Forgets what lies in the heap. Objects with maps of their own are forgotten as those are
// unmapped.
void forget_objects(PhpHeap* heap) {
  const auto first = reinterpret_cast<std::uintptr_t>(heap) & ~(kChunkBytes - 1);
  std::uintptr_t chunk = first;
  for (unsigned i = 0; i < kMostChunks; ++i) {
    const auto* words = reinterpret_cast<PhpHeap* const*>(chunk);
    if (words[0] != heap) {
      break;  // not the ring that it is known to be
    }
    recorder::release_script_objects(words, kChunkBytes);
    chunk = reinterpret_cast<std::uintptr_t>(words[1]);
    if (chunk == first || chunk % kChunkBytes != 0 || chunk == 0) {
      break;
    }
  }
  script::begin_epoch();
}

void set_handlers(PhpHeap* heap, void (*free)(void*));

// The heap is about to be emptied. What the only request of a script held stays recorded.
void end_request(PhpHeap* heap) {
  if (script::php_script_has_ended()) {
    recorder::keep_script_objects();
  } else {
    forget_objects(heap);
  }
}

// Runs right before the heap is emptied.
int deactivate() {
  const int result = g_deactivate == nullptr ? 0 : g_deactivate();
  PhpHeap* heap = this_heap();
  set_mark(heap, 0);
  end_request(heap);
  return result;
}

extern "C" {

static void* seep_php_malloc(std::size_t size) {
  if (is_passed_over(size)) {
    return alloc(size);
  }
  return recorder::record_script_object(alloc(size), size, recorder::caller_of_hook());
}

static void seep_php_free_after_end(void* object);

// Since 8.4 the heap itself comes this way when it is taken down: it lies in its own memory.
static void seep_php_free(void* object) {
  PhpHeap* heap = this_heap();
  if (script::php_script_has_ended()) [[unlikely]] {
    if (g_process_events.on_script_shutdown != nullptr) {
      g_process_events.on_script_shutdown();  // while all is there
    }
    recorder::keep_script_objects();
    set_handlers(heap, seep_php_free_after_end);
    seep_php_free_after_end(object);
  } else if (object != heap) {
    recorder::release_script_object(object);
    g_php.free(heap, object);
  }
}

// Destructors run now, and functions that the script registered for its end, for as long as they
// like. What is freed stays recorded, as what the script held, but for what these have made
// themselves.
static void seep_php_free_after_end(void* object) {
  PhpHeap* heap = this_heap();
  if (object != heap) {
    if (!recorder::is_kept_script_object(object) && !script::php_request_is_over()) {
      recorder::release_script_object(object);
    }
    g_php.free(heap, object);
  }
}

// The old object stays where the call is left by longjmp. No other one can take its place before it
// is forgotten: the heap is this thread's.
static void* seep_php_realloc(void* object, std::size_t size) {
  PhpHeap* heap = this_heap();
  void* fresh = nullptr;
  {
    const Unmarked unmarked(heap);
    const recorder::ScriptAllocatorGuard guard;
    fresh = g_php.realloc(heap, object, size);
  }
  recorder::release_script_object(object);
  return is_passed_over(size)
             ? fresh
             : recorder::record_script_object(fresh, size, recorder::caller_of_hook());
}

static unsigned long seep_php_collect() {
  PhpHeap* heap = this_heap();
  set_mark(heap, 0);
  const unsigned long bytes = g_php.collect == nullptr ? 0 : g_php.collect(heap);
  set_mark(heap, kHasHandlers);
  return bytes;
}

static void seep_php_shutdown(bool full, bool silent) {
  PhpHeap* heap = this_heap();
  set_mark(heap, 0);
  end_request(heap);
  g_php.shutdown(heap, full, silent);
  if (!full) {
    set_mark(heap, kHasHandlers);
  }
}
}

void set_handlers(PhpHeap* heap, void (*free)(void*)) {
  if (g_php.set_all_handlers != nullptr) {
    g_php.set_all_handlers(heap, seep_php_malloc, free, seep_php_realloc, seep_php_collect,
                           seep_php_shutdown);
  } else {
    g_php.set_handlers(heap, seep_php_malloc, free, seep_php_realloc);
  }
}

// Where each thread has a heap, this one may be new.
int activate() {
  recorder::g_objects_left_behind.store(false, std::memory_order_relaxed);
  set_handlers(this_heap(), seep_php_free);
  return g_activate == nullptr ? 0 : g_activate();
}

void see_requests() {
  auto* sapi = static_cast<SapiModule*>(g_php.sapi_module);
  if (sapi->activate != activate) {
    g_activate = sapi->activate;
    g_deactivate = sapi->deactivate;
    sapi->activate = activate;
    sapi->deactivate = deactivate;
  }
}

bool has_handlers(const PhpHeap* heap) {
  return *reinterpret_cast<const int*>(heap) != 0;
}

}  // namespace

bool see_php_heap(const PhpAllocator& allocator) {
  PhpHeap* heap = allocator.get_heap();
  if (heap == nullptr) {
    return false;
  }
  if (has_handlers(heap)) {
    return true;
  }
  g_php = allocator;
  g_heap = allocator.per_thread ? nullptr : heap;
  const auto chunk = reinterpret_cast<std::uintptr_t>(heap) & ~(kChunkBytes - 1);
  recorder::record_unmap(reinterpret_cast<void*>(chunk), kChunkBytes);  // its objects are counted
  recorder::release_script_objects_with_maps();
  if (allocator.set_all_handlers != nullptr && allocator.shutdown != nullptr) {
    set_handlers(heap, seep_php_free);
  } else {
    g_php.set_all_handlers = nullptr;
    set_handlers(heap, seep_php_free);
    see_requests();
  }
  return true;
}

void forget_php_heap() {
  g_heap = nullptr;
  forget_php_limit();
  script::forget_php_script();
}

void watch_php_requests() {
  if (g_heap != nullptr) {
    watch_php_limit(g_heap, g_php.error_callback);
  }
  const auto* sapi = static_cast<const SapiModule*>(g_php.sapi_module);
  if (g_heap != nullptr && runtime::view_of(sapi->name) == "cli") {
    script::watch_php_script();
  }
}

}  // namespace seep::intercept
