// Blocks whose only pointer is overwritten.
// lost: make_block direct=10:400
#include "lose.h"

static void* volatile g_block;

APART static void* make_block(void) {
  return malloc(40);
}

APART static void lose(void) {
  for (int i = 0; i < 11; ++i) {
    g_block = make_block();
    use(g_block);
  }
}

int main(void) {
  lose();
  scrub();
  return 0;
}
