// Blocks that realloc moved: the old ones are gone, the last ones are lost.
// lost: make_grown direct=3:60000
#include "lose.h"

APART static char* make_grown(void) {
  char* block = malloc(10);
  for (size_t size = 100; size <= 20000; size *= 2) {
    block = realloc(block, size);
    use(block);
  }
  return realloc(block, 20000);
}

APART static void lose(void) {
  for (int i = 0; i < 3; ++i) {
    use(make_grown());
  }
}

int main(void) {
  lose();
  scrub();
  return 0;
}
