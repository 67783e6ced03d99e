#include "preload/intercept/interpreters.h"

#include <atomic>
#include <cstddef>
#include <string_view>

#include "preload/intercept/loaded_file.h"
#include "preload/intercept/php_heap.h"
#include "preload/intercept/process_events.h"
#include "preload/intercept/python_interpreter.h"
#include "preload/recorder/recorder.h"
#include "preload/runtime/text.h"
#include "preload/runtime/thread_pointer.h"
#include "preload/script/php_frames.h"
#include "preload/script/script.h"

namespace seep::intercept {
namespace {

// A program may have an interpreter in it that it starts late, or never: from then on it is looked
// at with the clock.
constexpr std::uint32_t kTicksAtEveryCall = 60'000 >> recorder::kTickShift;  // a minute

template <typename Function>
Function function(const LoadedFile& file, const char* name) {
  return reinterpret_cast<Function>(file.function(name).address);
}

template <typename Variable>
Variable variable(const LoadedFile& file, const char* name) {
  return reinterpret_cast<Variable>(file.variable(name).address);
}

// ---- PHP
// ------------------------------------------------------------------------------------------

PhpAllocator find_php_allocator(const LoadedFile& file) {
  PhpAllocator php;
  php.get_heap = function<decltype(php.get_heap)>(file, "zend_mm_get_heap");
  php.alloc = function<decltype(php.alloc)>(file, "_zend_mm_alloc");
  php.free = function<decltype(php.free)>(file, "_zend_mm_free");
  php.realloc = function<decltype(php.realloc)>(file, "_zend_mm_realloc");
  php.collect = function<decltype(php.collect)>(file, "zend_mm_gc");
  php.shutdown = function<decltype(php.shutdown)>(file, "zend_mm_shutdown");
  php.set_handlers = function<decltype(php.set_handlers)>(file, "zend_mm_set_custom_handlers");
  php.set_all_handlers =
      function<decltype(php.set_all_handlers)>(file, "zend_mm_set_custom_handlers_ex");
  php.sapi_module = variable<void*>(file, "sapi_module");
  php.limit.error_callback = variable<void*>(file, "zend_error_cb");
  php.limit.usage = function<decltype(php.limit.usage)>(file, "zend_memory_usage");
  php.limit.peak = function<decltype(php.limit.peak)>(file, "zend_memory_peak_usage");
  return php;
}

script::PhpSymbols find_php_symbols(const LoadedFile& file) {
  script::PhpSymbols php;
  php.executor_globals = variable<std::uint64_t>(file, "executor_globals");
  php.compiler_globals = variable<std::uint64_t>(file, "compiler_globals");
  if (php.executor_globals == 0) {
    php.thread_globals = function<decltype(php.thread_globals)>(file, "tsrm_get_ls_cache");
    php.executor_offset = variable<decltype(php.executor_offset)>(file, "executor_globals_offset");
    php.compiler_offset = variable<decltype(php.compiler_offset)>(file, "compiler_globals_offset");
  }
  const Definition loop = file.function("execute_ex");
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

// What PHP tells its version by; the first since 8.3.
struct PhpVersion {
  unsigned (*id)() = nullptr;
  const char* (*engine)() = nullptr;

  [[nodiscard]] bool is_told() const { return id != nullptr || engine != nullptr; }
  // As PhpLayout::version; 0 while it is not known.
  [[nodiscard]] unsigned get() const {
    if (id != nullptr) {
      return id() / 100 % 100 + id() / 10000 * 100;
    }
    const char* name = engine();
    return name == nullptr ? 0 : version_of_engine(runtime::view_of(name));
  }
};

PhpVersion find_php_version(const LoadedFile& file) {
  PhpVersion version;
  version.id = function<decltype(version.id)>(file, "php_version_id");
  version.engine = function<decltype(version.engine)>(file, "get_zend_version");
  return version;
}

class Php {
 public:
  enum class State { kUnwanted, kAbsent, kHeapless, kNameless, kRead };

  void want(const script::PhpLayout& layout) {
    state_ = State::kAbsent;
    layout_ = layout;
  }
  [[nodiscard]] bool is_absent() const { return state_ == State::kAbsent; }
  // Nothing is waited for any more.
  [[nodiscard]] bool is_settled() const {
    return state_ == State::kUnwanted || state_ == State::kRead;
  }

  // Once, and again where libraries were loaded since. `first_thread` as may_run_here.
  void find(std::uintptr_t first_thread) {
    LoadedFile file;
    if (!file.find_with("zend_mm_get_heap")) {
      return;
    }
    symbols_ = find_php_symbols(file);
    version_ = find_php_version(file);
    allocator_ = find_php_allocator(file);
    allocator_.per_thread = symbols_.executor_globals == 0;
    allocator_.first_thread = first_thread;
    const bool is_whole = version_.is_told() && symbols_.loop_begin != 0 && has_globals();
    state_ = is_whole && allocator_.is_whole() ? State::kHeapless : State::kUnwanted;
    found_at_ = recorder::g_clock.tick();
    // Those of a build for debugging take more arguments.
    if (file.function("zend_mm_set_custom_debug_handlers").address != nullptr) {
      state_ = State::kUnwanted;
      script::pass_over("builds of PHP for debugging are not read");
    }
  }

  // The library with this place in it is about to be unmapped: nothing of it may be called again.
  void forget_at(const void* place) {
    if (state_ > State::kAbsent && script::share_module(symbols_.loop_begin, place)) {
      state_ = State::kAbsent;
      forget_php_heap();
    }
  }

  // In the thread that PHP runs in, or in any where each may run it.
  void look() {
    if (state_ == State::kHeapless && sees_heap()) {
      state_ = State::kNameless;
    }
    if (state_ == State::kNameless) {
      read();
    }
  }
  [[nodiscard]] bool may_run_here(std::uintptr_t first_thread) const {
    return allocator_.per_thread || runtime::thread_pointer() == first_thread;
  }
  // It makes its heap with one of the next calls, if it is started at all, and has started some
  // calls later.
  [[nodiscard]] bool starts_soon() const {
    const bool waits = state_ == State::kHeapless || state_ == State::kNameless;
    return waits && recorder::g_clock.tick() - found_at_ < kTicksAtEveryCall;
  }

 private:
  // What a thread-safe build begins to tell of its threads by is set as it starts.
  [[nodiscard]] bool has_globals() const {
    return allocator_.per_thread
               ? symbols_.thread_globals != nullptr && symbols_.executor_offset != nullptr &&
                     symbols_.compiler_offset != nullptr &&
                     allocator_.limit.error_callback != nullptr
               : symbols_.compiler_globals != 0;
  }

  // What a SAPI does at the begin and the end of a request is set before PHP starts.
  bool sees_heap() {
    if (!allocator_.per_thread) {
      return see_php_heap(allocator_);
    }
    if (!is_started()) {
      return false;
    }
    see_php_threads(allocator_);
    return true;
  }

  // What reports errors is set as PHP starts.
  [[nodiscard]] bool is_started() const {
    return allocator_.limit.error_callback == nullptr ||
           *static_cast<void**>(allocator_.limit.error_callback) != nullptr;
  }

  void read() {
    const unsigned version = version_.get();
    if (version == 0 || !is_started()) {
      return;
    }
    state_ = State::kRead;
    if (script::read_php(symbols_, version, layout_)) {
      watch_php_requests();
    } else {
      script::pass_over("this version of PHP is not known");
    }
  }

  State state_ = State::kUnwanted;
  std::uint32_t found_at_ = 0;  // tick
  PhpVersion version_;
  script::PhpLayout layout_;
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
    g_php.find(g_first_thread);
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
  return g_php.starts_soon() || g_python.starts_soon();
}

}  // namespace

void choose_languages(const Languages& languages) {
  g_first_thread = runtime::thread_pointer();
  if (languages.php) {
    g_php.want(languages.php_layout);
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
