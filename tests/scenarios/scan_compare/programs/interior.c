// Blocks of which the program keeps an address inside only: none is lost.
// lost: nothing
#include "lose.h"

static char* g_inside[8];

APART static char* make_block(void) {
  return malloc(256);
}

APART static void keep(void) {
  for (int i = 0; i < 8; ++i) {
    g_inside[i] = make_block() + 16 * i + 1;
  }
}

int main(void) {
  keep();
  scrub();
  use(g_inside);
  return 0;
}
