// seep_figures_forward.so, to be preloaded: what handlers of an interpreter's allocator cost that
// do nothing but pass each call on. In PHP (up to 8.3) the mark that says there are handlers is
// taken off meanwhile, as it must be for the limit of memory to work.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <time.h>

// ---- PHP ----------------------------------------------------------------------------------------

static int* heap;  // begins with the mark
static void* (*php_alloc)(int*, size_t);
static void (*php_free)(int*, void*);
static void* (*php_realloc)(int*, void*, size_t);

static void* forward_php_malloc(size_t size) {
  *(volatile int*)heap = 0;
  void* object = php_alloc(heap, size);
  *(volatile int*)heap = 1;
  return object;
}

static void forward_php_free(void* object) {
  if (object != heap) {
    php_free(heap, object);
  }
}

static void* forward_php_realloc(void* object, size_t size) {
  *(volatile int*)heap = 0;
  void* fresh = php_realloc(heap, object, size);
  *(volatile int*)heap = 1;
  return fresh;
}

// PHP calls it once, when the heap is there.
void tzset(void) {
  int* (*get_heap)(void) = (int* (*)(void))dlsym(RTLD_DEFAULT, "zend_mm_get_heap");
  void (*set_handlers)(int*, void* (*)(size_t), void (*)(void*), void* (*)(void*, size_t)) =
      (void (*)(int*, void* (*)(size_t), void (*)(void*), void* (*)(void*, size_t)))dlsym(
          RTLD_DEFAULT, "zend_mm_set_custom_handlers");
  php_alloc = (void* (*)(int*, size_t))dlsym(RTLD_DEFAULT, "_zend_mm_alloc");
  php_free = (void (*)(int*, void*))dlsym(RTLD_DEFAULT, "_zend_mm_free");
  php_realloc = (void* (*)(int*, void*, size_t))dlsym(RTLD_DEFAULT, "_zend_mm_realloc");
  if (heap == NULL && get_heap != NULL && set_handlers != NULL && php_alloc != NULL) {
    heap = get_heap();
    set_handlers(heap, forward_php_malloc, forward_php_free, forward_php_realloc);
  }
  void (*real)(void) = (void (*)(void))dlsym(RTLD_NEXT, "tzset");
  real();
}

// ---- Python -------------------------------------------------------------------------------------

struct Allocator {
  void* context;
  void* (*malloc)(void*, size_t);
  void* (*calloc)(void*, size_t, size_t);
  void* (*realloc)(void*, void*, size_t);
  void (*free)(void*, void*);
};
enum { kMem = 1, kDomains = 3 };  // PyMemAllocatorDomain: raw memory is malloc's
static struct Allocator real[kDomains];

#define FORWARD(domain)                                                             \
  static void* forward_malloc_##domain(void* context, size_t size) {                \
    return real[domain].malloc(context, size);                                      \
  }                                                                                 \
  static void* forward_calloc_##domain(void* context, size_t count, size_t size) {  \
    return real[domain].calloc(context, count, size);                               \
  }                                                                                 \
  static void* forward_realloc_##domain(void* context, void* object, size_t size) { \
    return real[domain].realloc(context, object, size);                             \
  }                                                                                 \
  static void forward_free_##domain(void* context, void* object) {                  \
    real[domain].free(context, object);                                             \
  }
FORWARD(1)
FORWARD(2)

__attribute__((constructor)) static void forward_python(void) {
  typedef void (*Access)(int, struct Allocator*);
  const Access get = (Access)dlsym(RTLD_DEFAULT, "PyMem_GetAllocator");
  const Access set = (Access)dlsym(RTLD_DEFAULT, "PyMem_SetAllocator");
  if (get == NULL || set == NULL) {
    return;
  }
  for (int domain = kMem; domain < kDomains; ++domain) {
    get(domain, &real[domain]);
  }
  struct Allocator mem = {real[1].context, forward_malloc_1, forward_calloc_1, forward_realloc_1,
                          forward_free_1};
  struct Allocator objects = {real[2].context, forward_malloc_2, forward_calloc_2,
                              forward_realloc_2, forward_free_2};
  set(1, &mem);
  set(2, &objects);
}
