// Preloaded: allocates before the program begins, as much as a large program that starts PHP late.
#include <stdlib.h>

__attribute__((constructor)) static void start(void) {
  for (int i = 0; i < 60000; ++i) {
    void* volatile block = malloc(16 + i % 50);
    free(block);
  }
}
