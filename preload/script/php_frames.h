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

#include <cstddef>
#include <cstdint>

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
// false when it is none that is known. Of a build that is not thread-safe, the calling thread is
// PHP's.
bool read_php(const PhpSymbols& symbols, unsigned version);

// Whether the request of the calling thread, which runs PHP, is over: nothing is executed and what
// it made is being released.
bool php_request_is_over();

// From now on php_script_has_ended() tells. Does nothing for builds that are thread-safe.
void watch_php_script();
// Until the next watch_php_script() it is false.
void forget_php_script();

// The executor's flags; a byte without any where they are not to be looked at, or not found yet.
// Written by PHP's thread.
[[gnu::visibility("hidden")]] extern const std::uint8_t* g_php_flags;

// Whether the process's only request is past its end: what still runs are destructors, and
// functions that the script registered for its end.
inline bool php_script_has_ended() {
  return (*g_php_flags & php::kInShutdown) != 0;
}

// Where the interpreter of this process is, of builds that are not thread-safe.
struct PhpPlace {
  const PhpLayout* layout = nullptr;  // null: PHP is not read, or thread-safe
  std::uint64_t executor_globals = 0;
  std::uint64_t compiler_globals = 0;
};
PhpPlace php_place();

}  // namespace seep::script
