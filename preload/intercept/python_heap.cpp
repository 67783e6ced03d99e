#include "preload/intercept/python_heap.h"

#include "preload/recorder/recorder.h"
#include "preload/recorder/script_objects.h"
#include "preload/script/checked_memory.h"
#include "preload/script/python_frames.h"
#include "preload/script/script.h"

namespace seep::intercept {
namespace {

enum Domain : int { kRaw, kMem, kObj };  // PyMemAllocatorDomain

// What pymalloc serves itself. Debug hooks ask it for three words more.
constexpr std::size_t kMostPooled = 512;
constexpr std::size_t kMostPooledOfDebug = kMostPooled - 24;

// pymalloc's sizes are multiples of 16: those up to this one lie 16 bytes apart, others 32 or more.
// Of allocators that are not the interpreter's it is taken that those of up to 24 may lie closer.
constexpr std::size_t kMostOfNear = 16;
constexpr std::size_t kMostOfNearElsewhere = 24;

// An allocator with hooks before it. Written before those are set; where the interpreter has set
// another one since, the hooks are not in use.
struct Watched {
  PythonAllocator real;
  std::size_t most_pooled = 0;  // bytes; none where all come from malloc
  std::size_t most_of_near = 0;

  // A request for nothing is passed on to malloc.
  [[nodiscard]] bool is_pooled(std::size_t size) const { return size - 1 < most_pooled; }
};
constinit Watched g_watched[3];
constinit PythonArenaAllocator g_arenas;
constinit std::uintptr_t g_code_type = 0;

constinit const std::uint64_t kNever = 0;
constinit const std::uint64_t* g_ending = &kNever;
constinit decltype(PythonHeap::is_ending) g_is_ending = nullptr;
using EndHandler = bool (*)();
constinit EndHandler g_on_end = nullptr;
constinit bool g_sees_releases = true;

[[gnu::cold, gnu::noinline]] void notice_end() {
  if (g_is_ending() == 0) {
    return;
  }
  g_ending = &kNever;
  g_sees_releases = g_on_end == nullptr || !g_on_end();
}

// ---- hooks --------------------------------------------------------------------------------------

template <Domain kDomain>
void* python_malloc(void* context, std::size_t size) {
  const Watched& watched = g_watched[kDomain];
  if (!watched.is_pooled(size) || recorder::passes_over_object(size)) {
    return watched.real.malloc(context, size);
  }
  void* object = watched.real.malloc(context, size);
  return recorder::record_script_object(object, size, recorder::caller_of_hook(),
                                        size <= watched.most_of_near);
}

template <Domain kDomain>
void* python_calloc(void* context, std::size_t count, std::size_t size) {
  const Watched& watched = g_watched[kDomain];
  void* object = watched.real.calloc(context, count, size);
  std::size_t bytes = 0;
  const bool overflow = __builtin_mul_overflow(count, size, &bytes);
  if (overflow || !watched.is_pooled(bytes) || recorder::passes_over_object(bytes)) {
    return object;
  }
  return recorder::record_script_object(object, bytes, recorder::caller_of_hook(),
                                        bytes <= watched.most_of_near);
}

// A small object that was a large one may stay where malloc had put it, and is recorded there then.
void* reallocate_small(const Watched& watched, void* context, void* object, std::size_t size,
                       bool& is_block) {
  const recorder::ScriptAllocatorGuard guard;
  recorder::t_thread.nested_block = 0;
  void* fresh = watched.real.realloc(context, object, size);
  is_block = recorder::t_thread.nested_block == reinterpret_cast<std::uintptr_t>(fresh);
  return fresh;
}

// An object that moves to malloc, whose hook has the caller's stack then, is forgotten first; where
// there is no memory for it, it stays and is not known any more. Else nobody allocates before the
// old object is forgotten: the interpreter's lock is held.
template <Domain kDomain>
void* python_realloc(void* context, void* object, std::size_t size) {
  const Watched& watched = g_watched[kDomain];
  if (!watched.is_pooled(size)) {
    if (object != nullptr && g_sees_releases) {
      recorder::release_script_object(object);
    }
    return watched.real.realloc(context, object, size);
  }
  bool is_block = false;
  void* fresh = reallocate_small(watched, context, object, size, is_block);
  if (fresh != nullptr && object != nullptr && g_sees_releases) {
    recorder::release_script_object(object);
  }
  if (is_block || recorder::passes_over_object(size)) {
    return fresh;
  }
  return recorder::record_script_object(fresh, size, recorder::caller_of_hook(),
                                        size <= watched.most_of_near);
}

template <Domain kDomain>
[[gnu::noinline]] void free_with_care(void* context, void* object) {
  if (object != nullptr) {
    if (kDomain == kObj) {
      if (*g_ending != 0) [[unlikely]] {
        notice_end();
      }
      script::note_freed_python_object(object, g_code_type);
    }
    if (g_sees_releases) {
      recorder::release_script_object(object);
    }
  }
  g_watched[kDomain].real.free(context, object);
}

// Most objects are forgotten at once, with nothing to be kept over a call.
template <Domain kDomain>
void python_free(void* context, void* object) {
  if (object == nullptr ||
      (kDomain == kObj && (*g_ending != 0 || script::has_code_type(object, g_code_type))) ||
      !g_sees_releases || !recorder::try_release_script_object(object)) [[unlikely]] {
    return free_with_care<kDomain>(context, object);
  }
  g_watched[kDomain].real.free(context, object);
}

// An object that malloc made, which forgets it: only code that goes is to be noticed.
void free_of_malloc(void* context, void* object) {
  if (*g_ending != 0) [[unlikely]] {
    notice_end();
  }
  if (object != nullptr && script::has_code_type(object, g_code_type)) [[unlikely]] {
    script::note_freed_python_object(object, g_code_type);
  }
  g_watched[kObj].real.free(context, object);
}

void* map_arena(void* context, std::size_t size) {
  const recorder::ScriptAllocatorGuard guard;
  return g_arenas.alloc(context, size);
}

// ---- installing ---------------------------------------------------------------------------------

// What stands behind an allocator of another one's: its context begins with what it passes calls on
// to, or nearly so (debug hooks, tracemalloc).
struct Behind {
  static constexpr unsigned kWords = 6;
  std::uintptr_t words[kWords] = {};

