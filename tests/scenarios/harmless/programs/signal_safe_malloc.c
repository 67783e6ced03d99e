// A malloc that may be called in signal handlers: blocks are cut from one map by an atomic addition
// and never used again. No program should have it; tests that interrupt allocations need it.
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { kHeader = 16 };
static const size_t kMapBytes = (size_t)64 << 30;  // address space, touched as it is used

static _Atomic(char*) g_map;
static atomic_size_t g_used;

static char* map(void) {
  char* begin = atomic_load(&g_map);
  if (begin != NULL) {
    return begin;
  }
  char* fresh = (char*)syscall(SYS_mmap, NULL, kMapBytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (!atomic_compare_exchange_strong(&g_map, &begin, fresh)) {
    syscall(SYS_munmap, fresh, kMapBytes);
    return begin;
  }
  return fresh;
}

static void* take(size_t alignment, size_t size) {
  if (size > kMapBytes / 2) {
    errno = ENOMEM;
    return NULL;
  }
  const size_t bytes = (size + kHeader + alignment + 15) / 16 * 16;
  char* begin = map() + atomic_fetch_add(&g_used, bytes);
  const uintptr_t block = ((uintptr_t)begin + kHeader + alignment - 1) / alignment * alignment;
  ((size_t*)block)[-1] = size;
  return (void*)block;
}

EXPORT void* malloc(size_t size) {
  return take(16, size);
}
EXPORT void free(void* block) {
  (void)block;
}
EXPORT void* calloc(size_t count, size_t size) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return NULL;
  }
  return take(16, bytes);
}
EXPORT void* realloc(void* block, size_t size) {
  void* fresh = take(16, size);
  if (block != NULL && fresh != NULL) {
    const size_t before = ((size_t*)block)[-1];
    memcpy(fresh, block, before < size ? before : size);
  }
  return fresh;
}
EXPORT int posix_memalign(void** out, size_t alignment, size_t size) {
  *out = take(alignment, size);
  return *out == NULL ? ENOMEM : 0;
}
EXPORT void* aligned_alloc(size_t alignment, size_t size) {
  return take(alignment < 16 ? 16 : alignment, size);
}
EXPORT void* memalign(size_t alignment, size_t size) {
  return take(alignment < 16 ? 16 : alignment, size);
}
EXPORT size_t malloc_usable_size(void* block) {
  return block == NULL ? 0 : ((size_t*)block)[-1];
}
