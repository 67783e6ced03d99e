// The functions that the hooks stand before. Context: AT-INIT for resolving, IN-HOOK for calling.
#pragma once

#include <sys/types.h>
#include <sys/wait.h>

#include <cstddef>

namespace seep::intercept {

struct RealFunctions {
#define SEEP_HOOKED(member, symbol, ...) \
  using member##_type = __VA_ARGS__;     \
  member##_type member = nullptr;
#include "preload/intercept/hooked_functions.inc"
#undef SEEP_HOOKED
#define SEEP_NEW(member, symbol, parameters, arguments) void*(*member)parameters = nullptr;
#define SEEP_DELETE(member, symbol, parameters, arguments) void(*member) parameters = nullptr;
#include "preload/intercept/operator_functions.inc"
#undef SEEP_NEW
#undef SEEP_DELETE

  // malloc is not libc's: what it maps for itself passes by our mmap.
  bool foreign_allocator = false;
  // The program's malloc is one that the loader puts before ours: linked into the program, or
  // preloaded before libseep.so. Calls come here only if that one passes them on.
  bool shadowed = false;
  // operator new and delete are the C++ library's own, which do what malloc and free do and a
  // little more; they are not called but for that little.
  bool standard_operators = false;
  bool resolved = false;
  bool libc_allocator = false;  // resolved, and not foreign
};

[[gnu::visibility("hidden")]] extern RealFunctions g_real;

// Idempotent: threads that meet here write the same values. Before libseep.so is relocated only the
// functions are looked up, and `resolved` stays false.
void resolve_real_functions();
// The C++ library may be loaded long after the start; looks again for what is missing.
void resolve_operators();

inline const RealFunctions& real() {
  if (!g_real.resolved) [[unlikely]] {
    resolve_real_functions();
  }
  return g_real;
}

// While the recorder is dormant: it is made so after they were looked up.
inline const RealFunctions& real_when_dormant() {
  return g_real;
}

// Registers the fork handler. AT-INIT.
void watch_forks();

}  // namespace seep::intercept

#define SEEP_EXPORT extern "C" [[gnu::visibility("default")]]
