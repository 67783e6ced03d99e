// Uses entry points that only jemalloc has, where it is loaded: COUNT blocks of mallocx released by
// free, and COUNT of malloc released by dallocx.
// usage: allocator_entries COUNT
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "samples/pace.h"

SAMPLE_FUNCTION static void* site_released_by_dallocx(void) {
  void* block = malloc(120);
  use(block);
  return block;
}

SAMPLE_FUNCTION static void* site_made_by_mallocx(void* (*mallocx)(size_t, int)) {
  void* block = mallocx(120, 0);
  use(block);
  return block;
}

int main(int argc, char** argv) {
  const int count = argc > 1 ? atoi(argv[1]) : 0;
  void* (*mallocx)(size_t, int) = (void* (*)(size_t, int))dlsym(RTLD_DEFAULT, "mallocx");
  void (*dallocx)(void*, int) = (void (*)(void*, int))dlsym(RTLD_DEFAULT, "dallocx");
  if (mallocx == NULL || dallocx == NULL) {
    printf("no jemalloc\n");
    return 0;
  }
  for (int i = 0; i < count; ++i) {
    free(site_made_by_mallocx(mallocx));
  }
  for (int i = 0; i < count; ++i) {
    dallocx(site_released_by_dallocx(), 0);
  }
  printf("released %d and %d\n", count, count);
  return 0;
}
