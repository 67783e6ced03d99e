// A library of programs/life.cpp that allocates in its constructor, its destructor and an IFUNC
// resolver, which the loader calls before any constructor has run, and before it has relocated what
// stands ahead of the library in its list: a preload.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "samples/pace.h"

static void* g_block;
static void* g_from_ifunc;

static void say(const char* what) {
  if (write(STDOUT_FILENO, what, strlen(what)) < 0) {
    _exit(9);
  }
}

SAMPLE_FUNCTION static void* site_library_constructor(void) {
  void* block = malloc(80);
  use(block);
  return block;
}

__attribute__((constructor)) static void construct(void) {
  g_block = site_library_constructor();
  say("library's constructor\n");
}
__attribute__((destructor)) static void destruct(void) {
  free(realloc(g_from_ifunc, 500));
  free(malloc(50));
  say("library's destructor\n");
}

static void* real_block(void) {
  return g_block;
}

static void* (*resolve_block(void))(void) {
  g_from_ifunc = malloc(90);
  memset(g_from_ifunc, 1, 90);
  free(calloc(3, 30));
  free(realloc(malloc(10), 1000));
  return real_block;
}

// Not exported: the loader calls the resolver when it relocates the library, after the rest.
__attribute__((visibility("hidden"))) void* hidden_block(void)
    __attribute__((ifunc("resolve_block")));

void* life_library_block(void) {
  return hidden_block();
}
