#include "preload/intercept/php_heap.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

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

// Those up to this size lie 16 or 24 bytes apart, the next larger ones 32.
constexpr std::size_t kMostOfNear = 24;

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

// What is known of the heaps of this PHP: of each kind there are handlers of their own, so that a
// call asks for nothing that is known before.
enum class Kind : std::uint8_t {
  kMarked,     // one heap, whose mark is taken off around calls
  kUnmarked,   // one heap that has handlers for all
  kPerThread,  // the mark is taken off where need be
};
constinit Kind g_kind = Kind::kPerThread;

constinit std::atomic<std::uint64_t> g_requests{0};  // relaxed: a figure
constinit thread_local bool t_request_has_begun = false;

constexpr std::uint32_t kLongFunctionTicks = 1000 >> recorder::kTickShift;
// A tick, after the script's end. Of the thread that runs it.
constinit std::uint32_t g_no_function_ran_at = 0;

// Builds that are thread-safe: of a thread whose request runs.
constinit thread_local PhpHeap* t_heap = nullptr;

template <Kind kKind>
PhpHeap* heap_of() {
  return kKind == Kind::kPerThread ? t_heap : g_heap;
}

PhpHeap* this_heap() {
  return g_heap != nullptr ? g_heap : t_heap;
}

void set_mark(PhpHeap* heap, int mark) {
  *reinterpret_cast<volatile int*>(heap) = mark;
}

// Takes the mark off for one call. A call that is left by longjmp, since the limit of memory is
// reached, leaves it off: the request ends then, and the next one puts it on again. What the
// request held stays recorded until then, and is not claimed by a scan.
template <Kind kKind>
class Unmarked {
 public:
  Unmarked() {
    if (is_marked()) {
      recorder::g_objects_left_behind.store(true, std::memory_order_relaxed);
      set_mark(heap_of<kKind>(), 0);
    }
  }
  ~Unmarked() {
    if (is_marked()) {
      set_mark(heap_of<kKind>(), kHasHandlers);
      // Where several threads run PHP, one of them may have left something behind meanwhile.
      recorder::g_objects_left_behind.store(kKind == Kind::kPerThread, std::memory_order_relaxed);
    }
  }
  Unmarked(const Unmarked&) = delete;
  Unmarked& operator=(const Unmarked&) = delete;

 private:
  static bool is_marked() {
    return kKind == Kind::kMarked ||
           (kKind == Kind::kPerThread && g_php.set_all_handlers == nullptr);
  }
};

template <Kind kKind>
[[gnu::always_inline]] inline void* alloc(std::size_t size) {
  const Unmarked<kKind> unmarked;
  const recorder::ScriptAllocatorGuard guard;
  return g_php.alloc(heap_of<kKind>(), size);
}

