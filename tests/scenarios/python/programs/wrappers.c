// Preloaded: sets Python's debug hooks and a wrapper of its own before Python starts, one before
// the other, as a program may that Python is embedded in.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>

// That of all C libraries: Pythons of other releases of Debian run on theirs.
__asm__(".symver dlsym,dlsym@GLIBC_2.2.5");

struct Allocator {  // PyMemAllocatorEx
  void* context;
  void* (*malloc)(void* context, size_t size);
  void* (*calloc)(void* context, size_t count, size_t size);
  void* (*realloc)(void* context, void* object, size_t size);
  void (*free)(void* context, void* object);
};

enum { kMem = 1, kDomains = 3 };
static struct Allocator g_real[kDomains];

static void* wrapped_malloc(void* context, size_t size) {
  const struct Allocator* real = context;
  return real->malloc(real->context, size);
}
static void* wrapped_calloc(void* context, size_t count, size_t size) {
  const struct Allocator* real = context;
  return real->calloc(real->context, count, size);
}
static void* wrapped_realloc(void* context, void* object, size_t size) {
  const struct Allocator* real = context;
  return real->realloc(real->context, object, size);
}
static void wrapped_free(void* context, void* object) {
  const struct Allocator* real = context;
  real->free(real->context, object);
}

// Behind all constructors of libraries: the first function of the C library that Python's main
// calls.
char* setlocale(int category, const char* locale) {
  static int is_done;
  if (!is_done) {
    void (*set_debug)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "PyMem_SetupDebugHooks");
    void (*get)(int, struct Allocator*) =
        (void (*)(int, struct Allocator*))dlsym(RTLD_DEFAULT, "PyMem_GetAllocator");
    void (*set)(int, struct Allocator*) =
        (void (*)(int, struct Allocator*))dlsym(RTLD_DEFAULT, "PyMem_SetAllocator");
    is_done = 1;
    set_debug();
    for (int domain = kMem; domain < kDomains; ++domain) {
      struct Allocator mine = {&g_real[domain], wrapped_malloc, wrapped_calloc, wrapped_realloc,
                               wrapped_free};
      get(domain, &g_real[domain]);
      set(domain, &mine);
    }
  }
  char* (*real)(int, const char*) = (char* (*)(int, const char*))dlsym(RTLD_NEXT, "setlocale");
  return real(category, locale);
}
