// The call stack of PHP scripts. Context: IN-HOOK, any thread, signal handlers too; read_php
// AT-INIT or IN-HOOK, once.
//
//   executor globals -> zend_execute_data -> caller -> caller …
//                         function -> name, class, file        opline -> line
//
// All of it are plain loads: nothing of PHP is called but the look-up of a thread's globals. A
// layout is believed once the first functions in PHP have been read by the kernel and made sense in
// every field; if they do not, PHP is not read at all (script::refuse).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "preload/runtime/thread_pointer.h"
#include "preload/script/php_layout.h"

namespace seep::script {

// What the dynamic symbols of PHP tell.
struct PhpSymbols {
  // Not thread-safe builds; 0 in the others.
  std::uint64_t executor_globals = 0;
  std::uint64_t compiler_globals = 0;
  // Thread-safe builds: the globals of a thread, null on those that run no PHP, and where in them.
  void* (*thread_globals)() = nullptr;
  const std::size_t* executor_offset = nullptr;
  const std::size_t* compiler_offset = nullptr;
  // execute_ex
  std::uint64_t loop_begin = 0;
  std::uint64_t loop_bytes = 0;
};

// Makes PHP the interpreter of this process, if there is none yet. `version` as PhpLayout::version;
// `given` goes before what is known of the version that it is of. False when neither is. Of a build
// that is not thread-safe, the calling thread is PHP's.
bool read_php(const PhpSymbols& symbols, unsigned version, const PhpLayout& given = {});

// From now on begin_epoch() is called whenever a request ends, so what stays for a request need not
// be compared again in it. Until forget_php_script(). In the thread that runs PHP.
void tell_php_requests();

// Whether the request of the calling thread, which runs PHP, is over: nothing is executed and what
// it made is being released.
bool php_request_is_over();
// Whether a script runs on the calling thread, which runs PHP.
bool php_is_executing();

// Builds that are thread-safe: a request of the calling thread begins or ends. In between, its
// stack is read. Globals of a thread are there before they are filled in, and after they were taken
// down.
void begin_php_request();
void end_php_request();

// From now on php_script_has_ended() tells of the script that the calling thread runs.
void watch_php_script();
// Until the next watch_php_script() it is false, and requests are not told.
void forget_php_script();

// The executor's flags; a byte without any where they are not to be looked at, or not found yet.
// Relaxed: written by the thread that runs the script, to which alone they mean something.
[[gnu::visibility("hidden")]] extern std::atomic<const std::uint8_t*> g_php_flags;

// The thread that runs the script; written with g_php_flags.
[[gnu::visibility("hidden")]] extern std::uintptr_t g_php_script_thread;

// Whether the process's only request, which the calling thread runs, is past its end: what still
// runs are destructors, and functions that the script registered for its end.
inline bool php_script_has_ended() {
  return (*g_php_flags.load(std::memory_order_relaxed) & php::kInShutdown) != 0 &&
         runtime::thread_pointer() == g_php_script_thread;
}

// Where the interpreter of this process is, of builds that are not thread-safe.
struct PhpPlace {
  const PhpLayout* layout = nullptr;  // null: PHP is not read, or thread-safe
  std::uint64_t executor_globals = 0;
  std::uint64_t compiler_globals = 0;
};
PhpPlace php_place();

}  // namespace seep::script