// The same as a function, for a handler that has nothing to do after it.
template <Kind kKind>
[[gnu::noinline]] void* pass_on(std::size_t size) {
  return alloc<kKind>(size);
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

enum class Freeing : bool { kAsEver, kAfterEnd };
void set_handlers(PhpHeap* heap, Freeing freeing);

bool is_command_line(const PhpAllocator& allocator) {
  const auto* sapi = static_cast<const SapiModule*>(allocator.sapi_module);
  return sapi->name != nullptr && runtime::view_of(sapi->name) == "cli";
}

void keep_script() {
  recorder::keep_script_objects();
  keep_php_memory();
}

// The heap is about to be emptied. What the only request of a script held stays recorded.
void end_request(PhpHeap* heap) {
  if (script::php_script_has_ended()) {
    keep_script();
    recorder::mark_script_objects_released();
  } else {
    forget_objects(heap);
  }
}

int begin_request() {
  t_request_has_begun = true;
  return g_activate == nullptr ? 0 : g_activate();
}

// PHP ends its start, too, as if that had been a request: only one whose begin was seen counts.
int count_request() {
  const bool counts = t_request_has_begun && !is_command_line(g_php);
  t_request_has_begun = false;
  g_requests.fetch_add(counts ? 1 : 0, std::memory_order_relaxed);
  return g_deactivate == nullptr ? 0 : g_deactivate();
}

// Runs right before the heap is emptied; also where a server's script answers one request after
// another (FrankenPHP's workers), and goes on with all that it holds.
int deactivate() {
  const int result = count_request();
  if (script::php_is_executing()) {
    return result;
  }
  PhpHeap* heap = this_heap();
  set_mark(heap, 0);
  end_request(heap);
  return result;
}

// ---- handlers -----------------------------------------------------------------------------------
// kSampled: objects are sampled, so nearly all of them are only counted.

template <Kind kKind>
[[gnu::noinline]] void* alloc_sampled(std::size_t size, std::uint64_t ip, std::uint64_t sp,
                                      std::uint64_t bp) {
  return recorder::record_script_object(alloc<kKind>(size), size, {ip, sp, bp},
                                        size <= kMostOfNear);
}

template <Kind kKind, bool kSampled>
void* php_malloc(std::size_t size) {
  if (size <= kTooSmall || (kSampled && recorder::passes_over_object(size))) {
    return pass_on<kKind>(size);
  }
  if (kSampled) {
    const recorder::Caller caller = recorder::caller_of_hook();
    return alloc_sampled<kKind>(size, caller.ip, caller.sp, caller.bp);
  }
  void* object = alloc<kKind>(size);
  return recorder::record_script_object(object, size, recorder::caller_of_hook(),
                                        size <= kMostOfNear);
}

// What the script holds is about to be taken down.
void look_at_script() {
  if (g_process_events.on_script_shutdown != nullptr) {
    g_process_events.on_script_shutdown();
  }
}

// Between two functions that run after the end, and behind them. One that took long may be an event
// loop: what it has made is looked at before it goes.
void look_after_function() {
  const std::uint32_t now = recorder::g_clock.tick();
  if (now - g_no_function_ran_at >= kLongFunctionTicks) {
    look_at_script();
  }
  g_no_function_ran_at = now;
}

// Destructors run now, and functions that the script registered for its end, for as long as they
// like. What is freed stays recorded, as what the script held, but for what these have made
// themselves.
void php_free_after_end(void* object) {
  PhpHeap* heap = this_heap();
  if (object != heap) {
    const bool is_over = script::php_request_is_over();
    if (is_over) {
      look_after_function();
    }
    if (is_over || recorder::is_kept_script_object(object)) {
      recorder::mark_script_object_released(object);
    } else {
      recorder::release_script_object(object);
    }
    g_php.free(heap, object);
  }
}

[[gnu::cold, gnu::noinline]] void end_script(void* object) {
  look_at_script();
  keep_script();
  g_no_function_ran_at = recorder::g_clock.tick();
  set_handlers(this_heap(), Freeing::kAfterEnd);
  php_free_after_end(object);
}

// Since 8.4 the heap itself comes this way when it is taken down: it lies in its own memory.
template <Kind kKind, bool kSampled>
void php_free(void* object) {
  if (script::php_script_has_ended()) [[unlikely]] {
    end_script(object);
  } else if (kKind == Kind::kPerThread && t_heap == nullptr) {
    return;  // the heap itself, of a thread that was gone in the middle of a request
  } else if (object != heap_of<kKind>()) {
    recorder::release_script_object<kSampled>(object);
    g_php.free(heap_of<kKind>(), object);
  }
}

// The old object stays where the call is left by longjmp. No other one can take its place before it
// is forgotten: the heap is this thread's.
template <Kind kKind, bool kSampled>
void* php_realloc(void* object, std::size_t size) {
  void* fresh = nullptr;
  {
    const Unmarked<kKind> unmarked;
    const recorder::ScriptAllocatorGuard guard;
    fresh = g_php.realloc(heap_of<kKind>(), object, size);
  }
  recorder::release_script_object<kSampled>(object);
  if (size <= kTooSmall || (kSampled && recorder::passes_over_object(size))) {
    return fresh;
  }
  return recorder::record_script_object(fresh, size, recorder::caller_of_hook(),
                                        size <= kMostOfNear);
}

extern "C" {

static unsigned long seep_php_collect() {
  PhpHeap* heap = this_heap();
  if (heap == nullptr) {
    return 0;
  }
  set_mark(heap, 0);
  const unsigned long bytes = g_php.collect == nullptr ? 0 : g_php.collect(heap);
  set_mark(heap, kHasHandlers);
  return bytes;
}

// Not for the heap of a thread that was gone in the middle of a request: it stays.
static void seep_php_shutdown(bool full, bool silent) {
  PhpHeap* heap = this_heap();
  if (heap == nullptr) {
    return;
  }
  set_mark(heap, 0);
  end_request(heap);
  g_php.shutdown(heap, full, silent);
  if (!full) {
    set_mark(heap, kHasHandlers);
  }
}
}

template <Kind kKind, bool kSampled>
void set_handlers_of(PhpHeap* heap, Freeing freeing) {
  const PhpAllocator::Free free =
      freeing == Freeing::kAfterEnd ? php_free_after_end : php_free<kKind, kSampled>;
  if (g_php.set_all_handlers != nullptr) {
    g_php.set_all_handlers(heap, php_malloc<kKind, kSampled>, free, php_realloc<kKind, kSampled>,
                           seep_php_collect, seep_php_shutdown);
  } else {
    g_php.set_handlers(heap, php_malloc<kKind, kSampled>, free, php_realloc<kKind, kSampled>);
  }
}

template <Kind kKind>
void set_handlers_of(PhpHeap* heap, Freeing freeing) {
  if (recorder::g_objects_are_sampled) {
    set_handlers_of<kKind, true>(heap, freeing);
  } else {
    set_handlers_of<kKind, false>(heap, freeing);
  }
}

void set_handlers(PhpHeap* heap, Freeing freeing) {
  switch (g_kind) {
    case Kind::kMarked:
      return set_handlers_of<Kind::kMarked>(heap, freeing);
    case Kind::kUnmarked:
      return set_handlers_of<Kind::kUnmarked>(heap, freeing);
    case Kind::kPerThread:
      return set_handlers_of<Kind::kPerThread>(heap, freeing);
  }
}

int activate() {
  recorder::g_objects_left_behind.store(false, std::memory_order_relaxed);
  set_handlers(this_heap(), Freeing::kAsEver);
  return begin_request();
}

bool has_handlers(const PhpHeap* heap) {
  return *reinterpret_cast<const int*>(heap) != 0;
}

// The objects of its first chunk are counted instead of the map.
void forget_map_of(const PhpHeap* heap) {
  const auto chunk = reinterpret_cast<std::uintptr_t>(heap) & ~(kChunkBytes - 1);
  recorder::record_unmap(reinterpret_cast<void*>(chunk), kChunkBytes);
}

void watch_script(const PhpHeap* heap) {
  watch_php_limit(heap, g_php.limit);
  if (is_command_line(g_php)) {
    script::watch_php_script();
  }
}

// The heap of this thread may be a new one.
int activate_in_thread() {
  PhpHeap* heap = g_php.get_heap();
  script::begin_php_request();
  if (heap != nullptr && !has_handlers(heap)) {
    forget_map_of(heap);
    t_heap = heap;
    set_handlers(heap, Freeing::kAsEver);
    if (runtime::thread_pointer() == g_php.first_thread) {
      watch_script(heap);
    }
  }
  return begin_request();
}

// No handlers are left: whichever thread takes the heap down, does so without. As deactivate().
int deactivate_in_thread() {
  const int result = count_request();
  if (t_heap != nullptr && script::php_is_executing()) {
    return result;
  }
  if (t_heap != nullptr) {
    set_mark(t_heap, 0);
    end_request(t_heap);
    t_heap = nullptr;
  }
  script::end_php_request();
  script::begin_epoch();
  return result;
}

void see_requests(RequestFunction at_begin, RequestFunction at_end) {
  auto* sapi = static_cast<SapiModule*>(g_php.sapi_module);
  if (sapi->activate != at_begin) {
    g_activate = sapi->activate;
    g_deactivate = sapi->deactivate;
    sapi->activate = at_begin;
    sapi->deactivate = at_end;
  }
}

// Without the last of them the others are of no use.
void take(const PhpAllocator& allocator) {
  g_php = allocator;
  if (g_php.shutdown == nullptr) {
    g_php.set_all_handlers = nullptr;
  }
}

}  // namespace

