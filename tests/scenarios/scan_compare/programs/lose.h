// What the programs share. Blocks are made by functions called make_…; the first comment of each
// program says what of them is lost when it ends, and run.py holds three tools to it.
#pragma once

#include <stdlib.h>
#include <string.h>

#define APART __attribute__((noinline, noclone))

// The pointer escapes here: the compiler may not drop the allocation.
static inline void use(const void* pointer) {
  __asm__ volatile("" : : "g"(pointer) : "memory");
}

// Overwrites what functions that have returned left on the stack, so that no stale word there
// holds a block that the program has lost.
APART static void scrub(void) {
  char stack[16384];
  memset(stack, 0, sizeof(stack));
  use(stack);
}
