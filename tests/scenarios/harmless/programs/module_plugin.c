// A library that programs/modules.c opens and closes.
#include <stdlib.h>
#include <string.h>

#include "samples/pace.h"

static void* g_kept;

__attribute__((constructor)) static void construct(void) {
  g_kept = malloc(500);
  use(g_kept);
}
__attribute__((destructor)) static void destruct(void) {
  free(g_kept);
}

SAMPLE_FUNCTION void* plugin_block(unsigned size) {
  void* block = malloc(size);
  use(block);
  memset(block, 1, size);
  return block;
}

void plugin_free(void* block) {
  free(block);
}
