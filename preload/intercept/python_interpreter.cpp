#include "preload/intercept/python_interpreter.h"

#include <string_view>

#include "preload/intercept/elf_symbols.h"
#include "preload/runtime/text.h"
#include "preload/script/checked_memory.h"
#include "preload/script/script.h"

namespace seep::intercept {
namespace {

// A program may be linked with an interpreter that it never starts.
constexpr unsigned kLooksAtEveryCall = 20000;

template <typename Function>
Function function(const char* name) {
  return reinterpret_cast<Function>(find_first_definition(name).address);
}

std::uintptr_t variable(const char* name) {
  return reinterpret_cast<std::uintptr_t>(find_first_variable(name).address);
}

PythonHeap find_heap() {
  PythonHeap heap;
  heap.get = function<decltype(heap.get)>("PyMem_GetAllocator");
  heap.set = function<decltype(heap.set)>("PyMem_SetAllocator");
  heap.get_arenas = function<decltype(heap.get_arenas)>("PyObject_GetArenaAllocator");
  heap.set_arenas = function<decltype(heap.set_arenas)>("PyObject_SetArenaAllocator");
  heap.code_type = variable("PyCode_Type");
  heap.is_ending = function<decltype(heap.is_ending)>("Py_IsFinalizing");  // since 3.13
  if (heap.is_ending == nullptr) {
    heap.is_ending = function<decltype(heap.is_ending)>("_Py_IsFinalizing");
  }
  return heap;
}

// PY_VERSION_HEX without the last two digits: 0x030B02.. of "3.11.2 (main, …". 0: unknown.
std::uint32_t version_from(std::string_view text) {
  std::uint64_t parts[3] = {};
  for (std::uint64_t& part : parts) {
    if (!runtime::take_number(text, 10, part) || part > 255) {
      return 0;
    }
    text.remove_prefix(text.empty() || text.front() != '.' ? 0 : 1);
  }
  return static_cast<std::uint32_t>(parts[0] << 24 | parts[1] << 16 | parts[2] << 8);
}

// Since 3.11 a variable tells, before that a function, which any thread may call at any time.
std::uint32_t find_version() {
  std::uint32_t version = 0;
  if (script::read_checked(variable("Py_Version"), version)) {
    return version;
  }
  const auto text = function<const char* (*)()>("Py_GetVersion");
  return text == nullptr ? 0 : version_from(runtime::view_of(text()));
}

bool find_layout(script::PythonLayout& layout) {
  if (const script::PythonLayout* known = script::known_layout(find_version()); known != nullptr) {
    layout = *known;
    return true;
  }
  std::uint64_t words[script::kSelfDescriptionWords] = {};
  return script::read_checked(variable("_PyRuntime"), words) &&
         script::read_self_description(words, layout);
}

}  // namespace

void PythonProcess::find() {
  const Definition loop = find_first_definition("_PyEval_EvalFrameDefault");
  if (loop.address == nullptr) {
    return;
  }
  heap_ = find_heap();
  frames_.code_type = heap_.code_type;
  frames_.this_thread_state =
      function<decltype(frames_.this_thread_state)>("PyGILState_GetThisThreadState");
  frames_.loop_begin = reinterpret_cast<std::uintptr_t>(loop.address);
  frames_.loop_bytes = loop.bytes;
  if (!heap_.is_whole() || frames_.this_thread_state == nullptr) {
    state_ = State::kUnwanted;
  } else if (!find_layout(frames_.layout)) {
    state_ = State::kUnwanted;
    script::refuse("this version of Python is not known, or built without its global lock");
  } else {
    const std::uintptr_t runtime = variable("_PyRuntime");
    heap_.ending =
        runtime == 0
            ? nullptr
            : reinterpret_cast<const std::uint64_t*>(runtime + frames_.layout.runtime_ending);
    frames_.ending = heap_.ending;
    state_ = State::kFound;
    looks_ = kLooksAtEveryCall;
    watch_python_heap(heap_);
  }
}

void PythonProcess::find_again() {
  const void* loop = find_first_definition("_PyEval_EvalFrameDefault").address;
  if (reinterpret_cast<std::uintptr_t>(loop) != frames_.loop_begin) {
    state_ = State::kUnwanted;
  }
}

void PythonProcess::forget_at(const void* place) {
  if (state_ > State::kAbsent && script::share_module(frames_.loop_begin, place)) {
    state_ = State::kAbsent;
    looks_ = 0;
  }
}

void PythonProcess::look() {
  if (state_ == State::kFound) {
    looks_ -= looks_ == 0 ? 0 : 1;
    if (frames_.this_thread_state() != nullptr) {
      script::set_python(frames_);
      state_ = State::kStarted;
    }
  }
  if (state_ == State::kStarted && script::python_is_settled()) {
    watch_python_heap(heap_);
    state_ = State::kRead;
  }
}

}  // namespace seep::intercept
