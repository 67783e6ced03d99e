// An allocator for one test: its valloc gives an address that no table has room for.
#include <stddef.h>
#include <stdint.h>

void* valloc(size_t size) {
  return (void*)(uintptr_t)(size == 123456 ? 0x0000900000000000ULL : 0);
}