  explicit Behind(std::uintptr_t context) {
    if (context == 0 || !script::read_checked(context, words)) {
      *this = Behind();
    }
  }
  explicit Behind(const PythonAllocator& allocator)
      : Behind(reinterpret_cast<std::uintptr_t>(allocator.context)) {}

 private:
  Behind() = default;
};

template <typename Function>
std::uintptr_t address_of(Function* function) {
  return reinterpret_cast<std::uintptr_t>(function);
}

// tracemalloc has the allocator that was there in its context, passes calls on to it, and sets it
// again as it ends. What is set there stands behind it, and stays. Null: another one's context.
PythonAllocator* stored_by_tracemalloc(const PythonHeap& python, const PythonAllocator& found) {
  const auto context = reinterpret_cast<std::uintptr_t>(found.context);
  const auto* own = reinterpret_cast<const void*>(python.code_type);
  constexpr std::uintptr_t kMostLetter = 255;  // debug hooks' context begins with one
  PythonAllocator stored;
  if (context == 0 || !script::share_module(address_of(found.malloc), own) ||
      !script::share_module(address_of(found.malloc), found.context) ||
      !script::read_checked(context, stored) ||
      reinterpret_cast<std::uintptr_t>(stored.context) - 1 < kMostLetter) {
    return nullptr;
  }
  for (const std::uintptr_t function : {address_of(stored.malloc), address_of(stored.calloc),
                                        address_of(stored.realloc), address_of(stored.free)}) {
    if (!script::share_module(function, own)) {
      return nullptr;
    }
  }
  return static_cast<PythonAllocator*>(found.context);
}

// Whether objects come from malloc as raw memory does; with debug hooks before both, what those
// pass calls on to: a letter, a context, malloc.
bool is_malloc(const PythonAllocator& objects, const PythonAllocator& raw) {
  constexpr unsigned kMallocOfDebug = 2;
  if (objects.context == nullptr || raw.context == nullptr) {
    return objects.malloc == raw.malloc;
  }
  const std::uintptr_t malloc = Behind(raw).words[kMallocOfDebug];
  return malloc != 0 && Behind(objects).words[kMallocOfDebug] == malloc;
}

// Whether this function stands before the interpreter's allocator, or before others that stand
// there, each behind the other: what their contexts point to is looked at as one. To set hooks
// twice would lead them to themselves.
bool is_watched(const PythonAllocator& found, std::uintptr_t function) {
  constexpr unsigned kMostContexts = 1 + Behind::kWords + Behind::kWords * Behind::kWords;
  std::uintptr_t contexts[kMostContexts] = {reinterpret_cast<std::uintptr_t>(found.context)};
  unsigned count = 1;
  for (unsigned i = 0; i < count; ++i) {
    for (const std::uintptr_t word : Behind(contexts[i]).words) {
      if (word == function) {
        return true;
      }
      if (word != 0 && count < kMostContexts) {
        contexts[count++] = word;
      }
    }
  }
  return address_of(found.malloc) == function || address_of(found.free) == function;
}

// An allocator of the interpreter, and where hooks are to be set before it.
struct Found {
  PythonAllocator allocator;
  PythonAllocator* stored = nullptr;  // by tracemalloc; null: nothing stands before it

