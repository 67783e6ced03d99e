// What a PHP exports, of a version that there is not, with a heap that is left alone: it has
// handlers.
#include <stddef.h>

typedef struct Heap Heap;
static int heap_with_handlers = 1;

char executor_globals[2048];
char compiler_globals[2048];
char sapi_module[512];

Heap* zend_mm_get_heap(void) {
  return (Heap*)&heap_with_handlers;
}

void* _zend_mm_alloc(Heap* heap, size_t size) {
  (void)heap;
  (void)size;
  return NULL;
}

void _zend_mm_free(Heap* heap, void* object) {
  (void)heap;
  (void)object;
}

void* _zend_mm_realloc(Heap* heap, void* object, size_t size) {
  (void)heap;
  (void)object;
  (void)size;
  return NULL;
}

void zend_mm_set_custom_handlers(Heap* heap, void* alloc, void* release, void* resize) {
  (void)heap;
  (void)alloc;
  (void)release;
  (void)resize;
}

void execute_ex(void* frame) {
  (void)frame;
}

unsigned php_version_id(void) {
  return 19900;
}
