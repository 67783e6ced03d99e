// annotated: a program that uses LeakSanitizer's interface, linked weakly as its header allows.
// Prints what the checks said.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WEAK __attribute__((weak))
WEAK void __lsan_disable(void);
WEAK void __lsan_enable(void);
WEAK void __lsan_ignore_object(const void*);
WEAK void __lsan_register_root_region(const void*, size_t);
WEAK void __lsan_unregister_root_region(const void*, size_t);
WEAK void __lsan_do_leak_check(void);
WEAK int __lsan_do_recoverable_leak_check(void);

static uintptr_t g_hidden[8];

static __attribute__((noinline)) void* make(int index, size_t bytes) {
  void** block = malloc(bytes);
  memset(block, 0, bytes);
  g_hidden[index] = ~(uintptr_t)block;
  return block;
}
static void* block(int index) {
  return (void*)~g_hidden[index];
}
static __attribute__((noinline)) void clear_stack(void) {
  volatile char room[16384];
  memset((char*)room, 0, sizeof(room));
}
static int lost(void) {
  clear_stack();
  return __lsan_do_recoverable_leak_check();
}

static __attribute__((noinline)) void make_disabled(void) {
  __lsan_disable();
  __lsan_disable();
  make(0, 101);
  __lsan_enable();
  make(1, 102);  // still
  __lsan_enable();
  *(void**)block(1) = make(2, 103);  // what a kept block holds is held
}

// In a free chunk, which is no root by itself.
static __attribute__((noinline)) void make_in_free_chunk(void) {
  make(4, 301);
  char* chunk = malloc(50000);
  g_hidden[5] = ~(uintptr_t)chunk;
  free(chunk);
  memcpy((char*)block(5) + 40000, &(void*){block(4)}, sizeof(void*));
}

int main(int count, char** arguments) {
  if (__lsan_disable == NULL) {
    puts("no interface");
    return 0;
  }
  make_disabled();
  printf("disabled %d\n", lost());
  make(3, 201);
  printf("lost %d\n", lost());
  __lsan_ignore_object((char*)block(3) + 100);
  printf("ignored %d\n", lost());
  make_in_free_chunk();
  printf("lost %d\n", lost());
  __lsan_register_root_region((char*)block(5) + 39000, 2000);
  printf("region %d\n", lost());
  __lsan_unregister_root_region((char*)block(5) + 39000, 2000);
  printf("lost %d\n", lost());
  if (count > 1 && strcmp(arguments[1], "last") == 0)
    __lsan_do_leak_check();
  return 0;
}
