// CPython's allocators of objects and of their buffers (domains OBJ and MEM), seen through
// PyMem_SetAllocator: the hooks pass each call on to the allocator that was there, which goes on as
// without them. Context: watch_python_heap AT-INIT or IN-HOOK; the hooks IN-HOOK.
//
//   PyObject_Malloc -> hook -> pymalloc -> up to 512 bytes: from its own maps   recorded here
//                                       -> more: malloc                         recorded there
//
// What pymalloc maps for itself is not recorded: its objects are. Where objects come from malloc
// (PYTHONMALLOC=malloc), malloc's hooks record all of them, and these hooks nothing.
#pragma once

#include <cstddef>
#include <cstdint>

namespace seep::intercept {

// As in Include/cpython/pymem.h and objimpl.h.
struct PythonAllocator {
  void* context = nullptr;
  void* (*malloc)(void* context, std::size_t size) = nullptr;
  void* (*calloc)(void* context, std::size_t count, std::size_t size) = nullptr;
  void* (*realloc)(void* context, void* object, std::size_t size) = nullptr;
  void (*free)(void* context, void* object) = nullptr;
};
struct PythonArenaAllocator {
  void* context = nullptr;
  void* (*alloc)(void* context, std::size_t size) = nullptr;
  void (*free)(void* context, void* arena, std::size_t size) = nullptr;
};

// What the dynamic symbols of CPython tell.
struct PythonHeap {
  void (*get)(int domain, PythonAllocator* allocator) = nullptr;  // PyMem_GetAllocator
  void (*set)(int domain, const PythonAllocator* allocator) = nullptr;
  void (*get_arenas)(PythonArenaAllocator* allocator) = nullptr;  // PyObject_GetArenaAllocator
  void (*set_arenas)(PythonArenaAllocator* allocator) = nullptr;
  std::uintptr_t code_type = 0;           // PyCode_Type
  int (*is_ending)() = nullptr;           // Py_IsFinalizing; null: the end is not noticed
  const std::uint64_t* ending = nullptr;  // of _PyRuntime: not null while it may be ending

  [[nodiscard]] bool is_whole() const {
    return get != nullptr && set != nullptr && get_arenas != nullptr && set_arenas != nullptr &&
           code_type != 0;
  }
};

// Sees both domains from now on. To be called again once the interpreter has started: it sets its
// allocators anew where PYTHONMALLOC or -X dev asks for some. Nothing happens where they lead to
// the hooks already. A thread of the program that allocates meanwhile calls the one or the other
// function with the same context.
void watch_python_heap(const PythonHeap& python);

// Called once, in the thread that ends the interpreter, before that frees what the program has
// left. True: what is freed from then on stays recorded. AT-INIT.
void set_python_end_handler(bool (*handler)());

}  // namespace seep::intercept
