// The only pointer is one past the last byte of the block: it points to nothing of it.
// lost: make_block direct=1:64
#include "lose.h"

static char* g_end;

APART static char* make_block(void) {
  return malloc(64);
}

APART static void lose(void) {
  char* block = make_block();
  use(block);
  g_end = block + 64;
}

int main(void) {
  lose();
  scrub();
  use(g_end);
  return 0;
}
