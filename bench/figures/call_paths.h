// malloc along one of many call stacks. C and C++.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __clang__
#define SEEP_ONE_FUNCTION __attribute__((noinline))
#else
#define SEEP_ONE_FUNCTION __attribute__((noinline, noclone))
#endif

// malloc(size) with `levels` + 1 frames of this function below the caller's: each bit of `path`
// picks a place to call from, so that there is a stack for each path of `levels` bits. The
// statements in assembly keep the compiler from making one call of the two.
SEEP_ONE_FUNCTION static void* allocate_along(uint64_t path, unsigned levels, size_t size) {
  void* block = NULL;
  if (levels == 0) {
    block = malloc(size);
    __asm__ volatile("# leaf" : "+r"(block));
  } else if ((path & 1) != 0) {
    block = allocate_along(path >> 1, levels - 1, size);
    __asm__ volatile("# left" : "+r"(block));
  } else {
    block = allocate_along(path >> 1, levels - 1, size);
    __asm__ volatile("# right" : "+r"(block));
  }
  return block;
}
