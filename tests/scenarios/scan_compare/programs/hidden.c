// A pointer that is kept in a disguise is none: all three tools call its block lost.
// lost: make_hidden direct=1:88
#include <stdint.h>

#include "lose.h"

static uintptr_t g_disguised;

APART static void* make_hidden(void) {
  return malloc(88);
}

APART static void hide(void) {
  g_disguised = ~(uintptr_t)make_hidden();
}

int main(void) {
  hide();
  scrub();
  use(&g_disguised);
  return 0;
}
