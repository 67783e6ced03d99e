// Objects of an arena: one is kept, and holds a block; one is lost, and holds another object, which
// holds a block. The first argument says where the arena lies, or what becomes of it.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "include/seep.h"

__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);
__attribute__((weak)) void __lsan_ignore_object(const void*);

enum { kArenaBytes = 65536, kHeaderBytes = 64 };

static _Alignas(16) char g_static_arena[kArenaBytes];
static char* g_arena;
static size_t g_used;
static void** g_kept;
static void* g_blocks[2];

static void* take(size_t bytes) {
  void* object = g_arena + g_used;
  g_used += bytes;
  seep_pool_alloc(object, bytes);
  return object;
}

static void keep_object(void) {
  g_kept = take(200);
  g_kept[3] = malloc(600);
}

static void** lose_object(void) {
  void** lost = take(304);
  void** held = take(104);
  lost[1] = held;
  held[12] = malloc(700);
  return lost;
}

static void make_arena(const char* where) {
  if (strcmp(where, "mmap") == 0) {
    g_arena = mmap(NULL, kArenaBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g_arena == MAP_FAILED)
      exit(3);
  } else {
    g_arena = strcmp(where, "static") == 0 ? g_static_arena : malloc(kArenaBytes);
  }
  memset(g_arena, 0, kArenaBytes);
  // An arena may have words of its own in front, or none.
  g_used = strcmp(where, "header") == 0 || strcmp(where, "overlaid") == 0 ? kHeaderBytes : 0;
}

// What the other functions left on the stack is no pointer any more.
static void overwrite_stack(void) {
  volatile char bytes[65536];
  memset((char*)bytes, 0, sizeof(bytes));
}

// So that the recorder's clock goes on.
static void let_time_pass(void) {
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 20000; ++i) {
      free(malloc(16 + i % 64));
    }
    usleep(50000);
  }
}

static void make_over_arena(void) {
  free(g_arena);
  g_arena = NULL;
  g_kept = NULL;
  for (int i = 0; i < 2; ++i) {  // one of them lies where the objects were
    void** block = malloc(kArenaBytes);
    for (int word = 0; word < 64; ++word) {
      block[word] = malloc(40);
    }
    g_blocks[i] = block;
  }
}

int main(int count, char** arguments) {
  const char* what = count > 1 ? arguments[1] : "malloc";
  make_arena(what);
  if (strcmp(what, "annotated") == 0 && __lsan_disable != NULL) {
    keep_object();
    __lsan_disable();
    lose_object();
    __lsan_enable();
    __lsan_ignore_object((char*)lose_object() + 100);
  } else if (strcmp(what, "overlaid") == 0) {
    keep_object();
    g_blocks[0] = g_kept[3];
    let_time_pass();
    free(g_blocks[0]);
    make_over_arena();
  } else {
    keep_object();
    lose_object();
  }
  if (strcmp(what, "lost_arena") == 0) {
    g_kept = NULL;
    g_arena = NULL;
  }
  overwrite_stack();
  return 0;
}
