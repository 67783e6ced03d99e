// The frames of a thread that runs Python, read from the interpreter's own chain.
// Context: IN-HOOK, any thread, signal handlers too; set_python in one thread at a time.
//
//   thread state -> innermost frame -> frame … -> frame      outward, by `previous`
//                        code, instruction -> function, file, line -> id in the table
//
// A thread reads its own chain, which nobody else changes, with the interpreter's lock or without.
// What the chain leads to is alive as long as its frames are. Nothing of the interpreter is called
// but PyGILState_GetThisThreadState, which reads the thread's own pointer to its state: null before
// the interpreter has started and after it has ended.
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/script/python_layout.h"
#include "preload/script/script.h"

namespace seep::script {

// What is known of the interpreter in this process.
struct PythonInterpreter {
  PythonLayout layout{};
  std::uintptr_t code_type = 0;            // address of PyCode_Type
  void* (*this_thread_state)() = nullptr;  // PyGILState_GetThisThreadState
  const std::uint64_t* ending = nullptr;   // state of the thread that ends it; null: not known
  std::uintptr_t loop_begin = 0;           // _PyEval_EvalFrameDefault
  std::uintptr_t loop_bytes = 0;
};

// Frames of this interpreter are read from now on. The first ones are read with care; where what
// they lead to is not what it should be, the interpreter is refused (script.h). False where another
// interpreter is read already.
bool set_python(const PythonInterpreter& python);
// What is read; null where it is not Python, or not yet believed.
const PythonInterpreter* python_interpreter();
// Whether frames were read and believed, or Python refused.
bool python_is_settled();

// Code objects come and go: another one at the same place is other code. A frame's line is kept
// with the stamp of its code's place, which goes up when an object of that type is freed there.
inline constexpr std::size_t kCodeStamps = 1024;
// Relaxed: a stamp changes under the interpreter's lock, and the code of a thread's own frames is
// never freed.
[[gnu::visibility("hidden")]] extern std::atomic<std::uint64_t> g_code_stamps[kCodeStamps];
inline std::size_t code_stamp_of(std::uintptr_t code) {
  return (code >> 4) * 0x9E3779B97F4A7C15ULL >> 54;
}

// Whether it is a code object; or none, and looks like one. At least 16 bytes can be read there.
inline bool has_code_type(const void* object, std::uintptr_t code_type) {
  std::uintptr_t type = 0;
  __builtin_memcpy(&type, static_cast<const char*>(object) + kObjectType, sizeof(type));
  return type == code_type;
}

// Is to be told of every such object that is about to be freed; others are ignored.
inline void note_freed_python_object(const void* object, std::uintptr_t code_type) {
  if (has_code_type(object, code_type)) [[unlikely]] {
    g_code_stamps[code_stamp_of(reinterpret_cast<std::uintptr_t>(object))].fetch_add(
        1, std::memory_order_relaxed);
    note_change();
  }
}

}  // namespace seep::script
