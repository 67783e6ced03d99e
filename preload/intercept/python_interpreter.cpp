#include "preload/intercept/python_interpreter.h"

#include <string_view>

#include "preload/intercept/loaded_file.h"
#include "preload/runtime/text.h"
#include "preload/script/checked_memory.h"
#include "preload/script/script.h"

namespace seep::intercept {
namespace {

// A program may be linked with an interpreter that it never starts.
constexpr unsigned kLooksAtEveryCall = 20000;

template <typename Function>
Function function(const LoadedFile& file, const char* name) {
  return reinterpret_cast<Function>(file.function(name).address);
}

std::uintptr_t variable(const LoadedFile& file, const char* name) {
  return reinterpret_cast<std::uintptr_t>(file.variable(name).address);
}

PythonHeap find_heap(const LoadedFile& file) {
  PythonHeap heap;
  heap.get = function<decltype(heap.get)>(file, "PyMem_GetAllocator");
  heap.set = function<decltype(heap.set)>(file, "PyMem_SetAllocator");
  heap.get_arenas = function<decltype(heap.get_arenas)>(file, "PyObject_GetArenaAllocator");
  heap.set_arenas = function<decltype(heap.set_arenas)>(file, "PyObject_SetArenaAllocator");
  heap.code_type = variable(file, "PyCode_Type");
  heap.is_ending = function<decltype(heap.is_ending)>(file, "Py_IsFinalizing");  // since 3.13
  if (heap.is_ending == nullptr) {
    heap.is_ending = function<decltype(heap.is_ending)>(file, "_Py_IsFinalizing");
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
std::uint32_t find_version(const LoadedFile& file) {
  std::uint32_t version = 0;
  if (script::read_checked(variable(file, "Py_Version"), version)) {
    return version;
  }
  const auto text = function<const char* (*)()>(file, "Py_GetVersion");
  return text == nullptr ? 0 : version_from(runtime::view_of(text()));
}

bool find_layout(const LoadedFile& file, script::PythonLayout& layout) {
  if (const script::PythonLayout* known = script::known_layout(find_version(file));
      known != nullptr) {
    layout = *known;
    return true;
  }
  std::uint64_t words[script::kSelfDescriptionWords] = {};
  return script::read_checked(variable(file, "_PyRuntime"), words) &&
         script::read_self_description(words, layout);
}

}  // namespace

void PythonProcess::find() {
  LoadedFile file;
  if (!file.find_with("_PyEval_EvalFrameDefault")) {
    return;
  }
  const Definition loop = file.function("_PyEval_EvalFrameDefault");
  heap_ = find_heap(file);
  frames_.code_type = heap_.code_type;
  frames_.this_thread_state =
      function<decltype(frames_.this_thread_state)>(file, "PyGILState_GetThisThreadState");
  frames_.loop_begin = reinterpret_cast<std::uintptr_t>(loop.address);
  frames_.loop_bytes = loop.bytes;
  if (!heap_.is_whole() || frames_.this_thread_state == nullptr) {
    state_ = State::kUnwanted;
  } else if (!find_layout(file, frames_.layout)) {
    state_ = State::kUnwanted;
    script::pass_over("this version of Python is not known, or built without its global lock");
  } else {
    const std::uintptr_t runtime = variable(file, "_PyRuntime");
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
  LoadedFile file;
  file.find_with("_PyEval_EvalFrameDefault");
  const void* loop = file.function("_PyEval_EvalFrameDefault").address;
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
      is_read_ = script::set_python(frames_);
      state_ = State::kStarted;
    }
  }
  if (state_ == State::kStarted && (!is_read_ || script::python_is_settled())) {
    watch_python_heap(heap_);
    state_ = State::kRead;
  }
}

}  // namespace seep::intercept