bool see_php_heap(const PhpAllocator& allocator) {
  PhpHeap* heap = allocator.get_heap();
  if (heap == nullptr) {
    return false;
  }
  if (has_handlers(heap)) {
    if (is_command_line(allocator)) {
      script::tell_php_requests();  // there is one, and it ends with the process
    }
    return true;
  }
  take(allocator);
  g_heap = heap;
  forget_map_of(heap);
  recorder::release_script_objects_with_maps();
  g_kind = g_php.set_all_handlers != nullptr ? Kind::kUnmarked : Kind::kMarked;
  set_handlers(heap, Freeing::kAsEver);
  if (g_php.set_all_handlers == nullptr) {
    see_requests(activate, deactivate);
  } else {
    see_requests(begin_request, count_request);
  }
  script::tell_php_requests();
  return true;
}

void see_php_threads(const PhpAllocator& allocator) {
  take(allocator);
  recorder::release_script_objects_with_maps();
  g_kind = Kind::kPerThread;
  see_requests(activate_in_thread, deactivate_in_thread);
}

void forget_php_heap() {
  g_heap = nullptr;
  forget_php_limit();
  script::forget_php_script();
}

std::uint64_t php_requests() {
  return g_requests.load(std::memory_order_relaxed);
}

void forget_php_requests() {
  g_requests.store(0, std::memory_order_relaxed);
}

void watch_php_requests() {
  if (g_heap != nullptr) {
    watch_script(g_heap);
  }
}

}  // namespace seep::intercept
