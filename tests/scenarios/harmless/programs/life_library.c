// A library of programs/life.cpp that allocates in its constructor and its destructor.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "samples/pace.h"

static void* g_block;

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
  free(malloc(50));
  say("library's destructor\n");
}

void* life_library_block(void) {
  return g_block;
}