  Found(const PythonHeap& python, Domain domain) {
    python.get(domain, &allocator);
    stored = stored_by_tracemalloc(python, allocator);
    allocator = stored == nullptr ? allocator : *stored;
  }
  void set(const PythonHeap& python, Domain domain, const PythonAllocator& hooks) const {
    if (stored != nullptr) {
      *stored = hooks;
    } else {
      python.set(domain, &hooks);
    }
  }
};

template <Domain kDomain>
void watch_pool(const PythonHeap& python, const Found& place) {
  const PythonAllocator& found = place.allocator;
  const auto* code_type = reinterpret_cast<const void*>(python.code_type);
  const bool is_own =
      found.context == nullptr && script::share_module(address_of(found.malloc), code_type);
  g_watched[kDomain] = {found, found.context == nullptr ? kMostPooled : kMostPooledOfDebug,
                        is_own ? kMostOfNear : kMostOfNearElsewhere};
  const PythonAllocator hooks{found.context, python_malloc<kDomain>, python_calloc<kDomain>,
                              python_realloc<kDomain>, python_free<kDomain>};
  place.set(python, kDomain, hooks);
}

template <Domain kDomain>
void watch(const PythonHeap& python) {
  const Found place(python, kDomain);
  const PythonAllocator& found = place.allocator;
  if (is_watched(found, address_of(python_malloc<kDomain>)) ||
      is_watched(found, address_of(free_of_malloc))) {
    return;
  }
  if (!is_malloc(found, Found(python, kRaw).allocator)) {
    watch_pool<kDomain>(python, place);
  } else if (kDomain == kObj) {
    g_watched[kDomain] = {found, 0, 0};
    PythonAllocator hooks = found;
    hooks.free = free_of_malloc;
    place.set(python, kDomain, hooks);
  }
}

void watch_arenas(const PythonHeap& python) {
  PythonArenaAllocator found;
  python.get_arenas(&found);
  if (found.alloc == nullptr || found.alloc == map_arena) {
    return;
  }
  g_arenas = found;
  found.alloc = map_arena;
  python.set_arenas(&found);
}

}  // namespace

void watch_python_heap(const PythonHeap& python) {
  g_code_type = python.code_type;
  if (python.is_ending != nullptr && python.ending != nullptr) {
    g_is_ending = python.is_ending;
    g_ending = python.ending;
  }
  watch_arenas(python);
  watch<kMem>(python);
  watch<kObj>(python);
}

void set_python_end_handler(bool (*handler)()) {
  g_on_end = handler;
}

}  // namespace seep::intercept
