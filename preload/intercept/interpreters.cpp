#include "preload/intercept/interpreters.h"

#include <atomic>
#include <cstddef>
#include <string_view>

#include "preload/intercept/elf_symbols.h"
#include "preload/intercept/php_heap.h"
#include "preload/intercept/process_events.h"
#include "preload/intercept/python_interpreter.h"
#include "preload/recorder/losses.h"
#include "preload/runtime/text.h"
#include "preload/runtime/thread_pointer.h"
#include "preload/script/php_frames.h"
#include "preload/script/script.h"

namespace seep::intercept {
namespace {

// A program may have an interpreter in it that it never starts.
constexpr unsigned kMostLooksForHeap = 20000;
constexpr unsigned kMostLooksForVersion = 2000;

template <typename Function>
Function function(const char* name) {
  return reinterpret_cast<Function>(find_first_definition(name).address);
}

template <typename Variable>
Variable variable(const char* name) {
  return reinterpret_cast<Variable>(find_first_variable(name).address);
}

// ---- PHP
// ------------------------------------------------------------------------------------------

PhpAllocator find_php_allocator(bool per_thread) {
  PhpAllocator php;
  php.get_heap = function<decltype(php.get_heap)>("zend_mm_get_heap");
  php.alloc = function<decltype(php.alloc)>("_zend_mm_alloc");
  php.free = function<decltype(php.free)>("_zend_mm_free");
  php.realloc = function<decltype(php.realloc)>("_zend_mm_realloc");
  php.collect = function<decltype(php.collect)>("zend_mm_gc");
  php.shutdown = function<decltype(php.shutdown)>("zend_mm_shutdown");
  php.set_handlers = function<decltype(php.set_handlers)>("zend_mm_set_custom_handlers");
  php.set_all_handlers = function<decltype(php.set_all_handlers)>("zend_mm_set_custom_handlers_ex");
  php.sapi_module = variable<void*>("sapi_module");
  php.per_thread = per_thread;
  return php;
}

script::PhpSymbols find_php_symbols() {
  script::PhpSymbols php;
  php.executor_globals = variable<std::uint64_t>("executor_globals");
  php.compiler_globals = variable<std::uint64_t>("compiler_globals");
  if (php.executor_globals == 0) {
    php.thread_globals = function<decltype(php.thread_globals)>("tsrm_get_ls_cache");
    php.executor_offset = variable<decltype(php.executor_offset)>("executor_globals_offset");
    php.compiler_offset = variable<decltype(php.compiler_offset)>("compiler_globals_offset");
  }
  const Definition loop = find_first_definition("execute_ex");
  php.loop_begin = reinterpret_cast<std::uint64_t>(loop.address);
  php.loop_bytes = loop.bytes;
  return php;
}

// 802 for "Zend Engine v4.2.35", as it calls itself once it has started; 0 before. PHP 7.4
// says 3.4.
unsigned version_of_engine(std::string_view name) {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  const std::size_t begin = name.find('v');
  name.remove_prefix(begin == std::string_view::npos ? name.size() : begin + 1);
  const bool is_version =
      runtime::take_number(name, 10, major) && !name.empty() && name.front() == '.';
  name.remove_prefix(is_version ? 1 : 0);
  if (!is_version || !runtime::take_number(name, 10, minor) || major < 3 || minor > 99) {
    return 0;
  }
  return static_cast<unsigned>((major + 4) * 100 + minor);
}

// 0 while it is not known.
unsigned php_version() {
  if (const auto id = function<unsigned (*)()>("php_version_id"); id != nullptr) {
    return id() / 100 % 100 + id() / 10000 * 100;
  }
  const auto engine = function<const char* (*)()>("get_zend_version");
  const char* name = engine == nullptr ? nullptr : engine();
  return name == nullptr ? 0 : version_of_engine(runtime::view_of(name));
}

class Php {
 public:
  enum class State { kUnwanted, kAbsent, kHeapless, kNameless, kRead };

  void want() { state_ = State::kAbsent; }
  [[nodiscard]] bool is_absent() const { return state_ == State::kAbsent; }
  // Nothing is waited for any more, not even the heap of another thread.
  [[nodiscard]] bool is_settled() const {
    return state_ == State::kUnwanted || (state_ == State::kRead && !is_per_thread_);
  }

