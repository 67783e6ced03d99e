// Finds the function that a hook stands before: the next definition in the order of the loader.
// Context: AT-INIT and IN-HOOK (slow path), also before libseep.so is relocated
// (preload/runtime/loaded_objects.h). Reads the loader's list of objects and their symbol tables
// itself: dlsym may allocate, takes the loader's lock, and has a symbol version newer than the
// oldest libc we run with.
#pragma once

#include <cstdint>

namespace seep::intercept {

struct Definition {
  void* address = nullptr;       // null: nobody defines it
  const char* object = nullptr;  // path of the object that does; "" for the program itself
  std::uint64_t bytes = 0;       // of the function or variable; 0: not told
};

// The first definition of `name` in the objects after libseep.so.
Definition find_next_definition(const char* name);

// The first definition of `name` in any object.
Definition find_first_definition(const char* name);

// Whether the program or an object before libseep.so defines it: then the program's calls go there.
bool is_defined_before(const char* name);

}  // namespace seep::intercept