  // Once, and again where libraries were loaded since.
  void find() {
    if (find_first_definition("zend_mm_get_heap").address == nullptr) {
      return;
    }
    symbols_ = find_php_symbols();
    is_per_thread_ = symbols_.executor_globals == 0;
    const bool is_whole =
        symbols_.loop_begin != 0 && (is_per_thread_ ? symbols_.thread_globals != nullptr &&
                                                          symbols_.executor_offset != nullptr &&
                                                          symbols_.compiler_offset != nullptr
                                                    : symbols_.compiler_globals != 0);
    allocator_ = find_php_allocator(is_per_thread_);
    state_ = is_whole && allocator_.is_whole() ? State::kHeapless : State::kUnwanted;
    // Of a thread that begins or ends, the globals are there before they are filled in, and after
    // they were taken down.
    if (is_per_thread_ && state_ == State::kHeapless) {
      state_ = State::kUnwanted;
      script::refuse("thread-safe builds of PHP are not read");
    }
    // Those of a build for debugging take more arguments.
    if (find_first_definition("zend_mm_set_custom_debug_handlers").address != nullptr) {
      state_ = State::kUnwanted;
      script::refuse("builds of PHP for debugging are not read");
    }
  }

  // The library with this place in it is about to be unmapped: nothing of it may be called again.
  void forget_at(const void* place) {
    if (state_ > State::kAbsent && script::share_module(symbols_.loop_begin, place)) {
      state_ = State::kAbsent;
      looks_ = 0;
      forget_php_heap();
    }
  }

  // In the thread that PHP runs in, or in any where each may run it.
  void look() {
    if (state_ == State::kRead && has_globals()) {
      see_php_heap(allocator_);
    }
    if (state_ == State::kHeapless) {
      if (has_globals() && see_php_heap(allocator_)) {
        looks_ = 0;
        state_ = State::kNameless;
      } else if (++looks_ == kMostLooksForHeap) {
        state_ = State::kUnwanted;
      }
    }
    if (state_ == State::kNameless) {
      read();
    }
  }
  [[nodiscard]] bool may_run_here(std::uintptr_t first_thread) const {
    return is_per_thread_ || runtime::thread_pointer() == first_thread;
  }
  [[nodiscard]] bool waits_for_heap() const { return state_ == State::kHeapless; }

 private:
  // What a heap of each thread is found by.
  [[nodiscard]] bool has_globals() const {
    return !is_per_thread_ ||
           (symbols_.thread_globals() != nullptr && *symbols_.executor_offset != 0);
  }

  void read() {
    const unsigned version = php_version();
    if (version == 0) {
      state_ = ++looks_ == kMostLooksForVersion ? State::kUnwanted : state_;
      return;
    }
    state_ = State::kRead;
    if (script::read_php(symbols_, version)) {
      watch_php_requests();
    } else {
      script::refuse("this version of PHP is not known");
    }
  }

  State state_ = State::kUnwanted;
  bool is_per_thread_ = false;
  unsigned looks_ = 0;
  script::PhpSymbols symbols_;
  PhpAllocator allocator_;
};

// Used by the thread that looks.
constinit Php g_php;
constinit PythonProcess g_python;
// When interpreters were looked for. Relaxed: who reads an older value looks once more.
constinit std::atomic<std::uint64_t> g_modules{UINT64_MAX};
constinit std::uintptr_t g_first_thread = 0;

// A thread looks. Exchanged with acquire, released at the end of the look.
constinit std::atomic<bool> g_is_looked_for{false};

bool look(std::uint64_t modules) {
  const bool has_more_modules = modules != g_modules.load(std::memory_order_relaxed);
  g_modules.store(modules, std::memory_order_relaxed);
  if (g_php.is_absent() && has_more_modules) {
    g_php.find();
  }
  if (has_more_modules && g_python.is_absent()) {
    g_python.find();
  } else if (has_more_modules && !g_python.is_settled()) {
    g_python.find_again();
  }
  if (!g_php.is_absent() && g_php.may_run_here(g_first_thread)) {
    g_php.look();
  }
  if (!g_python.is_absent()) {
    g_python.look();
  }
  return g_php.waits_for_heap() || g_python.starts_soon();
}

}  // namespace

void choose_languages(const Languages& languages) {
  g_first_thread = runtime::thread_pointer();
  if (languages.php) {
    g_php.want();
  }
  if (languages.python) {
    g_python.want();
    set_python_end_handler(g_process_events.on_script_end);
  }
}

bool look_for_interpreters(std::uint64_t modules) {
  if (g_php.is_settled() && g_python.is_settled()) [[likely]] {
    return false;
  }
  const bool waits_for_modules =
      (g_php.is_absent() || g_php.is_settled()) && (g_python.is_absent() || g_python.is_settled());
  if (waits_for_modules && modules == g_modules.load(std::memory_order_relaxed)) [[likely]] {
    return false;
  }
  if (g_is_looked_for.exchange(true, std::memory_order_acquire)) {
    return true;  // later
  }
  const bool waits = look(modules);
  g_is_looked_for.store(false, std::memory_order_release);
  return waits;
}

void forget_interpreters_at(const void* place) {
  g_php.forget_at(place);
  g_python.forget_at(place);
}

void recover_interpreters_after_fork() {
  g_is_looked_for.store(false, std::memory_order_release);
}

}  // namespace seep::intercept
